"""Score 3-D joints: MPJPE, the mean distance to where they are (seed 003, equation of section 3)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from posedata.clips.joints import JOINTS
from posedata.progress import Progress, silent
from posetrain.clips.data import ClipBatch, Clips
from posetrain.clips.tasks import Lifting
from posetrain.epoch import mean_loss

MILLIMETRES = 1000.0


@dataclass(frozen=True)
class ClipScores:
    """How good a model is on some clips.

    Attributes:
        clips: how many.
        mpjpe: mm, the mean over all joints of all frames.
        per_joint: joint -> the same of it.
        loss: mean of the task's loss; None for what has none.
        errors: (W,) mm, the mean of each clip.
    """

    clips: int
    mpjpe: float
    per_joint: Mapping[str, float]
    loss: float | None
    errors: NDArray[np.float64] = field(repr=False, compare=False)

    @property
    def counted(self) -> str:
        """How many, in words."""
        return f"{self.clips:,} clips"

    @property
    def parts(self) -> dict[str, float]:
        """MPJPE of "all" joints, and of each."""
        return {"all": self.mpjpe, **self.per_joint}

    def as_dict(self) -> dict[str, object]:
        """For JSON: all but the array."""
        told = asdict(self)
        del told["errors"]
        return told


@dataclass
class Tally:
    """Joints judged against those that are right.

    Attributes:
        total: (17,) mm, the sum of distances.
        frames: how many were judged.
        errors: of every batch, see `ClipScores`.
    """

    total: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(JOINTS)))
    frames: int = 0
    errors: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, found: NDArray[np.floating], joints: NDArray[np.floating]) -> None:
        """Judge more clips: (B, 8, 17, 3) metres of either."""
        apart = MILLIMETRES * np.linalg.norm(found.astype(np.float64) - joints, axis=-1)
        self.total += apart.sum(axis=(0, 1))
        self.frames += apart.shape[0] * apart.shape[1]
        self.errors.append(apart.mean(axis=(1, 2)))

    def scores(self, loss: float | None) -> ClipScores:
        """What has been judged so far; at least one clip."""
        means, errors = self.total / self.frames, np.concatenate(self.errors)
        by_joint = dict(zip(JOINTS, means.tolist(), strict=True))
        return ClipScores(len(errors), float(means.mean()), by_joint, loss, errors)


def score_clips(
    model: nn.Module, task: Lifting, clips: Clips, progress: Progress = silent, what: str = "scoring"
) -> ClipScores:
    """Score a model on all of `clips`. A prediction is made from the pixels alone."""
    tally = Tally()

    def judge(batch: ClipBatch, prediction: Tensor) -> None:
        tally.add(prediction.cpu().numpy(), batch.joints.cpu().numpy())

    return tally.scores(mean_loss(model, task, clips, judge, progress, what))
