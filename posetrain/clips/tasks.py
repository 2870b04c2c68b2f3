"""What models of clips are given, what they are asked, and how they are judged; see `posetrain.kinds.Lesson`."""

from torch import Tensor

from posetrain.clips.data import ClipBatch


class Lifting:
    """Clips to 3-D joints, by the mean squared error of their coordinates in metres (seed 003, section 3)."""

    parts: tuple[str, ...] = ()
    at_once = 4  # each is eight frames in a ResNet

    def given(self, batch: ClipBatch) -> Tensor:
        """(B, 8, 3, 224, 224)."""
        return batch.images

    def varied(self, batch: ClipBatch) -> ClipBatch:
        """The batch as it is stored."""
        return batch

    def positions(self, prediction: Tensor) -> Tensor:
        """(B, 8, 17, 3) metres: what a model says."""
        return prediction

    def error(self, prediction: Tensor, batch: ClipBatch) -> Tensor:
        """Squared, the sum."""
        return (prediction - batch.joints).square().sum()

    def elements(self, batch: ClipBatch) -> int:
        """Coordinates."""
        return batch.joints.numel()


LIFTING = Lifting()
