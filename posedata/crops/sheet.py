"""A sheet of crops with the skeletons of their people: a PNG to look a store over."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posedata.crops.geometry import CROP, GRID
from posedata.crops.heatmaps import VISIBLE
from posedata.crops.joints import LIMBS
from posedata.crops.store import CropStore, open_crops
from posedata.preview.colours import INK, SIDES, side
from posedata.preview.draw import Picture, bordered, disc, grid, line, stroke, subpixels, titled
from posedata.skeleton import COCO_NAMES
from posedata.splits import SPLIT_NAMES

_COLUMNS = 4


def draw_sheet(path: Path, count: int, seed: int) -> tuple[Picture, int]:
    """Some people of a store of crops, from all over it and in its order; see `posedata.shown.Sheet`."""
    store = open_crops(path)
    rng = np.random.default_rng(seed)
    positions = np.sort(rng.choice(len(store), min(count, len(store)), replace=False)).astype(np.int64)
    return _sheet(store, positions), len(positions)


def _sheet(store: CropStore, positions: NDArray[np.int64]) -> Picture:
    crops, points, visibility, keys, split = (
        store.frames(name, positions) for name in ("crop", "points", "visibility", "annotation_id", "split")
    )
    words = [
        line(CROP, (f"annotation {key}", INK), right=SPLIT_NAMES[number])
        for key, number in zip(keys.tolist(), split.tolist(), strict=True)
    ]
    figures = map(figure, crops, points, visibility)
    tiles = [bordered(np.concatenate(pair)) for pair in zip(figures, words, strict=True)]
    synthetic = "SYNTHETIC data, " if store.attributes["synthetic"] else ""
    return titled(
        grid(tiles, min(_COLUMNS, len(tiles))),
        f"{store.path.name}: {synthetic}{len(store):,} crops",
        "dots: seen; rings: hidden",
    )


def figure(crop: Picture, points: NDArray[np.floating], visibility: NDArray[np.uint8]) -> Picture:
    """A crop with a skeleton on it: a dot where a keypoint is seen, a ring where it is hidden.

    Args:
        crop: (256, 256, 3) RGB.
        points: (17, 2) on the grid, NaN = not labelled.
        visibility: (17,) 0, 1 or 2.
    """
    drawn, places = crop.copy(), subpixels(points * (CROP / GRID))
    for a, b in LIMBS:
        if visibility[a] and visibility[b]:
            stroke(drawn, places[a], places[b], SIDES[side(COCO_NAMES[a], COCO_NAMES[b])], 1)
    for k in np.flatnonzero(visibility).tolist():
        disc(drawn, places[k], 3, SIDES[side(COCO_NAMES[k])], filled=bool(visibility[k] == VISIBLE))
    return drawn
