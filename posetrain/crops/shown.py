"""How a report shows detectors: crops with their labels, beside them what was predicted."""

import numpy as np
from numpy.typing import NDArray

from posedata.crops.store import CropStore
from posedata.preview.colours import INK
from posedata.preview.draw import Picture, bordered, line
from posetrain.crops.scores import correct, distances
from posetrain.crops.scoring import CROP_JUDGE
from posetrain.explain.pictures import figures, labelled
from posetrain.report.showing import Shown

_SIDE = 192
"""Pixels of a crop's side."""


def draw(store: CropStore, positions: NDArray[np.int64], found: NDArray[np.floating]) -> list[Picture]:
    """Crops with their labels and, to the right, with (n, 17, 2) grid positions that were predicted."""
    points = store.frames("points", positions)
    labels = store.frames("visibility", positions) > 0
    right, off = (correct(found, points) & labels).sum(axis=1), distances(found, points)
    tiles = []
    pairs = zip(labelled(store, positions, _SIDE), figures(store, positions, found, _SIDE), strict=True)
    for number, pair in enumerate(pairs):
        there = labels[number]
        words = f"labels; predicted: {right[number]} of {there.sum()} right, {off[number][there].mean():.1f} cells off"
        tiles.append(bordered(np.concatenate([np.concatenate(pair, axis=1), line(2 * _SIDE, (words, INK))])))
    return tiles


CROPS_SHOWN = Shown(
    CROP_JUDGE,
    "PCK@0.5 is the percentage of labelled keypoints that are right: predicted less than half of a tenth of the grid, "
    "3.2 of its 64 cells, from the labelled cell. Visible ones can be seen, occluded ones are labelled though hidden.",
    "Crops with their labels on the left, and on the right with what was predicted of the same keypoints. A dot is a "
    "visible keypoint, a ring an occluded one. They are picked by how many cells off a prediction is on average.",
    draw,
    each=6,
    columns=3,
)
