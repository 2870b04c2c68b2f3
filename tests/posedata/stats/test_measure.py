"""One pass in blocks finds what is counted here the slow way, all at once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from posedata.geometry import torso_diameters
from posedata.heatmaps import decode
from posedata.progress import silent
from posedata.splits import SPLITS
from posedata.stats import measure as module
from posedata.stats.distribution import Distribution
from posedata.stats.measure import Block, Measured, measure
from posedata.store.arrays import StoredArray
from posedata.store.reader import Store, open_store

from .conftest import FRAMES, walking

NAMES = ("brace", "climbalong", "penn_action", "speed21")


@pytest.fixture(params=NAMES)
def store(request: pytest.FixtureRequest, stores: dict[str, Path]) -> Store:
    return open_store(stores[request.param])


def test_counts_of_frames(store: Store) -> None:
    found, split = measure(store, silent), store["split"]
    points = store["target_points"]
    assert found.frames.sum(axis=0).tolist() == [*((split == n).sum() for n in SPLITS.values()), (split == 255).sum()]
    np.testing.assert_array_equal(found.frames.sum(axis=1), store["sequence_length"])
    np.testing.assert_array_equal(found.annotated[0], store["annotated"].sum(axis=0))
    torso, empty = torso_diameters(points.astype(float)), np.isnan(store["box"][:, 0])
    assert found.tallies["empty"].sum() == empty.sum() == store.attributes["counts"]["empty_frames"]
    shown = ~np.isnan(points[..., 0]).all(axis=1)
    assert found.tallies["no_torso"].sum() == (np.isnan(torso) & shown).sum()
    assert found.tallies["unannotated"].sum() == (~shown & ~empty).sum()
    assert found.distributions["torso_diameter"][0].total == pytest.approx(np.nansum(torso))
    assert found.windows[1] == store.attributes["counts"]["windows"]
    assert found.windows[2]["train"] == len(store.windows("train", 5, 2))
    assert found.windows_of.sum() == store.attributes["counts"]["windows_total"]


def test_speeds_of_consecutive_frames(store: Store) -> None:
    points, number, shot = store["target_points"].astype(float), store["frame_number"], store["shot"]
    sums, means, steps = [], [], 0
    for i in range(len(store) - 1):
        same = store.frame_sequence[i] == store.frame_sequence[i + 1] and shot[i] == shot[i + 1]
        if same and number[i + 1] == number[i] + 1:
            steps += 1
            speed = np.hypot(*(points[i + 1] - points[i]).T)
            speed = speed[~np.isnan(speed)]
            sums += speed.tolist()
            means += [speed.mean()] if len(speed) else []
    measured = measure(store, silent)
    assert measured.steps.sum() == steps
    found = measured.distributions
    assert (found["joint_speed"][0].count, found["mean_speed"][0].count) == (len(sums), len(means))
    assert found["joint_speed"][0].total == pytest.approx(sum(sums))
    assert found["mean_speed"][0].total == pytest.approx(sum(means))


def test_shift_and_pck_of_the_input(store: Store) -> None:
    found = measure(store, silent)
    points, cells = store["target_points"].astype(float), store["target_cells"]
    heatmaps = store["input_heatmaps"]
    peak = np.where(heatmaps.any(axis=(-2, -1))[..., None], decode(heatmaps), np.inf)
    given = np.where(store["input_cells"] < 0, np.nan, store["input_cells"] + 0.5) if store.sigmas else peak
    off = np.hypot(*np.moveaxis(given - points, -1, 0))
    assert found.distributions["input_shift"][0].total == pytest.approx(off[np.isfinite(off)].sum())
    torso = torso_diameters(points)[:, None]
    far = np.hypot(*np.moveaxis(peak - (cells + 0.5), -1, 0))
    counts = (cells[..., 0] >= 0) & ~np.isnan(torso)
    for name, number in SPLITS.items():
        inside = counts & (store["split"] == number)[:, None]
        assert found.pck[name].counted.sum() == inside.sum()
        for at, threshold in enumerate((0.05, 0.1, 0.2)):
            assert found.pck[name].correct[0, at].sum() == (inside & (far <= threshold * torso)).sum()


@pytest.mark.parametrize("frames", [1, 7])
def test_blocks_do_not_show(
    frames: int, stores: dict[str, Path], monkeypatch: pytest.MonkeyPatch, build: Callable[..., Store]
) -> None:
    runs = walking(9)
    runs["run01"][1:] = runs["run01"][0]  # frozen, over many blocks
    runs["run02"] = runs["run05"]
    for store in (build(runs), open_store(stores["brace"]), open_store(stores["climbalong"])):
        whole = measure(store, silent)
        with monkeypatch.context() as patch:
            patch.setattr(module, "SHARD_FRAMES", frames)
            pieces = measure(store, silent)
        assert_same(whole, pieces)
        if "run" in store["sequence_name"][0]:
            assert whole.duplicates == [[2, 5]]
            assert whole.tallies["frozen"].tolist() == [0, FRAMES, 0, 0, 0, 0, 0, 0, 0]


def assert_same(one: Measured, other: Measured) -> None:
    assert one.duplicates == other.duplicates
    assert one.frames_scored == other.frames_scored
    np.testing.assert_array_equal(one.steps, other.steps)
    for name, tally in one.tallies.items():
        np.testing.assert_array_equal(tally, other.tallies[name], err_msg=name)
    for name, parts in one.distributions.items():
        for a, b in zip(parts, other.distributions[name], strict=True):
            np.testing.assert_array_equal(a.counts, b.counts, err_msg=name)
    for split, pck in one.pck.items():
        np.testing.assert_array_equal(pck.correct, other.pck[split].correct)


def test_boxes_are_small_by_their_longer_side_and_lopsided_beyond_three_to_one() -> None:
    sides = np.asarray([(60, 20), (20, 61), (50, 55.9), (50, 56), (np.nan, np.nan)])
    boxes = np.concatenate([np.full((5, 2), 7.0), 7.0 + sides], axis=1)
    zeros, points = np.zeros(5, np.int64), np.full((5, 25, 2), np.nan)
    points[0, 0] = 7.0
    tallies = {name: np.zeros(1, np.int64) for name in module.TALLIES}
    distributions = {name: [Distribution()] for name in module.DISTRIBUTIONS}
    found = Measured(["a"], zeros[:1], zeros, zeros[:1], np.zeros((1, 25), np.int64), tallies, zeros, {}, distributions)
    module._measure_frames(found, Block(0, zeros, zeros, zeros, zeros, points, boxes))  # type: ignore[arg-type]
    told = {name: int(tally[0]) for name, tally in found.tallies.items() if tally[0]}
    assert told == {"lopsided": 1, "small_box": 1, "empty": 1, "unannotated": 3, "no_torso": 1}
    assert found.distributions["box_side"][0].count == 4


def test_heatmaps_of_a_noisy_store_are_not_read(stores: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = StoredArray.rows

    def watched(array: StoredArray, positions: np.ndarray) -> np.ndarray:
        assert not array.spec.sharded, array.spec.name
        return rows(array, positions)

    monkeypatch.setattr(StoredArray, "rows", watched)
    measure(open_store(stores["brace"]), silent)
    with pytest.raises(AssertionError, match="input_heatmaps"):
        measure(open_store(stores["climbalong"]), silent)
