"""What a model is given, what it is asked, and how it is judged.

A task turns the input of a batch into what its models take; nothing else of it reaches a prediction. The target comes
in only where a prediction is judged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from posedata.geometry import GRID
from posetrain.data import Batch, Part
from posetrain.sources import peaks, present_peaks

Refiner = Callable[[Tensor], Tensor]
"""A model, or a function in its place."""


class Task(Protocol):
    """Give, then judge."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """What of a batch it asks for in training and scoring."""

    def given(self, batch: Batch) -> Tensor:
        """What a model gets to see of a batch."""

    def positions(self, prediction: Tensor) -> Tensor:
        """(B, T, 25, 2) grid positions, x y, of a prediction."""

    def places(self, prediction: Tensor) -> Tensor:
        """As `positions`, but NaN where a prediction says nothing of a keypoint."""

    def error(self, prediction: Tensor, batch: Batch) -> Tensor:
        """Sum of the loss over all elements; terms of missing keypoints are zero."""

    def elements(self, batch: Batch) -> int:
        """By how many elements the sum is divided: missing ones count (seed 000, section 1.2.2)."""


def squared_error(predicted: Tensor, target: Tensor, annotated: Tensor) -> Tensor:
    """Sum of squared errors; terms of missing keypoints are zero.

    Divided by the number of all elements this is what the seed gets by setting the targets of missing keypoints to
    the prediction (seed 000, section 1.2.2).

    Args:
        predicted: (B, T, 25, ...).
        target: the same shape.
        annotated: (B, T, 25) bool.
    """
    return (_masked(predicted - target, annotated)).square().sum()


def smooth_error(predicted: Tensor, target: Tensor, annotated: Tensor) -> Tensor:
    """Sum of absolute errors of points, and a tenth of that of their accelerations (SmoothNet's loss).

    An acceleration counts where all of its three frames are annotated. Arguments as of `squared_error`.
    """
    error = predicted - target
    whole = annotated[:, 2:] & annotated[:, 1:-1] & annotated[:, :-2]
    bend = error[:, 2:] - 2 * error[:, 1:-1] + error[:, :-2]
    return _masked(error, annotated).abs().sum() + 0.1 * _masked(bend, whole).abs().sum()


def _masked(error: Tensor, annotated: Tensor) -> Tensor:
    return error * annotated.view(*annotated.shape, *(1,) * (error.dim() - annotated.dim()))


class HeatmapTask:
    """Heatmaps to heatmaps."""

    parts: tuple[Part, ...] = ("input", "target")

    def given(self, batch: Batch) -> Tensor:
        """(B, T, 25, 56, 56)."""
        return batch.input

    def positions(self, prediction: Tensor) -> Tensor:
        """Centres of the largest cells."""
        return peaks(prediction)

    def places(self, prediction: Tensor) -> Tensor:
        """Likewise, NaN where no cell is above 0."""
        return present_peaks(prediction)

    def error(self, prediction: Tensor, batch: Batch) -> Tensor:
        """Squared."""
        return squared_error(prediction, batch.target, batch.annotated)

    def elements(self, batch: Batch) -> int:
        """Cells."""
        return batch.target.numel()


@dataclass(frozen=True)
class PointTask:
    """Coordinates to coordinates: u / 56 - 0.5 of the peaks; 0 for a heatmap without one."""

    loss: Callable[[Tensor, Tensor, Tensor], Tensor]
    parts: tuple[Part, ...] = ("input_peaks",)

    def given(self, batch: Batch) -> Tensor:
        """(B, T, 25, 2) normalised coordinates."""
        return (batch.input_peaks / GRID - 0.5).nan_to_num(0.0)

    def positions(self, prediction: Tensor) -> Tensor:
        """Back on the grid."""
        return (prediction + 0.5) * GRID

    def places(self, prediction: Tensor) -> Tensor:
        """The same: coordinates always say something."""
        return self.positions(prediction)

    def error(self, prediction: Tensor, batch: Batch) -> Tensor:
        """Of normalised coordinates."""
        target = torch.where(batch.annotated[..., None], batch.points / GRID - 0.5, 0.0)
        return self.loss(prediction, target, batch.annotated)

    def elements(self, batch: Batch) -> int:
        """Coordinates."""
        return batch.points.numel()


HEATMAPS = HeatmapTask()
POINTS = PointTask(squared_error)
SMOOTH_POINTS = PointTask(smooth_error)
