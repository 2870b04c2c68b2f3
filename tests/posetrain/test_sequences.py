from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from posedata.geometry import to_grid, to_pixels
from posedata.skeleton import K
from posedata.store.reader import Store
from posetrain.data import Windows
from posetrain.filters import moving_average
from posetrain.overlap import pieces
from posetrain.sequences import over_sequences, runs
from posetrain.tasks import POINTS, TRACKS

CPU = torch.device("cpu")


def test_a_run_ends_where_frames_are_missing(noisy: Store) -> None:
    found = runs(noisy)
    assert (found[0].start, found[-1].stop) == (0, len(noisy))
    assert [run.start for run in found[1:]] == [run.stop for run in found[:-1]]
    sequence, shot, number = noisy.frame_sequence, noisy["shot"], noisy["frame_number"]
    for run in found:
        assert len(set(sequence[run])) == len(set(shot[run])) == 1
        assert (np.diff(number[run]) == 1).all()


@pytest.mark.parametrize("step", [1, 2])
def test_a_model_that_says_what_it_is_given_says_the_peaks(noisy: Store, step: int) -> None:
    windows = Windows(noisy, noisy.windows("test", 5, step), 5, step, CPU, "auto")
    found = over_sequences(
        lambda points: points[:, :, :K],
        TRACKS,
        windows,
        runs(noisy),
        9,
    )
    (batch,) = windows.batches(np.arange(len(windows)), len(windows))
    np.testing.assert_allclose(found, batch.input_peaks.double().numpy(), atol=1e-4)


def test_a_filter_as_a_model_gives_the_filter_where_windows_reach_far_enough(noisy: Store) -> None:
    """Runs no longer than a window are seen whole, so a model is there what the filter is."""
    windows = Windows(noisy, noisy.windows("test"), 5, 1, CPU, "auto")

    def model(points: Tensor) -> Tensor:
        return torch.from_numpy(moving_average(points[:, :, :K].double().numpy(), 2))

    whole = runs(noisy)
    longest = max(run.stop - run.start for run in whole)
    found = over_sequences(model, TRACKS, windows, whole, longest)
    every = Windows(noisy, np.arange(len(noisy)), 1, 1, CPU, "auto")
    (batch,) = every.batches(np.arange(len(noisy)), len(noisy))
    peaks = batch.input_peaks[:, 0].double().numpy()
    boxes = noisy["box"].astype(np.float64)
    pixels = to_pixels(peaks, boxes)
    expected = to_grid(np.concatenate([moving_average(pixels[run], 2) for run in whole]), boxes)
    np.testing.assert_allclose(found, expected[windows.frames], atol=1e-3)


def test_a_frame_at_the_end_of_a_window_weighs_least(noisy: Store) -> None:
    """A model that says how far its frame is from the middle of its window: the mean is below the plain one."""
    windows = Windows(noisy, noisy.windows("test")[:1], 5, 1, CPU, "auto")
    run = next(r for r in runs(noisy) if r.start <= windows.starts[0] < r.stop)

    def model(points: Tensor) -> Tensor:
        frames = torch.arange(points.shape[1], dtype=torch.float32)
        return (frames - (points.shape[1] - 1) / 2).abs()[None, :, None, None].expand_as(points)

    found = (over_sequences(model, POINTS, windows, [run], 4)[0, :, 0, 0] / 56 - 0.5).tolist()
    weight, total = {}, {}
    for first, count in pieces(run, 4, 1):
        for i in range(count):
            w = min(i + 1, count - i)
            weight[first + i] = weight.get(first + i, 0) + w
            total[first + i] = total.get(first + i, 0) + w * abs(i - (count - 1) / 2)
    assert found == pytest.approx([total[f] / weight[f] for f in windows.frames[0].tolist()], abs=1e-5)


def test_only_runs_that_are_asked_for_are_refined(noisy: Store, windows: Callable[..., Windows]) -> None:
    made = windows(noisy, "test", most=1)
    seen = []

    def model(points: Tensor) -> Tensor:
        seen.append(len(points))
        return points[:, :, :K]

    over_sequences(model, TRACKS, made, runs(noisy), 5)
    run = next(r for r in runs(noisy) if r.start <= made.starts[0] < r.stop)
    assert sum(seen) == len(list(pieces(run, 5, 1)))


def test_a_track_too_short_for_a_window_is_not_shown_and_nothing_scored_is_lost(noisy: Store) -> None:
    """9 frames at step 2 are a track of 5 and one of 4, which a model of fixed windows cannot take."""
    run = next(r for r in runs(noisy) if r.stop - r.start >= 9)
    windows = Windows(noisy, np.asarray([run.start]), 5, 2, CPU, "auto")
    seen = []

    def model(points: Tensor) -> Tensor:
        seen.append(tuple(points.shape[:2]))
        return points[:, :, :K]

    found = over_sequences(model, TRACKS, windows, [slice(run.start, run.start + 9)], 5)
    assert seen == [(1, 5)]
    (batch,) = windows.batches(np.arange(1), 1)
    np.testing.assert_allclose(found, batch.input_peaks.double().numpy(), atol=1e-4)


@pytest.mark.parametrize("length", [4, 20])
def test_a_window_that_is_asked_for_may_be_longer_or_shorter_than_what_is_seen_at_once(
    noisy: Store, length: int
) -> None:
    run = next(r for r in runs(noisy) if r.stop - r.start >= 18)
    windows = Windows(noisy, np.asarray([run.start]), 9, 2, CPU, "auto")
    short = slice(run.start, run.start + 17)
    found = over_sequences(lambda points: points[:, :, :K], TRACKS, windows, [short], length)
    (batch,) = windows.batches(np.arange(1), 1)
    np.testing.assert_allclose(found, batch.input_peaks.double().numpy(), atol=1e-4)
