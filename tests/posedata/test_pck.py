import numpy as np
import pytest

from posedata.pck import Pck, relative_errors
from posedata.skeleton import INDEX, K

ONE = np.asarray([0])
"""A single frame, of the first video."""


def blank(frames: int) -> np.ndarray:
    return np.full((frames, K, 2), np.nan)


def errors(**off: float) -> np.ndarray:
    """One frame in which the named keypoints are off by so many torso diameters, and no others count."""
    relative = np.full((1, K), np.nan)
    for name, value in off.items():
        relative[0, INDEX[name]] = value
    return relative


def test_errors_are_distances_in_torso_diameters() -> None:
    target, predicted = blank(2), np.zeros((2, K, 2))
    target[:, 3] = (3.0, 4.0)
    relative = relative_errors(predicted, target, np.asarray([10.0, 50.0]))
    assert relative[:, 3].tolist() == [0.5, 0.1]
    assert np.isnan(np.delete(relative, 3, axis=1)).all()


def test_in_a_torso_of_no_length_only_the_very_place_is_right() -> None:
    target, predicted = blank(1), np.zeros((1, K, 2))
    target[0, :2] = [(0, 0), (0, 0.1)]
    relative = relative_errors(predicted, target, np.asarray([0.0]))
    assert relative[0, :2].tolist() == [0, np.inf]
    assert np.isnan(relative[0, 2:]).all()


def test_what_was_not_predicted_is_infinitely_far_off() -> None:
    predicted = np.zeros((1, K, 2))
    predicted[0, 0] = np.nan
    predicted[0, 1] = (np.nan, 0.0)
    predicted[0, 2] = (np.inf, 0.0)
    relative = relative_errors(predicted, np.zeros((1, K, 2)), np.asarray([10.0]))
    assert relative[0, :2].tolist() == [np.inf, np.inf]
    assert (relative[0, 3:] == 0).all()
    pck = Pck.of_videos(1)
    pck.add(relative, ONE)
    assert pck.counted.tolist() == [[1] * K]
    assert pck.correct[0].tolist() == [[0] * 3 + [1] * (K - 3)] * 3


def test_frames_without_torso_do_not_count() -> None:
    target = np.zeros((2, K, 2))
    relative = relative_errors(target, target, np.asarray([10.0, np.nan]))
    assert relative[0].tolist() == [0.0] * K
    assert np.isnan(relative[1]).all()


def test_a_keypoint_that_neither_counts_nor_was_predicted_is_no_error() -> None:
    assert np.isnan(relative_errors(blank(1), blank(1), np.asarray([10.0]))).all()


def test_a_keypoint_on_the_threshold_is_correct_and_one_beyond_is_not() -> None:
    target, predicted = blank(1), np.zeros((1, K, 2))
    target[0, :2] = 0.0
    predicted[0, 0] = (1.5, 2.0)  # 2.5 of 50 away: 0.05
    predicted[0, 1] = (0.0, 2.5000001)
    pck = Pck.of_videos(1)
    pck.add(relative_errors(predicted, target, np.asarray([50.0])), ONE)
    assert pck.correct[0, :, 0].tolist() == [1, 1, 1]
    assert pck.correct[0, :, 1].tolist() == [0, 1, 1]
    assert pck.counted[0].tolist() == [1, 1] + [0] * (K - 2)


@pytest.mark.parametrize(("off", "correct"), [(0.05, [1, 1, 1]), (0.1, [0, 1, 1]), (0.2, [0, 0, 1]), (0.21, [0, 0, 0])])
def test_every_threshold_is_inclusive(off: float, correct: list[int]) -> None:
    pck = Pck.of_videos(1)
    pck.add(errors(nose=off), ONE)
    assert pck.correct[0, :, INDEX["nose"]].tolist() == correct


def test_the_mean_is_over_keypoints_not_over_batches_or_videos() -> None:
    pck = Pck.of_videos(2)
    pck.add(errors(nose=0.0, left_hip=0.0, right_hip=0.0, left_knee=0.0), np.asarray([0]))
    pck.add(errors(nose=0.9), np.asarray([1]))
    assert pck.percent() == {"0.05": 80.0, "0.1": 80.0, "0.2": 80.0}


def test_frames_count_for_their_own_video_as_often_as_they_come() -> None:
    pck = Pck.of_videos(3)
    pck.add(np.concatenate([errors(nose=0.0), errors(nose=0.15), errors(nose=0.0)]), np.asarray([2, 0, 2]))
    pck.add(errors(nose=9.0), np.asarray([2]))
    nose = INDEX["nose"]
    assert pck.counted[:, nose].tolist() == [1, 0, 3]
    assert pck.correct[:, :, nose].tolist() == [[0, 0, 1], [0, 0, 0], [2, 2, 2]]


def test_counts_by_video_sum_to_the_pooled_counts() -> None:
    rng = np.random.default_rng(0)
    relative = np.where(rng.random((40, K)) < 0.2, np.nan, rng.exponential(0.1, (40, K)))
    parted, pooled = Pck.of_videos(7), Pck.of_videos(1)
    parted.add(relative, rng.integers(0, 7, 40))
    pooled.add(relative, np.zeros(40, np.int64))
    np.testing.assert_array_equal(parted.correct.sum(axis=0), pooled.correct[0])
    np.testing.assert_array_equal(parted.counted.sum(axis=0), pooled.counted[0])
    assert parted.percent() == pooled.percent()
    assert parted.per_joint() == pooled.per_joint()


def test_joints_are_scored_by_pair_and_left_out_where_nothing_counts() -> None:
    pck = Pck.of_videos(1)
    pck.add(errors(left_wrist=0.0, right_wrist=0.15), ONE)
    assert pck.per_joint() == {"wrist": {"0.05": 50.0, "0.1": 50.0, "0.2": 100.0}}


def test_nothing_counted_is_none() -> None:
    assert Pck.of_videos(2).percent() is None
    assert Pck.of_videos(0).percent() is None


def test_arguments_are_not_changed() -> None:
    arrays = [np.ones((2, K, 2)), np.ones((2, K, 2)), np.asarray([1.0, np.nan])]
    copies = [array.copy() for array in arrays]
    relative = relative_errors(*arrays)
    kept, video = relative.copy(), np.asarray([1, 0])
    Pck.of_videos(2).add(relative, video)
    for array, copy in zip([*arrays, relative, video], [*copies, kept, np.asarray([1, 0])], strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("shift", [0.0, 0.6, 3.0])
def test_percent_agrees_with_a_count_by_hand(shift: float) -> None:
    rng = np.random.default_rng(0)
    target = rng.uniform(0, 56, (30, K, 2))
    torso = rng.uniform(5, 20, 30)
    predicted = target + rng.normal(0, 1, target.shape) * shift
    pck = Pck.of_videos(4)
    pck.add(relative_errors(predicted, target, torso), rng.integers(0, 4, 30))
    off = [float(np.hypot(*(predicted[t, j] - target[t, j]))) / torso[t] for t in range(30) for j in range(K)]
    by_hand = {f"{t:g}": 100 * sum(value <= t for value in off) / len(off) for t in (0.05, 0.1, 0.2)}
    assert pck.percent() == pytest.approx(by_hand)
