from pathlib import Path

import numpy as np
import pytest

from posedata.heatmaps import peaks
from posedata.preview import scenes
from posedata.preview.scenes import fused, missing, noise, read_scenes
from posedata.skeleton import K
from posedata.store import views
from posedata.store.reader import Store, open_store
from posedata.store.views import sequence_names

SPLITS = {0: "train", 1: "validation", 2: "test", 3: "held-out", 255: "no split"}


@pytest.fixture(params=["brace", "climbalong"])
def store(request: pytest.FixtureRequest, stores: dict[str, Path]) -> Store:
    """A noisy one, and one of a detector."""
    return open_store(stores[request.param])


def test_peaks_and_nothing() -> None:
    heatmaps = np.zeros((2, 56, 56), np.float16)
    heatmaps[1, 3, 9] = heatmaps[1, 4, 2] = 5
    assert np.array_equal(peaks(heatmaps), [[np.nan, np.nan], [9.5, 3.5]], equal_nan=True)


def test_fused_scales_each_heatmap_to_its_own_peak() -> None:
    heatmaps = np.zeros((3, 56, 56), np.float16)
    heatmaps[0, 1, 1], heatmaps[0, 1, 2] = 40, 10
    heatmaps[1, 1, 2], heatmaps[1, 1, 3] = 4, 3
    together = fused(heatmaps)
    assert together[1, :4].tolist() == [0, 1, 1, 0.75]
    assert together.sum() == 2.75
    assert fused(heatmaps[2:]).sum() == 0


def test_scenes_are_the_stores_frames(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenes, "CHUNK_FRAMES", 3)
    wanted = np.asarray([len(store) - 1, 0, 5, 6, 40, 2, 1])
    found = list(read_scenes(store, wanted))
    names = sequence_names(store)
    assert len(found) == len(wanted)
    for scene, at in zip(found, wanted.tolist(), strict=True):
        one = np.asarray([at])
        assert scene.sequence == names[store.frame_sequence[at]]
        assert scene.number == store["frame_number"][at]
        fps = float(store["sequence_fps"][store.frame_sequence[at]])
        assert scene.seconds == scene.number / fps
        assert np.array_equal(scene.box, store["box"][at], equal_nan=True)
        assert scene.backdrop is None
        assert scene.split == SPLITS[int(store["split"][at])]
        assert np.array_equal(scene.target, store["target_points"][at], equal_nan=True)
        assert np.array_equal(scene.input_heatmaps, store.frames("input_heatmaps", one)[0])
        assert np.array_equal(scene.target_heatmaps, store.frames("target_heatmaps", one)[0])
        assert np.array_equal(scene.target_drawn.cells, store["target_cells"][at])
        assert np.array_equal(np.isnan(scene.peaks[:, 0]), ~scene.input_heatmaps.any(axis=(1, 2)))


def test_only_a_rendered_input_is_drawn_from_cells(stores: dict[str, Path]) -> None:
    noisy, detector = open_store(stores["brace"]), open_store(stores["climbalong"])
    one = np.asarray([4])
    (scene,) = read_scenes(noisy, one)
    assert scene.input_drawn is not None
    assert np.array_equal(scene.input_drawn.cells, noisy["input_cells"][4])
    assert scene.input_drawn.sigma.tolist() == [float(noisy["input_sigma"][4])] * K
    (scene,) = read_scenes(detector, one)
    assert scene.input_drawn is None


def test_missing_counts_keypoints(store: Store) -> None:
    frames = np.arange(len(store))
    assert missing(store, frames).tolist() == [float(25 - row.sum()) for row in store["annotated"]]


def test_noise_is_the_mean_distance_from_target_to_input(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "_BLOCK", 7)
    frames = np.arange(0, len(store), 3)
    found = noise(store, frames)
    heatmaps, points = store.frames("input_heatmaps", frames), store.frames("target_points", frames)
    assert np.isnan(found).any()  # of empty frames
    for i, frame in enumerate(frames.tolist()):
        there = [k for k in range(K) if not np.isnan(points[i, k, 0]) and heatmaps[i, k].any()]
        if store.rendered == ("input_heatmaps", "target_heatmaps"):
            cells = [store["input_cells"][frame, k] for k in there]
        else:
            cells = [np.unravel_index(heatmaps[i, k].argmax(), (56, 56))[::-1] for k in there]
        off = [np.hypot(*(np.add(cell, 0.5) - points[i, k])) for cell, k in zip(cells, there, strict=True)]
        assert found[i] == pytest.approx(np.mean(off)) if off else np.isnan(found[i])
