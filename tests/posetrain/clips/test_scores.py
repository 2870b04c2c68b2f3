import numpy as np
import pytest
import torch
from torch import Tensor, nn

from posedata.clips.joints import JOINTS
from posedata.clips.store import ClipStore
from posetrain.clips.data import all_clips
from posetrain.clips.scores import Tally, score_clips
from posetrain.clips.tasks import LIFTING

CPU = torch.device("cpu")


def test_mpjpe_by_hand() -> None:
    joints = np.zeros((2, 8, 17, 3), np.float32)
    found = joints.copy()
    found[:, :, 0] = [0.03, 0.04, 0.0]  # 50 mm
    found[0, 0, 1] = [0.0, 0.0, 0.16]  # 160 mm in one frame of 16
    tally = Tally()
    tally.add(found[:1], joints[:1])
    tally.add(found[1:], joints[1:])
    scores = tally.scores(None)
    assert scores.clips == 2
    assert scores.per_joint[JOINTS[0]] == pytest.approx(50, rel=1e-6)
    assert scores.per_joint[JOINTS[1]] == pytest.approx(10, rel=1e-6)
    assert scores.mpjpe == pytest.approx(60 / 17, rel=1e-6)
    np.testing.assert_allclose(scores.errors, [70 / 17, 50 / 17], rtol=1e-6)  # 160 mm in one of its 8 frames
    assert scores.parts == {"all": scores.mpjpe, **scores.per_joint}
    assert (scores.counted, "errors" in scores.as_dict()) == ("2 clips", False)


class Beside(nn.Module):
    """Says of every joint what it is given, whatever the pixels."""

    def __init__(self, joints: Tensor) -> None:
        super().__init__()
        self.joints = joints

    def forward(self, images: Tensor) -> Tensor:
        return self.joints.expand(len(images), 8, 17, 3)


def test_the_loss_is_the_mean_square_in_metres(store: ClipStore) -> None:
    clips = all_clips(store, "validation", CPU)
    said = torch.full((17, 3), 0.25)
    scores = score_clips(Beside(said), LIFTING, clips)
    joints = store.joints(store.clips("validation")).astype(np.float64)
    assert scores.loss == pytest.approx(float(np.mean((joints - 0.25) ** 2)), rel=1e-5)
    assert scores.mpjpe == pytest.approx(float(1000 * np.linalg.norm(joints - 0.25, axis=-1).mean()), rel=1e-5)
    assert scores.clips == 2
