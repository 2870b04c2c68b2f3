"""Pictures of samples: crops with skeletons, side by side. Arrays in, pictures out, (h, w, 3) uint8 RGB."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from posedata.crops.sheet import figure
from posedata.crops.store import CropStore
from posedata.figures import COLOURS
from posedata.preview.colours import INK, PAPER
from posedata.preview.draw import GAP, Picture, bordered, grid, line

SHOWN = 160
"""Pixels of a crop's side, where there are many."""

_COLUMNS = 2
_MAP, _THUMB = 12, 64
"""Places of a map along either side, and their pixels."""

_FRAMES = [tuple(bytes.fromhex(colour[1:])) for colour in COLOURS]


def labelled(store: CropStore, positions: NDArray[np.int64], side: int = SHOWN) -> list[Picture]:
    """Crops with the keypoints of their labels, of so many pixels."""
    return figures(store, positions, store.frames("points", positions), side)


def figures(
    store: CropStore, positions: NDArray[np.int64], points: NDArray[np.floating], side: int = SHOWN
) -> list[Picture]:
    """Crops with (N, 17, 2) keypoints, of labels or of a model: those that are labelled, in the signs of the labels."""
    crops, visibility = (store.frames(name, positions) for name in ("crop", "visibility"))
    large = [figure(*one) for one in zip(crops, points, visibility, strict=True)]
    return [np.asarray(cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA), np.uint8) for one in large]


def compared(panels: Mapping[str, Sequence[Picture]]) -> Picture:
    """Samples two by two, each with its panels side by side.

    Args:
        panels: what a panel shows -> one picture a sample.
    """
    above = np.concatenate([line(SHOWN + 2 * GAP, (name, INK)) for name in panels], axis=1)
    samples = zip(*panels.values(), strict=True)
    rows = [np.concatenate([bordered(panel) for panel in sample], axis=1) for sample in samples]
    columns = min(_COLUMNS, len(rows))
    return np.concatenate([np.concatenate([above] * columns, axis=1), grid(rows, columns)])


def walks(rows: Mapping[str, Sequence[Picture]], stops: Sequence[str]) -> Picture:
    """A row of pictures a walk, its name above it; above all, where they stop."""
    width = SHOWN + 2 * GAP
    above = np.concatenate([line(width, (stop, INK)) for stop in stops], axis=1)
    parts = [above]
    for name, pictures in rows.items():
        parts += [line(width * len(stops), (name, INK)), np.concatenate([bordered(one) for one in pictures], axis=1)]
    return np.concatenate(parts)


def side_by_side(pictures: Mapping[str, Picture]) -> Picture:
    """Pictures of one size in a row, each with its name."""
    named = [np.concatenate([one, line(one.shape[1], (name, INK))]) for name, one in pictures.items()]
    return np.concatenate([bordered(one) for one in named], axis=1)


def spread(plane: NDArray[np.floating]) -> NDArray[np.int64]:
    """(12, 12) samples all over a plane, the upper ones first: of those in each place the one nearest its middle.

    Args:
        plane: (N, 2) where samples lie, the first to the right, the second upwards.

    Returns:
        Numbers of samples; -1 where there is none.
    """
    low, high = plane.min(axis=0), plane.max(axis=0)
    places = (plane - low) / np.maximum(high - low, 1e-9) * _MAP
    cells = np.minimum(places.astype(int), _MAP - 1)
    farthest_first = np.argsort(-np.abs(places - cells - 0.5).max(axis=1), kind="stable")
    found = np.full((_MAP, _MAP), -1, np.int64)
    for sample in farthest_first:
        column, row = cells[sample]
        found[_MAP - 1 - row, column] = sample
    return found


def plane_of(
    store: CropStore, positions: NDArray[np.int64], chosen: NDArray[np.int64], groups: NDArray[np.int64]
) -> Picture:
    """Samples all over a plane, framed in the colours of their groups (figures 16, 18 and 20 of seed 001).

    Args:
        store: where they are from.
        positions: (N,) in the store.
        chosen: (rows, columns) samples, see `spread`.
        groups: (N,) of each sample, from 0.
    """
    present = chosen[chosen >= 0]
    shown = dict(zip(present.tolist(), labelled(store, positions[present], _THUMB), strict=True))
    tiles = []
    for sample in chosen.ravel().tolist():
        tile = np.full((_THUMB + 6, _THUMB + 6, 3), PAPER, np.uint8)
        if sample >= 0:
            tile[:] = _FRAMES[int(groups[sample]) % len(_FRAMES)]
            tile[3:-3, 3:-3] = shown[sample]
        tiles.append(tile)
    return grid(tiles, chosen.shape[1])
