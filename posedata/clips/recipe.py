"""What is asked for when clips are built: nothing but the dataset, for nothing is drawn, cut or dealt out."""

from typing import ClassVar

from posedata.family import FamilyRecipe


class ClipRecipe(FamilyRecipe):
    """All that determines the content of a store of clips, besides the raw files.

    Attributes:
        dataset: one of `posedata.clips.family.CLIPS`.
    """

    unit: ClassVar[str] = "clips"
