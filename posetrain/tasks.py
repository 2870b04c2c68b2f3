"""What a model is given, what it is asked, and how it is judged.

A task turns the input of a batch into what its models take; nothing else of it reaches a prediction. The target comes
in only where a prediction is judged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from posedata.geometry import GRID, PADDING
from posedata.skeleton import TORSO_SIDES
from posetrain.data import Batch, Part
from posetrain.image import in_image, on_grid
from posetrain.kinds import Lesson
from posetrain.sources import peaks, present_peaks
from posetrain.varied import varied

_TORSO, _LEAST_TORSO = 16 / GRID, 4 / GRID
"""Normalised: a usual torso, and the least that an error is divided by; a turned one is nearly a point."""

_FILLED = (torch.tensor([PADDING, 1 + PADDING]) / (1 + 2 * PADDING) * GRID).tolist()
"""Grid positions: what lies within the padding of a box, from and to, along either axis."""

_ROUND = 0.02
"""Torso diameters: below this an error counts by its square."""

Refiner = Callable[[Tensor], Tensor]
"""A model, or a function in its place."""


class Task(Lesson, Protocol):
    """Give, then judge: the lesson of a refiner, whose batches are windows."""

    def positions(self, prediction: Tensor, batch: Batch) -> Tensor:
        """(B, T, 25, 2) grid positions, x y, of a prediction for a batch."""

    def places(self, prediction: Tensor, batch: Batch) -> Tensor:
        """As `positions`, but NaN where a prediction says nothing of a keypoint."""


def squared_error(predicted: Tensor, target: Tensor, annotated: Tensor) -> Tensor:
    """Sum of squared errors; terms of missing keypoints are zero.

    Divided by the number of all elements this is what the seed gets by setting the targets of missing keypoints to
    the prediction (seed 000, section 1.2.2).

    Args:
        predicted: (B, T, 25, ...).
        target: the same shape, or one that broadcasts to it.
        annotated: (B, T, 25) bool, or what broadcasts to that.
    """
    square = torch.nn.functional.mse_loss(predicted, target.expand_as(predicted), reduction="none")
    return _masked(square.flatten(annotated.dim()).sum(dim=-1), annotated).sum()


def smooth_error(predicted: Tensor, target: Tensor, annotated: Tensor) -> Tensor:
    """Sum of absolute errors of points, and a tenth of that of their accelerations (SmoothNet's loss).

    Both are meant as means, and of T points there are T - 2 accelerations: their sum is weighted by T / (T - 2), as all
    is divided by the number of points. An acceleration counts where all of its three frames are annotated. Arguments as
    of `squared_error`.
    """
    error = predicted - target
    bend, whole = _bends(error, annotated)
    share = 0.1 * error.shape[1] / max(bend.shape[1], 1)
    return _masked(error, annotated).abs().sum() + share * _masked(bend, whole).abs().sum()


def torso_error(predicted: Tensor, target: Tensor, annotated: Tensor) -> Tensor:
    """Sum of distances in torso diameters, and half of that of their second differences; both rounded off near 0.

    It is robust: PCK does not ask how far off a lost keypoint is. A frame without a torso takes a usual one.
    Arguments as of `squared_error`.
    """
    error = (predicted - target) / _torsos(target, annotated)[..., None, None]
    bend, whole = _bends(error, annotated)
    return _length(error, annotated).sum() + 0.5 * _length(bend, whole).sum()


def _bends(error: Tensor, annotated: Tensor) -> tuple[Tensor, Tensor]:
    """(B, T - 2, ...): second differences over frames, and whether all three frames of each are annotated."""
    whole = annotated[:, 2:] & annotated[:, 1:-1] & annotated[:, :-2]
    return error[:, 2:] - 2 * error[:, 1:-1] + error[:, :-2], whole


def _length(vectors: Tensor, counts: Tensor) -> Tensor:
    return (vectors.square().sum(dim=-1) + _ROUND**2).sqrt() * counts


def _torsos(points: Tensor, annotated: Tensor) -> Tensor:
    """(B, T) torso diameters as of `posedata.geometry.torso_diameters`, and `_TORSO` where there is none."""
    sides = [(points[:, :, a] - points[:, :, b]).norm(dim=-1) for a, b in TORSO_SIDES]
    complete = torch.stack([annotated[:, :, a] & annotated[:, :, b] for a, b in TORSO_SIDES])
    count = complete.sum(dim=0)
    mean = (torch.stack(sides) * complete).sum(dim=0) / count.clamp(min=1)
    return mean.where(count > 0, _TORSO).clamp(min=_LEAST_TORSO)


def _masked(error: Tensor, annotated: Tensor) -> Tensor:
    return error * annotated.view(*annotated.shape, *(1,) * (error.dim() - annotated.dim()))


class HeatmapTask:
    """Heatmaps to heatmaps."""

    parts: tuple[Part, ...] = ("input", "target")
    at_once = 32

    def given(self, batch: Batch) -> Tensor:
        """(B, T, 25, 56, 56)."""
        return batch.input

    def varied(self, batch: Batch) -> Batch:
        """The batch as it is stored."""
        return batch

    def positions(self, prediction: Tensor, batch: Batch) -> Tensor:
        """Centres of the largest cells."""
        return peaks(prediction)

    def places(self, prediction: Tensor, batch: Batch) -> Tensor:
        """Likewise, NaN where no cell is above 0."""
        return present_peaks(prediction)

    def error(self, prediction: Tensor, batch: Batch) -> Tensor:
        """Squared."""
        return squared_error(prediction, batch.target, batch.annotated)

    def elements(self, batch: Batch) -> int:
        """Cells."""
        return batch.annotated.numel() * GRID**2


@dataclass(frozen=True)
class PointTask:
    """Coordinates to coordinates: u / 56 - 0.5 of the peaks.

    Attributes:
        loss: of (B, T, 25, 2) predicted and target coordinates where (B, T, 25) are annotated; a sum.
    """

    loss: Callable[[Tensor, Tensor, Tensor], Tensor]
    parts: tuple[Part, ...] = ("input_peaks",)
    at_once: int = 256

    def given(self, batch: Batch) -> Tensor:
        """(B, T, 25, 2) normalised coordinates, 0 where a heatmap has no peak."""
        return (batch.input_peaks / GRID - 0.5).nan_to_num(0.0)

    def varied(self, batch: Batch) -> Batch:
        """The batch as it is stored."""
        return batch

    def positions(self, prediction: Tensor, batch: Batch) -> Tensor:
        """Back on the grid."""
        return (prediction + 0.5) * GRID

    def places(self, prediction: Tensor, batch: Batch) -> Tensor:
        """The same: coordinates always say something."""
        return self.positions(prediction, batch)

    def error(self, prediction: Tensor, batch: Batch) -> Tensor:
        """Of normalised coordinates."""
        target = torch.where(batch.annotated[..., None], batch.points / GRID - 0.5, 0.0)
        return self.loss(prediction, target, batch.annotated)

    def elements(self, batch: Batch) -> int:
        """Coordinates."""
        return batch.points.numel()


@dataclass(frozen=True)
class TrackTask:
    """Tracks in the image to tracks in the image, in batches that are made anew.

    Coordinates are those of `posetrain.image`.

    Attributes:
        loose: whether some batches have other boxes than a store of labels.
    """

    loose: bool = True
    parts: tuple[Part, ...] = ("input_peaks",)
    at_once: int = 256

    def given(self, batch: Batch) -> Tensor:
        """(B, T, 25 + 2, 2) coordinates of peaks and of two opposite corners, NaN where there is none.

        The corners are those of the square that the person is known to fill.
        """
        corners = torch.stack([torch.full_like(batch.boxes[..., :2], at) for at in _FILLED], dim=2)
        known = corners.where(batch.tight[..., None, None], torch.nan)
        return in_image(torch.cat([batch.input_peaks, known], dim=2), batch.boxes)

    def varied(self, batch: Batch) -> Batch:
        """See `posetrain.varied`."""
        return varied(batch, self.loose)

    def positions(self, prediction: Tensor, batch: Batch) -> Tensor:
        """Back on the grids of the frames."""
        return on_grid(prediction, batch.boxes)

    def places(self, prediction: Tensor, batch: Batch) -> Tensor:
        """The same: coordinates always say something."""
        return self.positions(prediction, batch)

    def error(self, prediction: Tensor, batch: Batch) -> Tensor:
        """In torso diameters, robust; see `torso_error`."""
        target = torch.where(batch.annotated[..., None], in_image(batch.points, batch.boxes), 0.0)
        return torso_error(prediction, target, batch.annotated)

    def elements(self, batch: Batch) -> int:
        """Coordinates."""
        return batch.points.numel()


HEATMAPS = HeatmapTask()
POINTS = PointTask(squared_error)
SMOOTH_POINTS = PointTask(smooth_error)
TRACKS = TrackTask()
FILLED_BOXES = TrackTask(loose=False)
