import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from posetrain.exported import DEFAULT
from posetrain.overlap import runs_of
from posetrain.predict.blend import Answer, _Frames, refine_run, window_length, window_starts
from posetrain.predict.people import Block, Person, PointBlock
from posetrain.tasks import HEATMAPS, POINTS, TRACKS
from posetrain.trained import Trained, find_trained

CPU = torch.device("cpu")
STILL = Trained("still", lambda given: given, POINTS, window=5, any_window=False, frame_step=1, epoch=1)
rng = np.random.default_rng(0)


def person(grid: np.ndarray, asked: list[tuple[int, int]] | None = None) -> Person:  # type: ignore[type-arg]
    def blocks(start: int, stop: int) -> Block:
        if asked is not None:
            asked.append((start, stop))
        return PointBlock(grid[start:stop], np.ones((stop - start, 25)), CPU)

    number, boxes = np.arange(len(grid)), np.tile([0.0, 0, 56, 56], (len(grid), 1))
    runs = runs_of(number)
    there = np.ones(len(number), bool)
    return Person("", "", np.nan, number, there, boxes, runs, True, False, None, film="", first=0, blocks=blocks)


def refined(trained: Trained, grid: np.ndarray) -> Answer:  # type: ignore[type-arg]
    return refine_run(trained, person(grid), slice(0, len(grid)), CPU, lambda done: None)


@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 4))
def test_every_frame_of_a_run_is_in_a_window_and_no_window_beyond_it(frames: int, window: int, step: int) -> None:
    length = window_length(replace(STILL, window=window, frame_step=step), frames)
    assert length == (window if frames >= window * step else 0)
    if length:
        at = window_starts(frames, length, step)[:, None] + np.arange(length) * step
        assert set(at.ravel().tolist()) == set(range(frames))
        assert (np.diff(at[:, 0]) > 0).all()


def test_a_model_for_shorter_windows_gets_them() -> None:
    any_length = replace(STILL, window=9, any_window=True, frame_step=2)
    assert [window_length(any_length, frames) for frames in (1, 2, 9, 65, 66, 999)] == [0, 1, 4, 32, 33, 33]


def test_a_windows_middle_counts_more() -> None:
    # One window says 1 everywhere, the next 2: frame 3 is place 3 of the first and place 2 of the second.
    answers = iter([1.0, 2.0])

    def say(points: Tensor) -> Tensor:
        return torch.stack([torch.full_like(window, next(answers)) for window in points]) / 56 - 0.5

    found = refined(replace(STILL, refine=say), np.full((6, 25, 2), 20.0)).found[:, 0, 0]
    expected = [1, (2 + 2) / 3, (3 + 4) / 5, (2 + 6) / 5, (1 + 4) / 3, 2]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("frames", [15, 32, 33, 200])
def test_where_the_model_changes_nothing_neither_do_windows(frames: int, step: int) -> None:
    grid = rng.uniform(-3, 60, (frames, 25, 2))
    grid[rng.random((frames, 25)) < 0.1] = np.nan
    answer = refined(replace(STILL, frame_step=step), grid)
    assert answer.left == 0
    np.testing.assert_allclose(answer.found, grid, atol=1e-4)
    np.testing.assert_array_equal(answer.confidence, 1.0)


def test_a_box_around_a_keypoint_that_is_not_shown_tells_nothing() -> None:
    grid = rng.uniform(10, 40, (20, 25, 2))
    grid[10:, 24] = np.nan
    told = []

    def look(points: Tensor) -> Tensor:
        told.extend(points[:, 0, 25:].isfinite().all(dim=(1, 2)).tolist())
        return points[:, :, :25]

    trained = replace(STILL, refine=look, task=TRACKS, seen=np.arange(25) != 24)
    for tight in (True, False):
        refine_run(trained, replace(person(grid), tight=tight), slice(0, 20), CPU, lambda done: None)
    first = window_starts(20, 5, 1)
    assert told == [*(first >= 10).tolist(), *[False] * len(first)]
    assert any(told)


@pytest.mark.parametrize("known", [True, False])
def test_a_mixer_refines_on_every_device(device: str, known: bool) -> None:
    trained, where = find_trained(DEFAULT, torch.device(device)), torch.device(device)
    asked = trained if known else replace(trained, seen=None)
    answer = refine_run(asked, person(rng.uniform(10, 40, (20, 25, 2))), slice(0, 20), where, lambda done: None)
    assert np.isfinite(answer.found).all()


def test_a_model_gets_peaks_on_its_own_device() -> None:
    frames = _Frames(person(np.full((8, 25, 2), 20.0)), slice(0, 8), torch.device("meta"), lambda done: None)
    frames.read(8, with_heatmaps=False)
    assert frames.peaks(np.arange(5)[None]).device.type == "meta"


