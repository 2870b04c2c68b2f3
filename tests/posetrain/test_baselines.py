from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from posedata import Noise, Recipe, Selection, build_store, open_store
from posedata.errors import BadInputError
from posedata.geometry import to_grid, to_pixels
from posedata.heatmaps import decode
from posedata.progress import Advance, silent
from posedata.store.reader import Store
from posetrain import scoring
from posetrain.baselines import Baseline, Tracks, tune
from posetrain.data import Windows
from posetrain.filters import FILTERS, gaussian

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def store(raw_trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("stores") / "brace.zarr"
    recipe = Recipe(datasets=(Selection(dataset="brace"),), noise=Noise(sigmas=(1.0,)))
    build_store(recipe, {"brace": raw_trees["brace"]}, path)
    return open_store(path)


def split_of(store: Store, split: str) -> Windows:
    return Windows(store, store.windows(split), 5, 1, CPU, "auto")


def test_tracks_are_the_peaks_and_nan_without_one(store: Store) -> None:
    points = Tracks(store, CPU, "auto").points
    present = store["annotated"]
    assert (~present).any()
    assert np.isnan(points[~present]).all()
    np.testing.assert_array_equal(points[present], decode(store["input_heatmaps"])[present])


@pytest.mark.parametrize("step", [1, 2])
def test_a_window_is_filtered_on_its_own_and_a_sequence_up_to_a_gap_or_cut(store: Store, step: int) -> None:
    windows = Windows(store, store.windows("test", 5, step), 5, step, CPU, "auto")
    tracks = Tracks(store, CPU, "auto")
    alone, whole = (
        tracks.filtered(FILTERS["gaussian"], {"sigma": 2.0}, span, windows)  # type: ignore[arg-type]
        for span in ("window", "sequence")
    )
    boxes = store["box"].astype(np.float64)

    def smooth(frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """In pixels: a Gaussian does not mind of which scale or place."""
        return to_grid(gaussian(to_pixels(tracks.points[frames], boxes[frames]), 2.0), boxes[frames])

    np.testing.assert_allclose(alone[3], smooth(windows.frames[3]))
    # By hand: the run of frames without a break round the first of window 3, in its step.
    key = np.stack([store.frame_sequence, store["shot"], store["frame_number"] - np.arange(len(store))], axis=1)
    run = np.flatnonzero((key == key[windows.starts[3]]).all(axis=1))
    run = run[run % step == windows.starts[3] % step]
    expected = smooth(run)[np.searchsorted(run, windows.frames[3])]
    np.testing.assert_allclose(whole[3], expected)
    assert not np.allclose(alone[3], whole[3], equal_nan=True)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_beats_its_input_and_is_tuned_on_validation_alone(store: Store, name: str) -> None:
    tracks = Tracks(store, CPU, "auto")
    test, validation = split_of(store, "test"), split_of(store, "validation")
    baseline = tune(name, tracks, "sequence", validation)
    identity = scoring.eval_subject("identity", store.path, None, None, CPU)
    before, _ = scoring.score(identity, "test", CPU, "auto", silent)
    after = baseline.score(test)
    assert after.pck["0.2"] > before.pck["0.2"] + 10
    assert (after.windows, after.keypoints) == (before.windows, before.keypoints)
    others = [
        Baseline(name, choice, "sequence", tracks).score(validation).pck["0.2"] for choice in FILTERS[name].choices
    ]
    assert baseline.score(validation).pck["0.2"] == max(others)


def test_the_loss_is_that_of_coordinate_models(store: Store) -> None:
    tracks = Tracks(store, CPU, "auto")
    windows = split_of(store, "test")
    still = Baseline("moving-average", {"radius": 0}, "window", tracks).score(windows)
    target = store["target_points"][windows.frames].astype(np.float64)
    expected = np.nansum(((tracks.points[windows.frames] - target) / 56) ** 2) / target.size
    assert still.loss == pytest.approx(expected)


def test_without_validation_windows_nothing_is_tuned(store: Store) -> None:
    with pytest.raises(BadInputError, match="validation"):
        tune("kalman", Tracks(store, CPU, "auto"), "window", split_of(store, "held_out"))


def test_on_validation_windows_in_which_nothing_counts_nothing_is_tuned(store: Store) -> None:
    validation = split_of(store, "validation")
    validation.torso = np.full_like(validation.torso, np.nan)
    with pytest.raises(BadInputError, match="kalman: expected validation windows with keypoints in frames with a tor"):
        tune("kalman", Tracks(store, CPU, "auto"), "window", validation)


def test_a_filter_is_scored_with_what_was_chosen_for_its_span(store: Store) -> None:
    subject = scoring.eval_subject("gaussian", store.path, None, None, CPU, "sequence")
    scores, chosen = scoring.score(subject, "test", CPU, "auto", silent)
    baseline = tune("gaussian", Tracks(store, CPU, "auto"), "sequence", split_of(store, "validation"))
    assert chosen == {"span": "sequence", "parameters": dict(baseline.parameters)}
    assert scores == baseline.score(split_of(store, "test"))


def test_given_the_clean_target_a_filter_sees_its_peaks(store: Store) -> None:
    tracks = Tracks(store, CPU, "auto", "clean")
    present = store["annotated"]
    np.testing.assert_array_equal(tracks.points[present], decode(store["target_heatmaps"])[present])
    windows = split_of(store, "test")
    still = Baseline("moving-average", {"radius": 0}, "window", tracks).score(windows)
    assert still.pck == {"0.05": 100.0, "0.1": 100.0, "0.2": 100.0}
    subject = scoring.eval_subject("moving-average", store.path, None, None, CPU, given="clean")
    scores, chosen = scoring.score(subject, "test", CPU, "auto", silent)
    assert chosen["parameters"] == {"radius": 1}  # the mildest: there is nothing to smooth
    assert scores == Baseline("moving-average", {"radius": 1}, "window", tracks).score(windows)


def test_perturbed_targets_move_no_filtered_position(
    store: Store, windows: Callable[..., Windows], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = windows(store, "test")
    kalman, parameters = FILTERS["kalman"], FILTERS["kalman"].choices[0]
    before = Tracks(store, CPU, "auto").filtered(kalman, parameters, "sequence", made)
    real = Store.__getitem__
    rolled = ("target_cells", "target_points", "annotated")
    monkeypatch.setattr(Store, "__getitem__", lambda s, n: np.roll(real(s, n), 9, 0) if n in rolled else real(s, n))
    after = Tracks(store, CPU, "auto").filtered(kalman, parameters, "sequence", made)
    np.testing.assert_array_equal(before, after)


def test_tuning_tells_of_every_choice(store: Store) -> None:
    told: list[float] = []

    @contextmanager
    def progress(what: str, total: int, unit: str) -> Iterator[Advance]:
        assert (what, total, unit) == ("tuning kalman", len(FILTERS["kalman"].choices), "choices")
        yield told.append

    tune("kalman", Tracks(store, CPU, "auto"), "window", split_of(store, "validation"), progress)
    assert sum(told) == len(FILTERS["kalman"].choices)
