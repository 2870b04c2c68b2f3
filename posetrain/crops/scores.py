"""Score keypoints found in crops: PCK as seeds 001 (algorithm 1) and 002 (section 1.1) have it.

A keypoint is correct if the centres of the predicted and of the labelled cell lie less than `REACH` of `SPREAD` cells
apart. Only labelled keypoints count, seen or hidden.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from posedata.crops.geometry import GRID
from posedata.crops.heatmaps import OCCLUDED, VISIBLE
from posedata.geometry import mean_present
from posedata.progress import Progress, silent
from posedata.skeleton import COCO_NAMES
from posetrain.crops.data import CropBatch, Crops
from posetrain.crops.tasks import CropTask
from posetrain.epoch import mean_loss

SPREAD = GRID / 10
"""Cells: the constant c by which distances are divided."""

REACH = 0.5
"""The radius r below which the quotient has to be."""

THRESHOLD = f"{REACH:g}"
"""The key of PCK among scores."""

_SEEN = {"visible": VISIBLE, "occluded": OCCLUDED}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """How good a detector is on keypoints of one visibility: how many they are, threshold -> percent."""

    keypoints: int
    pck: Mapping[str, float]


@dataclass(frozen=True)
class CropScores:
    """How good a detector is on some crops.

    Attributes:
        crops: how many.
        keypoints: how many are labelled, and so count.
        pck: threshold -> percent; empty if nothing counted.
        per_joint: joint -> threshold -> percent.
        by_visibility: likewise of keypoints that are "visible", and "occluded".
        loss: mean of the task's loss; None for what has none.
        errors: (W,) cells, the mean distance of each crop's keypoints from the centres of the labelled cells, NaN where
            none is labelled; (0,) of what says no keypoints.
    """

    crops: int
    keypoints: int
    pck: Mapping[str, float]
    per_joint: Mapping[str, Mapping[str, float]]
    by_visibility: Mapping[str, Seen]
    loss: float | None
    errors: Floats = field(repr=False, compare=False)

    @property
    def counted(self) -> str:
        """How many, in words."""
        return f"{self.crops:,} crops, {self.keypoints:,} keypoints"

    @property
    def parts(self) -> dict[str, float]:
        """Percent of "all" keypoints, of those that are "visible" and "occluded", and of each joint, where any is."""
        seen = {name: score.pck for name, score in self.by_visibility.items()}
        found = {"all": self.pck, **seen, **self.per_joint}
        return {name: pck[THRESHOLD] for name, pck in found.items() if pck}

    def as_dict(self) -> dict[str, object]:
        """For JSON: all but the array."""
        told = asdict(self)
        del told["errors"]
        return told


@dataclass
class Tally:
    """Positions judged against labels.

    Attributes:
        crops: how many.
        counted: (3, 17) labelled keypoints by visibility.
        correct: (3, 17) those that were found.
        errors: of every batch, see `CropScores`.
    """

    crops: int
    counted: NDArray[np.int64] = field(default_factory=lambda: np.zeros((VISIBLE + 1, len(COCO_NAMES)), np.int64))
    correct: NDArray[np.int64] = field(default_factory=lambda: np.zeros((VISIBLE + 1, len(COCO_NAMES)), np.int64))
    errors: list[Floats] = field(default_factory=lambda: [np.zeros(0)])

    def add(self, found: Floats, points: NDArray[np.floating], visibility: NDArray[np.uint8]) -> None:
        """Judge more crops.

        Args:
            found: (B, 17, 2) grid positions, x y.
            points: (B, 17, 2) the labelled ones, NaN = not labelled.
            visibility: (B, 17) 0, 1 or 2.
        """
        right, off = correct(found, points), distances(found, points)
        self.errors.append(mean_present(np.where(visibility > 0, off, np.nan)))
        for seen in _SEEN.values():
            self.counted[seen] += (visibility == seen).sum(axis=0)
            self.correct[seen] += ((visibility == seen) & right).sum(axis=0)

    def scores(self, loss: float | None) -> CropScores:
        """What has been judged so far."""
        return CropScores(
            crops=self.crops,
            keypoints=int(self.counted.sum()),
            pck=_percent(self.correct, self.counted),
            per_joint={
                joint: _percent(self.correct[:, j], self.counted[:, j])
                for j, joint in enumerate(COCO_NAMES)
                if self.counted[:, j].any()
            },
            by_visibility={
                name: Seen(int(self.counted[seen].sum()), _percent(self.correct[seen], self.counted[seen]))
                for name, seen in _SEEN.items()
            },
            loss=loss,
            errors=np.concatenate(self.errors),
        )


def distances(found: NDArray[np.floating], points: NDArray[np.floating]) -> Floats:
    """(B, 17) cells to the centre of the labelled cell, NaN where not labelled; arguments as of `Tally.add`."""
    centres = np.minimum(np.floor(points), GRID - 1) + 0.5
    return np.asarray(np.linalg.norm(found - centres, axis=-1))


def correct(found: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(B, 17) bool: what lies close enough; False where not labelled. Arguments as of `Tally.add`."""
    return distances(found, points) / SPREAD < REACH


def _percent(correct: NDArray[np.int64], counted: NDArray[np.int64]) -> dict[str, float]:
    total = int(counted.sum())
    return {THRESHOLD: 100 * int(correct.sum()) / total} if total else {}


def score_crops(
    model: nn.Module, task: CropTask, crops: Crops, progress: Progress = silent, what: str = "scoring"
) -> CropScores:
    """Score a model on all of `crops`. A prediction is made from the pixels alone."""
    tally = Tally(len(crops))

    def judge(batch: CropBatch, prediction: Tensor) -> None:
        found = task.positions(prediction)
        if found is not None:
            tally.add(found.cpu().double().numpy(), batch.points.cpu().numpy(), batch.visibility.cpu().numpy())

    return tally.scores(mean_loss(model, task, crops, judge, progress, what))