def test_heatmaps_go_through_windows_as_points_do() -> None:
    grid = rng.integers(3, 53, (150, 25, 2)) + 0.5
    grid[40:43, 7] = np.nan
    np.testing.assert_array_equal(refined(replace(STILL, task=HEATMAPS), grid).found, grid)


def test_a_model_of_one_answer_a_window_is_the_same_in_blocks_as_at_once() -> None:
    """Means over windows, taken by hand over all frames."""

    def mean(points: Tensor) -> Tensor:
        return points.mean(dim=1, keepdim=True).expand_as(points)

    grid = rng.uniform(5, 50, (170, 25, 2))
    total, mass = np.zeros_like(grid), np.zeros((170, 1, 1))
    for start in range(166):
        for place, weight in enumerate([1, 2, 3, 2, 1]):
            total[start + place] += weight * grid[start : start + 5].mean(axis=0)
            mass[start + place] += weight
    np.testing.assert_allclose(refined(replace(STILL, refine=mean), grid).found, total / mass, atol=1e-4)


def test_a_short_run_is_handed_through() -> None:
    def fail(points: Tensor) -> Tensor:
        raise AssertionError

    grid = rng.uniform(0, 56, (4, 25, 2))
    answer = refined(replace(STILL, refine=fail), grid)
    assert (answer.left, answer.unboxed) == (len(grid), 0)
    np.testing.assert_allclose(answer.found, grid, atol=1e-5)
    grid = rng.uniform(0, 56, (9, 25, 2))  # one window fits at half the rate, but not over every other frame
    assert refined(replace(STILL, refine=fail, frame_step=2), grid).left == len(grid)


def test_what_is_missing_stays_missing_and_what_the_model_loses_is() -> None:
    grid = rng.integers(3, 53, (20, 25, 2)) + 0.5
    grid[3:5, 2] = np.nan

    def lose(heatmaps: Tensor) -> Tensor:
        kept = torch.ones(25)
        kept[9] = 0.0
        return heatmaps.amax(dim=1, keepdim=True).expand_as(heatmaps) * kept[:, None, None]  # fills gaps

    answer = refined(replace(STILL, task=HEATMAPS, refine=lose), grid)
    gone = np.isnan(answer.found[..., 0])
    assert gone[:, 9].all()
    assert gone[3:5, 2].all()
    assert gone.sum() == 20 + 2
    assert not np.isnan(answer.given[:, 9]).any()


@pytest.mark.parametrize("task", [POINTS, HEATMAPS])
def test_keypoints_that_the_model_has_not_seen_are_kept_from_it(task: object) -> None:
    seen = np.ones(25, bool)
    seen[4] = False
    shown: list[Tensor] = []

    def move(given: Tensor) -> Tensor:
        shown.append(given)
        return given.roll(1, dims=-1)  # a cell on, or x and y exchanged

    grid = rng.integers(3, 53, (8, 25, 2)) + 0.5
    grid[:, 4] = rng.uniform(3, 53, (8, 2))  # unlike those of cells, their means round off
    answer = refined(replace(STILL, task=task, refine=move, seen=seen), grid)  # type: ignore[arg-type]
    np.testing.assert_array_equal(answer.found[:, 4], grid[:, 4].astype(np.float32))
    assert (answer.found[:, 5] != grid[:, 5]).any(axis=-1).all()
    assert all((given[:, :, 4] == 0).all() and (given[:, :, 5] != 0).any() for given in shown)


def test_frames_are_read_once_in_order_and_soon_forgotten() -> None:
    """However long it is, a few blocks of heatmaps are in memory."""
    sizes = []

    def watch(heatmaps: Tensor) -> Tensor:
        sizes.append(heatmaps.shape[0])
        return heatmaps

    for frames in (130, 700):
        asked: list[tuple[int, int]] = []
        one = person(np.full((frames, 25, 2), 20.5), asked)
        refine_run(replace(STILL, task=HEATMAPS, refine=watch), one, slice(0, frames), CPU, lambda done: None)
        assert asked[0][0] == 0
        assert asked[-1][1] == frames
        assert all(before[1] == after[0] for before, after in pairwise(asked))
        assert max(stop - start for start, stop in asked) <= 64
    assert max(sizes) <= 32


MEMORY = """
import resource, sys
sys.path[:0] = [{folder!r}]
from test_blend import *
torch.set_num_threads(1)
for frames in (150, 1500):
    refined(replace(STILL, task=HEATMAPS), np.full((frames, 25, 2), 20.5))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_frames() -> None:
    """1,350 frames more are 423 MB of heatmaps more."""
    code = MEMORY.format(folder=__file__.rpartition("/")[0])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    few, many = map(int, done.stdout.split())
    assert many - few < 100_000  # kB
