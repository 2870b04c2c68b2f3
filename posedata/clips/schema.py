"""What a store of video clips holds; `docs/store-format.md` is its prose.

A frame is one frame of a clip. Those of a clip stand side by side and in order, and every clip has all of them, so clip
i is the frames from 8 i on.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from posedata.clips.joints import JOINTS
from posedata.store.schema import ArraySpec

FORMAT_VERSION = 1
KIND = "video-clips"

CLIP_FRAMES = 8
"""Frames in a clip."""

SIDE = 224
"""Pixels along either side of a frame."""

DEALT = ("train", "validation")
"""The splits of clips."""

_SIZES = {"joint": len(JOINTS), "xyz": 3, "row": SIDE, "column": SIDE, "channel": 3}

_array = partial(ArraySpec, sizes=_SIZES)

TABLE = (_array("joint", ("joint",), "string", ""),)
"""Arrays that do not run along frames."""

FRAMES = (
    _array("image", ("frame", "row", "column", "channel"), "uint8", 0),
    _array("joints", ("frame", "joint", "xyz"), "float32", float("nan")),
    _array("clip", ("frame",), "int32", -1),
    _array("position", ("frame",), "uint8", 254),
    _array("split", ("frame",), "uint8", 254),
)
"""The arrays along frames."""


def described(attributes: Mapping[str, Any]) -> tuple[tuple[ArraySpec, ...], dict[str, int]]:
    """Arrays and their lengths, as the attributes of a store's root have them; raises KeyError or TypeError."""
    return (*TABLE, *FRAMES), {"frame": CLIP_FRAMES * attributes["counts"]["clips"], "joint": len(JOINTS)}


def least_bytes(frames: int) -> int:
    """What a store of so many frames of real films takes up at the very least; 100 kB a frame is usual."""
    return 20_000 * frames
