"""Resampling: lines between neighbours by hand, gaps and cuts kept, and what holds for any rate."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from posedata.errors import BadInputError
from posedata.poses import PoseSequence
from posedata.resample import resample
from posedata.skeleton import K

NAN = math.nan


def sequence(
    xs: Sequence[float], numbers: Sequence[int] | None = None, fps: float = 10.0, shot: Sequence[int] | None = None
) -> PoseSequence:
    """Keypoint 0 at (x, 2x) in each frame, keypoint 1 at (5, 7)."""
    points = np.full((len(xs), K, 2), NAN)
    points[:, 0] = np.asarray(xs)[:, None] * [1, 2]
    points[:, 1] = (5, 7)
    return PoseSequence(
        dataset="keypoints",
        name="walk",
        video="walk",
        points=points,
        frame_number=np.asarray(range(len(xs)) if numbers is None else numbers, np.int64),
        fps=fps,
        action="walk",
        shot=np.asarray([0] * len(xs) if shot is None else shot, np.int64),
    )


def xs(made: PoseSequence) -> list[float]:
    np.testing.assert_array_equal(made.points[:, 0, 1], 2 * made.points[:, 0, 0])
    found: list[float] = made.points[:, 0, 0].tolist()
    return found


@pytest.mark.parametrize(
    ("fps", "numbers", "expected"),
    [
        (10, [0, 1, 2, 3], [0.0, 10.0, 20.0, 40.0]),
        (5, [0, 1], [0.0, 20.0]),
        (20, [0, 1, 2, 3, 4, 5, 6], [0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0]),
        (4, [0, 1], [0.0, 30.0]),  # 0.25 s is 2.5 source frames: between 20 and 40
        (8, [0, 1, 2], [0.0, 12.5, 30.0]),  # 0.125 s is 1.25 frames: 10 + 0.25 * 10
    ],
)
def test_positions_lie_on_the_line_between_two_frames(fps: float, numbers: list[int], expected: list[float]) -> None:
    made = resample(sequence([0.0, 10.0, 20.0, 40.0]), fps)
    assert made.frame_number.tolist() == numbers
    assert xs(made) == expected
    assert (made.fps, made.action, made.name) == (fps, "walk", "walk")
    np.testing.assert_array_equal(made.points[:, 1], np.tile([5.0, 7.0], (len(numbers), 1)))
    assert np.isnan(made.points[:, 2:]).all()


def test_numbers_count_from_the_time_of_frame_0() -> None:
    made = resample(sequence([0.0, 10.0, 20.0], [31, 32, 33]), 20)
    assert made.frame_number.tolist() == [62, 63, 64, 65, 66]
    assert xs(made) == [0, 5, 10, 15, 20]
    # At 3 a second the times 10/3 and 11/3 s are the source's 33.33 and 36.67; only the first has neighbours.
    made = resample(sequence([0.0, 30.0, 60.0], [32, 33, 34]), 3)
    assert made.frame_number.tolist() == [10]
    assert xs(made) == pytest.approx([40.0])


def test_a_keypoint_that_one_neighbour_lacks_is_missing() -> None:
    made = resample(sequence([0.0, NAN, 20.0, 30.0]), 20)
    np.testing.assert_array_equal(made.points[:, 0, 0], [0, NAN, NAN, NAN, 20, 25, 30])
    assert not np.isnan(made.points[:, 1]).any()


def test_nothing_lies_in_a_gap() -> None:
    made = resample(sequence([0.0, 10.0, 30.0, 40.0], [0, 1, 3, 4]), 20)
    assert made.frame_number.tolist() == [0, 1, 2, 6, 7, 8]
    assert xs(made) == [0, 5, 10, 30, 35, 40]


def test_a_gap_beside_the_frames_that_are_taken_does_not_matter() -> None:
    made = resample(sequence([0.0, 20.0, 30.0, 40.0], [0, 2, 3, 4]), 5)
    assert made.frame_number.tolist() == [0, 1, 2]
    assert xs(made) == [0, 20, 40]


def test_nothing_lies_across_a_shot_cut() -> None:
    made = resample(sequence([0.0, 10.0, 90.0, 80.0], shot=[0, 0, 1, 1]), 20)
    assert made.frame_number.tolist() == [0, 1, 2, 4, 5, 6]
    assert made.shot.tolist() == [0, 0, 0, 1, 1, 1]
    assert xs(made) == [0, 5, 10, 90, 85, 80]


def test_the_shot_of_a_single_boundary_frame_may_go_but_the_cut_stays() -> None:
    made = resample(sequence([0.0, 1.0, 2.0, 3.0, 4.0], shot=[0, 0, 0, 1, 2]), 5)
    assert (made.frame_number.tolist(), made.shot.tolist()) == ([0, 1, 2], [0, 0, 2])


def test_rates_that_are_rounded_meet_on_every_frame() -> None:
    numbers = np.arange(100_000, 100_400)
    made = resample(sequence(list(range(400)), numbers.tolist(), fps=29.97002997), 59.94005994)
    assert made.frame_number.tolist() == list(range(200_000, 200_799))
    np.testing.assert_array_equal(made.points[::2, 0, 0], np.arange(400))
    halves = made.points[1::2, 0, 0]
    np.testing.assert_allclose(halves, np.arange(399) + 0.5, atol=1e-5)


@pytest.mark.parametrize(
    ("fps", "rate", "every", "numbers"), [(25, 30, 5, 6), (0.7, 0.1, 7, 1), (60, 29.97, 2000, 999)]
)
def test_a_product_that_is_rounded_does_not_miss_its_frame(fps: float, rate: float, every: int, numbers: int) -> None:
    # Frames without neighbours: only a time that is on one is kept.
    alone = [every * n for n in range(500)]
    made = resample(sequence([float(n % 700) for n in alone], alone, fps=fps), rate)
    assert made.frame_number.tolist() == [numbers * n for n in range(500)]
    assert xs(made) == [n % 700 for n in alone]


@given(
    numbers=st.lists(st.integers(0, 10_000), min_size=2, max_size=30, unique=True).map(sorted),
    fps=st.floats(0.5, 120),
    rate=st.floats(0.5, 120),
)
def test_straight_motion_stays_straight_at_any_rate(numbers: list[int], fps: float, rate: float) -> None:
    times = np.asarray(numbers) / fps
    try:
        made = resample(sequence((2 * times).tolist(), numbers, fps=fps), rate)
    except BadInputError as error:
        assert "--fps" in str(error)
        return
    at = made.frame_number / rate
    np.testing.assert_allclose(made.points[:, 0, 0], 2 * at, rtol=1e-9, atol=1e-5)
    assert (np.diff(made.frame_number) > 0).all()
    # Every time has a source frame within one frame's length on both sides, and those two are neighbours.
    before = np.searchsorted(times, at + 2e-6 / fps, side="right") - 1
    assert (before >= 0).all()
    after = np.minimum(before + 1, len(numbers) - 1)
    on = np.abs(times[before] - at) < 2e-6 / fps
    assert (on | (np.diff(numbers, append=0)[before] == 1)).all()
    assert (on | (times[after] >= at)).all()


@given(st.lists(st.integers(0, 500), min_size=1, max_size=40, unique=True).map(sorted), st.floats(0.1, 1000))
def test_the_same_rate_changes_nothing(numbers: list[int], fps: float) -> None:
    given_one = sequence([1.5 * n for n in numbers], numbers, fps=fps)
    made = resample(given_one, fps)
    np.testing.assert_array_equal(made.frame_number, given_one.frame_number)
    np.testing.assert_array_equal(made.points, given_one.points)


def test_the_given_sequence_is_not_changed() -> None:
    one = sequence([0.0, 10.0])
    before: NDArray[np.float64] = one.points.copy()
    resample(one, 20).points[:] = 0
    np.testing.assert_array_equal(one.points, before)


def test_an_unknown_rate_is_refused_by_name() -> None:
    with pytest.raises(BadInputError, match=r"keypoints/walk: fps: expected a known frame rate.*found none; leave"):
        resample(sequence([0.0, 1.0], fps=NAN), 25)


def test_a_sequence_between_two_times_is_refused() -> None:
    with pytest.raises(BadInputError, match=r"keypoints/walk: .*1/2 s.*found 2 frames at 10 a second; give a higher"):
        resample(sequence([0.0, 1.0], [1, 2]), 2)


@pytest.mark.parametrize("fps", [1e-6, 1e-300])
def test_more_frames_than_can_be_meant_are_refused(fps: float) -> None:
    with pytest.raises(BadInputError, match=r"--fps 1000: expected at most 1,048,576 frames"):
        resample(sequence([0.0, 1.0, 2.0], [0, 1, 2**31 - 1], fps=fps), 1000)


def test_a_long_gap_costs_nothing() -> None:
    made = resample(sequence([0.0, 1.0], [0, 2**31 - 1], fps=1000), 1000)
    assert made.frame_number.tolist() == [0, 2**31 - 1]


def test_numbers_beyond_what_a_store_holds_are_refused() -> None:
    with pytest.raises(BadInputError, match="frame_number: expected 0 to"):
        resample(sequence([0.0, 1.0], [0, 2**31 - 1], fps=10), 20)
