"""Short gaps, by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from posetrain.predict.gaps import BRIDGE, bridged


def track(*frames: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A keypoint that is as many pixels to the right as its frame says; a second one that is missing in frame 0."""
    number = np.asarray(frames, np.int64)
    points = np.stack([np.stack([number, 2.0 * number], -1), np.stack([-number, 0.5 * number], -1)], axis=1)
    points[number == 0, 1] = np.nan
    return number, points, np.full((len(number), 2), 0.5)


def test_points_of_a_short_gap_lie_on_a_straight_line() -> None:
    found = bridged(*track(0, 1, 4, 5), stride=1)
    assert found.frame_number.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.there.tolist() == [True, True, False, False, True, True]
    np.testing.assert_allclose(found.points[:, 0], [[n, 2 * n] for n in range(6)])
    np.testing.assert_allclose(found.points[1:, 1], [[-n, 0.5 * n] for n in range(1, 6)])
    assert np.isnan(found.confidence[2:4]).all()
    assert (found.confidence[found.there] == 0.5).all()


def test_what_is_missing_beside_a_gap_is_missing_in_it() -> None:
    found = bridged(*track(0, 2), stride=1)
    assert found.points[:, 0].tolist() == [[0, 0], [1, 2], [2, 4]]
    assert np.isnan(found.points[:, 1, 0]).tolist() == [True, True, False]


def test_a_longer_gap_stays() -> None:
    first, second = range(10), range(10 + BRIDGE, 30)
    found = bridged(*track(*first, *second, *range(30 + BRIDGE + 1, 50)), stride=1)
    assert found.frame_number.tolist() == [*range(30), *range(30 + BRIDGE + 1, 50)]


def test_of_a_detector_that_sees_few_frames_one_may_be_missing() -> None:
    """Its gaps are long in time: at every third frame one, at every second two."""
    for stride, most in ((2, 2), (3, 1), (10, 1)):
        for missing in (1, 2, 3):
            second = range(10 + missing, 20)
            found = bridged(*track(*(n * stride for n in (*range(10), *second))), stride=stride)
            assert bool((~found.there).any()) == (missing <= most)


def test_a_gap_that_is_longer_than_what_lies_beside_it_stays() -> None:
    assert bridged(*track(0, 6), stride=1).frame_number.tolist() == [0, 6]
    assert bridged(*track(0, 3, 4, 5), stride=1).frame_number.tolist() == [0, 1, 2, 3, 4, 5]
    assert bridged(*track(0, 4, 5, 6), stride=1).frame_number.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert bridged(*track(0, 5, 6, 7), stride=1).frame_number.tolist() == [0, 5, 6, 7]


def test_frames_between_two_strides_are_no_gap() -> None:
    """As where a detector that sees every second frame saw another one, too."""
    found = bridged(*track(0, 2, 5, 9), stride=2)
    assert found.frame_number.tolist() == [0, 2, 5, 7, 9]


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(1, 4))
def test_what_is_there_stays_as_it_is(frames: set[int], stride: int) -> None:
    number, points, confidence = track(*sorted(frames))
    found = bridged(number, points, confidence, stride)
    np.testing.assert_array_equal(found.frame_number[found.there], number)
    np.testing.assert_array_equal(found.points[found.there], points)
    np.testing.assert_array_equal(found.confidence[found.there], confidence)
    assert (np.diff(found.frame_number) > 0).all()
