"""People over time: boxes of single frames linked to tracks, and small gaps of a track filled. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from posedata.crops.geometry import Square, crop_square
from posedata.linking import link
from posetrain.detect.boxes import Boxes, Floats

BRIDGE = 10
"""Frames: a longer gap ends a track that is linked, and is not filled in one that is given. A third of a second."""

OVERLAP = 0.3
"""Intersection over union that two boxes of one person have at least, from frame to frame."""

SHORTEST = 5
"""Boxes of a track that is kept; a shorter one fills no window, and is mostly a chance find."""


@dataclass(frozen=True, eq=False)
class Track:
    """One person.

    Attributes:
        person: the name, "" for one who has none.
        frames: (n,) int64 numbers of those with a box, rising.
        boxes: (n, 4) x, y, width, height in pixels.
        filled: how many of them lie between two that were given.
    """

    person: str
    frames: NDArray[np.int64]
    boxes: Floats
    filled: int


def filled(person: str, boxes: Mapping[int, Floats], frames: Collection[int]) -> Track:
    """A track whose gaps of at most `BRIDGE` frames are filled, each side of the box on a straight line.

    Args:
        person: whose it is.
        boxes: by frame, at least one.
        frames: numbers of those that there are: no other gets a box.
    """
    known = np.asarray(sorted(boxes), np.int64)
    between = {n for a, b in pairwise(known.tolist()) if b - a <= BRIDGE + 1 for n in range(a + 1, b)}
    added = between.intersection(frames)
    every = np.asarray(sorted([*known.tolist(), *added]), np.int64)
    sides = np.stack([boxes[n] for n in known.tolist()]).T
    return Track(person, every, np.stack([np.interp(every, known, side) for side in sides], axis=-1), len(added))


def linked(found: Iterable[tuple[int, Floats]]) -> tuple[list[Boxes], int]:
    """Boxes of single frames as people, linked by `OVERLAP` and over `BRIDGE`, see `posedata.linking.link`.

    Args:
        found: frame, rising, and its (n, 4) boxes, x, y, width, height.

    Returns:
        The tracks in the order in which they begin, but those of fewer than `SHORTEST` boxes; how many those were.
    """
    boxes = dict(found)
    tracks = link(((frame, _corners(seen)) for frame, seen in boxes.items()), _overlaps, OVERLAP, BRIDGE)
    kept = [{frame: boxes[frame][i] for frame, i in track.items()} for track in tracks if len(track) >= SHORTEST]
    return kept, len(tracks) - len(kept)


def _corners(boxes: Floats) -> Floats:
    """(n, 2, 2) of (n, 4) x, y, width, height."""
    return np.stack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def _overlaps(these: Floats, those: Floats, frames: Floats) -> Floats:
    """(m, n) intersection over union of (m, 2, 2) and (n, 2, 2) corners of boxes of some area."""
    del frames
    shared = _area(np.maximum(these[:, None, 0], those[None, :, 0]), np.minimum(these[:, None, 1], those[None, :, 1]))
    return np.asarray(shared / (_area(*these.swapaxes(0, 1))[:, None] + _area(*those.swapaxes(0, 1))[None] - shared))


def _area(low: Floats, high: Floats) -> Floats:
    """Of boxes by their (..., 2) corners; 0 where these lie the other way round."""
    return np.asarray(np.clip(high - low, 0, None).prod(axis=-1))


def square_of(box: Floats, size: tuple[int, int]) -> Square:
    """The square that is cut for a box, as `posedata build --dataset coco` cuts it; its middle is that of the box.

    Where people are annotated the middle is that of their keypoints, which nobody knows here. What reaches over the
    edge of the frame is cut off first, for no annotated box does.

    Args:
        box: (4,) x, y, width, height in pixels, its middle in the frame.
        size: (width, height) of the frame.
    """
    low, high = (np.clip(corner, 0, size) for corner in (box[:2], box[:2] + box[2:]))
    return crop_square(np.concatenate([low, high - low]), np.stack([low, high]), *size)
