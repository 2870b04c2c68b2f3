"""What a store of image crops holds; `docs/store-format.md` is its prose.

A frame is one crop. Images stand in a table of their own, for one may show several people.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from posedata.crops.geometry import CROP
from posedata.skeleton import COCO_NAMES
from posedata.store.schema import ArraySpec

FORMAT_VERSION = 1
KIND = "image-crops"

DEALT = ("train", "validation", "test")
"""The splits of crops."""

_NAN = float("nan")

_SIZES = {"joint": len(COCO_NAMES), "row": CROP, "column": CROP, "channel": 3, "xy": 2, "corner": 4}

_array = partial(ArraySpec, sizes=_SIZES)

TABLE = (
    _array("joint", ("joint",), "string", ""),
    _array("image_id", ("image",), "int64", -1),
    _array("image_name", ("image",), "string", ""),
    _array("image_set", ("image",), "string", ""),
    _array("image_width", ("image",), "int32", -1),
    _array("image_height", ("image",), "int32", -1),
)
"""Arrays that do not run along frames."""

FRAMES = (
    _array("crop", ("frame", "row", "column", "channel"), "uint8", 0),
    _array("points", ("frame", "joint", "xy"), "float32", _NAN),
    _array("visibility", ("frame", "joint"), "uint8", 254),
    _array("box", ("frame", "corner"), "float32", _NAN),
    _array("annotation_id", ("frame",), "int64", -1),
    _array("image", ("frame",), "int32", -1),
    _array("split", ("frame",), "uint8", 254),
)
"""The arrays along frames."""


def described(attributes: Mapping[str, Any]) -> tuple[tuple[ArraySpec, ...], dict[str, int]]:
    """Arrays and their lengths, as the attributes of a store's root have them; raises KeyError or TypeError."""
    counts = attributes["counts"]
    return (*TABLE, *FRAMES), {"frame": counts["frames"], "image": counts["images"], "joint": len(COCO_NAMES)}


def least_bytes(frames: int) -> int:
    """What a store of so many crops of photographs takes up at the very least; 120 kB a crop is usual."""
    return 30_000 * frames
