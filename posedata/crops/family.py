"""The datasets of which crops are built."""

from pathlib import Path
from typing import Any

from posedata.crops.recipe import CropRecipe
from posedata.crops.schema import KIND
from posedata.family import Family, Published

COCO = Published(
    "coco",
    "annotations CC BY 4.0 (COCO Consortium); each photograph under the licence its owner gave it on Flickr",
    "get train2017.zip, val2017.zip and annotations_trainval2017.zip from https://cocodataset.org and put "
    "train2017/, val2017/ and annotations/ there",
)


def _build(recipe: CropRecipe, raw: Path, out: Path, **how: Any) -> dict[str, Any]:
    from posedata.crops.build import build_crops

    return build_crops(recipe, raw, out, **how)


CROPS = Family(KIND, "image crops", {COCO.name: COCO}, CropRecipe, _build)
