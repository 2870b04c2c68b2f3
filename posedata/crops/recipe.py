"""What is asked for when crops are built."""

import hashlib
from typing import Annotated

from pydantic import Field

from posedata.config import Frozen, canonical_json

CropSigma = Annotated[float, Field(gt=0, le=32, allow_inf_nan=False)]


class CropRecipe(Frozen):
    """All that determines the content of a store of crops, besides the raw files.

    Attributes:
        dataset: one of `posedata.crops.formats.CROPS`.
        sigma_visible: cells: the smear of a keypoint that is seen (seed 001, section 4.2.3; section 8.2 has the two the
            other way round).
        sigma_occluded: cells: that of one that is labelled but hidden.
        seed: of the images that test.
    """

    dataset: str
    sigma_visible: CropSigma = 0.5
    sigma_occluded: CropSigma = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @property
    def store_name(self) -> str:
        """The default name, with a hash where the recipe is not the usual one."""
        usual = self == CropRecipe(dataset=self.dataset)
        rest = "" if usual else f"-{hashlib.sha256(canonical_json(self.model_dump())).hexdigest()[:8]}"
        return f"{self.dataset}-crops{rest}.zarr"
