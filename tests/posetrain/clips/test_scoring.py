import numpy as np
import pytest
import torch

from posedata.clips.store import ClipStore
from posetrain.clips.data import all_clips
from posetrain.clips.scoring import mean_pose, score_mean_pose

CPU = torch.device("cpu")


def test_the_mean_pose_is_that_of_the_clips_that_train(store: ClipStore) -> None:
    joints = store.joints(store.clips("train")).astype(np.float64)
    np.testing.assert_allclose(mean_pose(store), joints.mean(axis=(0, 1)), atol=1e-6)


def test_it_is_scored_on_other_clips(store: ClipStore) -> None:
    joints = store.joints(store.clips("validation")).astype(np.float64)
    expected = 1000 * np.linalg.norm(joints - mean_pose(store), axis=-1).mean()
    scores = score_mean_pose(store, all_clips(store, "validation", CPU))
    assert scores.mpjpe == pytest.approx(expected)
    assert (scores.clips, scores.loss) == (2, None)


def test_clips_are_read_some_at_a_time(store: ClipStore, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mean_pose(store)
    monkeypatch.setattr("posetrain.clips.scoring._AT_ONCE", 4)
    np.testing.assert_allclose(mean_pose(store), whole)
    assert score_mean_pose(store, all_clips(store, "train", CPU)).clips == 6
