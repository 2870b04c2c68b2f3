"""What models of crops are given, what they are asked, and how they are judged; see `posetrain.kinds.Lesson`."""

from typing import Protocol

from torch import Tensor

from posetrain.crops.data import CropBatch, Part
from posetrain.kinds import Lesson
from posetrain.sources import peaks
from posetrain.tasks import squared_error

_AT_ONCE = 8
"""Crops in a batch that is scored: an hourglass takes 100 MB for each."""


class CropTask(Lesson, Protocol):
    """Give, then judge."""

    def positions(self, prediction: Tensor) -> Tensor | None:
        """(B, 17, 2) grid positions, x y; None where a model says none."""


class Detection:
    """Crops to heatmaps of every stack, each of which is judged."""

    parts: tuple[Part, ...] = ("input", "target")
    at_once = _AT_ONCE

    def given(self, batch: CropBatch) -> Tensor:
        """(B, 3, 256, 256)."""
        return batch.input

    def varied(self, batch: CropBatch) -> CropBatch:
        """The batch as it is stored."""
        return batch

    def positions(self, prediction: Tensor) -> Tensor:
        """(B, 17, 2) grid positions, x y: centres of the largest cells of the last stack."""
        return peaks(prediction[:, -1])

    def error(self, prediction: Tensor, batch: CropBatch) -> Tensor:
        """Squared, the sum over all stacks; what is not labelled teaches nothing."""
        return squared_error(prediction, batch.target[:, None], batch.labelled[:, None])

    def elements(self, batch: CropBatch) -> int:
        """Cells of a stack."""
        return batch.target.numel()


class Rebuilding:
    """Crops to what the bottleneck of an hourglass says, and what an autoencoder makes of it."""

    parts: tuple[Part, ...] = ("input",)
    at_once = _AT_ONCE

    def given(self, batch: CropBatch) -> Tensor:
        """(B, 3, 256, 256)."""
        return batch.input

    def varied(self, batch: CropBatch) -> CropBatch:
        """The batch as it is stored."""
        return batch

    def positions(self, prediction: Tensor) -> None:
        """None: no keypoint is said."""

    def error(self, prediction: Tensor, batch: CropBatch) -> Tensor:
        """Squared, of (B, 2, width, 4, 4): what was rebuilt, and of what; of a crop the mean over its numbers."""
        del batch
        return (prediction[:, 0] - prediction[:, 1]).square().flatten(1).mean(1).sum()

    def elements(self, batch: CropBatch) -> int:
        """Crops."""
        return len(batch.first)


DETECTION = Detection()
REBUILDING = Rebuilding()
