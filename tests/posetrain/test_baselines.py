from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from posedata import Noise, Recipe, Selection, build_store, open_store
from posedata.errors import BadInputError, ChoiceError
from posedata.heatmaps import decode
from posedata.progress import silent
from posedata.store.reader import Store
from posetrain import request
from posetrain.baselines import Tracks, tune
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
    points = Tracks(store, "window", CPU, "auto").points
    present = store["annotated"]
    assert (~present).any()
    assert np.isnan(points[~present]).all()
    np.testing.assert_array_equal(points[present], decode(store["input_heatmaps"])[present])


def test_a_window_is_filtered_on_its_own_and_a_sequence_up_to_a_gap_or_cut(store: Store) -> None:
    windows = split_of(store, "test")
    alone, whole = (
        Tracks(store, span, CPU, "auto").filtered(FILTERS["gaussian"], {"sigma": 2.0}, windows)  # type: ignore[arg-type]
        for span in ("window", "sequence")
    )
    points = Tracks(store, "window", CPU, "auto").points
    np.testing.assert_allclose(alone[3], gaussian(points[windows.frames[3]], 2.0))
    # By hand: the run of frames without a break round the first of window 3.
    key = np.stack([store.frame_sequence, store["shot"], store["frame_number"] - np.arange(len(store))], axis=1)
    run = np.flatnonzero((key == key[windows.starts[3]]).all(axis=1))
    expected = gaussian(points[run], 2.0)[windows.frames[3] - run[0]]
    np.testing.assert_allclose(whole[3], expected)
    assert not np.allclose(alone[3], whole[3], equal_nan=True)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_beats_its_input_and_is_tuned_on_validation_alone(store: Store, name: str) -> None:
    tracks = Tracks(store, "sequence", CPU, "auto")
    test = split_of(store, "test")
    baseline = tune(name, tracks, split_of(store, "validation"))
    identity = request.eval_subject("identity", store.path, None, None, CPU)
    before, _ = request.score(identity, "test", CPU, "auto", silent)
    after = baseline.score(test)
    assert after.pck["0.2"] > before.pck["0.2"] + 10
    assert (after.windows, after.keypoints) == (before.windows, before.keypoints)
    validation = split_of(store, "validation")
    others = [
        type(baseline)(baseline.filter, choice, tracks).score(validation).pck["0.2"]
        for choice in baseline.filter.choices
    ]
    assert baseline.score(validation).pck["0.2"] == max(others)


def test_the_loss_is_that_of_coordinate_models(store: Store) -> None:
    tracks = Tracks(store, "window", CPU, "auto")
    windows = split_of(store, "test")
    unchanged = tune("moving-average", tracks, windows)
    still = type(unchanged)(unchanged.filter, {"radius": 0}, tracks).score(windows)
    target = store["target_points"][windows.frames].astype(np.float64)
    expected = np.nansum(((tracks.points[windows.frames] - target) / 56) ** 2) / target.size
    assert still.loss == pytest.approx(expected)


def test_without_validation_windows_nothing_is_tuned(store: Store) -> None:
    with pytest.raises(BadInputError, match="validation"):
        tune("kalman", Tracks(store, "window", CPU, "auto"), split_of(store, "held_out"))


def test_a_span_is_for_filters_only(store: Store) -> None:
    with pytest.raises(ChoiceError, match="--span"):
        request.eval_subject("identity", store.path, None, None, CPU, "sequence")
    assert request.eval_subject("kalman", store.path, None, None, CPU).span == "window"


def test_perturbed_targets_move_no_filtered_position(
    store: Store, windows: Callable[..., Windows], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = windows(store, "test")
    before = Tracks(store, "sequence", CPU, "auto").filtered(FILTERS["kalman"], FILTERS["kalman"].choices[0], made)
    real = Store.__getitem__
    rolled = ("target_cells", "target_points", "annotated")
    monkeypatch.setattr(Store, "__getitem__", lambda s, n: np.roll(real(s, n), 9, 0) if n in rolled else real(s, n))
    after = Tracks(store, "sequence", CPU, "auto").filtered(FILTERS["kalman"], FILTERS["kalman"].choices[0], made)
    np.testing.assert_array_equal(before, after)
