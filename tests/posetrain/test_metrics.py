import numpy as np
import pytest

from posedata.skeleton import INDEX, K
from posetrain.metrics import Pck, hits


def blank(frames: int) -> np.ndarray:
    return np.full((frames, K, 2), np.nan)


def test_a_keypoint_on_the_threshold_is_correct_and_one_beyond_is_not() -> None:
    target, predicted = blank(1), np.zeros((1, K, 2))
    target[0, 0] = (0.0, 0.0)
    target[0, 1] = (0.0, 0.0)
    predicted[0, 0] = (1.5, 2.0)  # 2.5 of 50 away: 0.05
    predicted[0, 1] = (0.0, 2.5000001)
    correct, counted = hits(predicted, target, np.asarray([50.0]))
    assert correct[:, 0].tolist() == [1, 1, 1]
    assert correct[:, 1].tolist() == [0, 1, 1]
    assert counted[:2].tolist() == [1, 1]
    assert counted[2:].sum() == 0


def test_frames_without_torso_do_not_count() -> None:
    target = np.zeros((2, K, 2))
    correct, counted = hits(target, target, np.asarray([10.0, np.nan]))
    assert counted.tolist() == [1] * K
    assert correct.tolist() == [[1] * K] * 3


def test_the_mean_is_over_keypoints_not_over_batches() -> None:
    pck = Pck()
    target = blank(1)
    target[0, :4] = 0.0
    pck.add(np.zeros((1, K, 2)), target, np.asarray([10.0]))  # four keypoints, all right
    lone = blank(1)
    lone[0, 0] = 0.0
    pck.add(np.full((1, K, 2), 9.0), lone, np.asarray([10.0]))  # one keypoint, wrong
    assert pck.percent() == {"0.05": 80.0, "0.1": 80.0, "0.2": 80.0}


def test_joints_are_scored_by_pair_and_left_out_where_nothing_counts() -> None:
    pck = Pck()
    target = blank(1)
    left, right = INDEX["left_wrist"], INDEX["right_wrist"]
    target[0, [left, right]] = 0.0
    predicted = np.zeros((1, K, 2))
    predicted[0, right] = (1.5, 0.0)
    pck.add(predicted, target, np.asarray([10.0]))
    assert pck.per_joint() == {"wrist": {"0.05": 50.0, "0.1": 50.0, "0.2": 100.0}}


def test_nothing_counted_is_none() -> None:
    assert Pck().percent() is None


def test_arguments_are_not_changed() -> None:
    arrays = [np.ones((2, K, 2)), np.ones((2, K, 2)), np.asarray([1.0, np.nan])]
    copies = [array.copy() for array in arrays]
    hits(*arrays)
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("shift", [0.0, 0.6, 3.0])
def test_percent_agrees_with_a_count_by_hand(shift: float) -> None:
    rng = np.random.default_rng(0)
    target = rng.uniform(0, 56, (30, K, 2))
    torso = rng.uniform(5, 20, 30)
    predicted = target + rng.normal(0, 1, target.shape) * shift
    pck = Pck()
    pck.add(predicted, target, torso)
    right = sum(
        float(np.hypot(*(predicted[t, j] - target[t, j]))) <= 0.1 * torso[t] for t in range(30) for j in range(K)
    )
    assert pck.percent() == pytest.approx({**(pck.percent() or {}), "0.1": 100 * right / (30 * K)})
