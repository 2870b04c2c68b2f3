"""Read a store of image crops."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posedata.crops.heatmaps import render
from posedata.crops.recipe import CropRecipe
from posedata.crops.schema import DEALT, KIND
from posedata.errors import BadInputError, ChoiceError
from posedata.splits import SPLITS
from posedata.store.opened import Opened, open_kind


class CropStore(Opened):
    """A complete store of crops, opened for reading; its attributes are those of `Opened`."""

    @property
    def recipe(self) -> CropRecipe:
        """What it was built from."""
        return CropRecipe.model_validate(self.attributes["recipe"])

    @property
    def mean_rgb(self) -> NDArray[np.float64]:
        """(3,) mean R, G and B of the crops that train, 0 to 255; raises BadInputError if none does."""
        mean = self.attributes["measured"]["mean_rgb"]
        if mean is None:
            raise BadInputError(f"{self.path}: expected crops that train, to take their mean colour, found none")
        return np.asarray(mean)

    def positions(self, split: str) -> NDArray[np.int64]:
        """Positions of the crops of "train", "validation" or "test"; raises ChoiceError if there is no such split."""
        if split not in DEALT:
            raise ChoiceError(f"split {split!r}: expected one of {', '.join(DEALT)}")
        return np.flatnonzero(self["split"] == SPLITS[split])

    def centred(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, 256, 256, 3) crops less the mean colour of those that train."""
        return self.frames("crop", positions) - self.mean_rgb.astype(np.float32)

    def heatmaps(self, positions: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, 17, 64, 64): see `posedata.crops.heatmaps.render`; zeros where a keypoint is not labelled."""
        points, visibility = (self.frames(name, positions) for name in ("points", "visibility"))
        return render(points, visibility, self.recipe.sigma_visible, self.recipe.sigma_occluded)


def open_crops(path: Path | str) -> CropStore:
    """Open a store of crops after proving that it is complete, see `posedata.store.opened.open_any`.

    Args:
        path: the store.

    Raises:
        BadInputError: if there is nothing at `path`, or a store of another kind.
        ConflictError: if it is being replaced at this moment.
        IntegrityError: if it is no complete store.
    """
    return open_kind(CropStore, KIND, path)
