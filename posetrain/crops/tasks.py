"""What models of crops are given, what they are asked, and how they are judged; see `posetrain.kinds.Lesson`."""

from torch import Tensor

from posetrain.crops.data import CropBatch, Part
from posetrain.sources import peaks
from posetrain.tasks import squared_error


class Detection:
    """Crops to heatmaps of every stack, each of which is judged."""

    parts: tuple[Part, ...] = ("input", "target")

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


DETECTION = Detection()
