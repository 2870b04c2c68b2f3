"""What a store of image crops holds; `docs/store-format.md` is its prose.

A frame is one crop. Images stand in a table of their own, for one may show several people.
"""

from collections.abc import Mapping
from typing import Any

from posedata.skeleton import COCO_NAMES
from posedata.store.schema import ArraySpec

FORMAT_VERSION = 1
KIND = "image-crops"

DEALT = ("train", "validation", "test")
"""The splits of crops."""

_NAN = float("nan")

TABLE = (
    ArraySpec("joint", ("joint",), "string", ""),
    ArraySpec("image_id", ("image",), "int64", -1),
    ArraySpec("image_name", ("image",), "string", ""),
    ArraySpec("image_set", ("image",), "string", ""),
    ArraySpec("image_width", ("image",), "int32", -1),
    ArraySpec("image_height", ("image",), "int32", -1),
)
"""Arrays that do not run along frames."""

FRAMES = (
    ArraySpec("crop", ("frame", "row", "column", "channel"), "uint8", 0),
    ArraySpec("points", ("frame", "joint", "xy"), "float32", _NAN),
    ArraySpec("visibility", ("frame", "joint"), "uint8", 254),
    ArraySpec("box", ("frame", "corner"), "float32", _NAN),
    ArraySpec("annotation_id", ("frame",), "int64", -1),
    ArraySpec("image", ("frame",), "int32", -1),
    ArraySpec("split", ("frame",), "uint8", 254),
)
"""The arrays along frames."""


def described(attributes: Mapping[str, Any]) -> tuple[tuple[ArraySpec, ...], dict[str, int]]:
    """Arrays and their lengths, as the attributes of a store's root have them; raises KeyError or TypeError."""
    counts = attributes["counts"]
    return (*TABLE, *FRAMES), {"frame": counts["frames"], "image": counts["images"], "joint": len(COCO_NAMES)}


def least_bytes(frames: int) -> int:
    """What a store of so many crops of photographs takes up at the very least; 120 kB a crop is usual."""
    return 30_000 * frames
