"""The table of datasets of which crops are built."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CropFormat:
    """A dataset of photographs with keypoints.

    Attributes:
        name: as in `--dataset`.
        licence: who may use the data.
        source: where its authors publish it, and what to put where.
    """

    name: str
    licence: str
    source: str


CROPS: Mapping[str, CropFormat] = {
    "coco": CropFormat(
        "coco",
        "annotations CC BY 4.0 (COCO Consortium); each photograph under the licence its owner gave it on Flickr",
        "get train2017.zip, val2017.zip and annotations_trainval2017.zip from https://cocodataset.org and put "
        "train2017/, val2017/ and annotations/ there",
    )
}
"""Name -> format. Other names are those of `posedata.formats.FORMATS`."""
