"""What is asked for when crops are built."""

from typing import Annotated, ClassVar

from pydantic import Field

from posedata.config import LEAST_SIGMA
from posedata.family import FamilyRecipe

CropSigma = Annotated[float, Field(ge=LEAST_SIGMA, le=32, allow_inf_nan=False)]


class CropRecipe(FamilyRecipe):
    """All that determines the content of a store of crops, besides the raw files.

    Attributes:
        dataset: one of `posedata.crops.family.CROPS`.
        sigma_visible: cells: the smear of a keypoint that is seen (seed 001, section 4.2.3; section 8.2 has the two the
            other way round).
        sigma_occluded: cells: that of one that is labelled but hidden.
        seed: of the images that test.
    """

    unit: ClassVar[str] = "crops"

    sigma_visible: CropSigma = 0.5
    sigma_occluded: CropSigma = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
