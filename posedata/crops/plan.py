"""Between the two passes over crops: splits, the mean colour, and the attributes of the store."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.crops import schema
from posedata.crops.family import CROPS
from posedata.crops.gather import Figure, Found, Picture
from posedata.crops.geometry import CROP, EXPANSION, GRID
from posedata.crops.heatmaps import OCCLUDED, VISIBLE
from posedata.crops.joints import LIMBS, PAIRS
from posedata.crops.recipe import CropRecipe
from posedata.skeleton import COCO_NAMES
from posedata.splits import SPLITS, TEST, TRAIN, VALIDATION, Splits

TEST_SHARE = 5_064 / (124_040 + 5_064)
"""Of the training set's crops, those that test (seed 001, table 1)."""


@dataclass(frozen=True, eq=False)
class CropPlan:
    """What the first pass decided for the second; N figures.

    Attributes:
        found: what the first pass found.
        frames: the picture, by its number, and the figure of each crop.
        split: (N,) split numbers.
        attributes: of the store's root.
        warnings: what a careful person should know.
    """

    found: Found
    frames: tuple[tuple[int, Figure], ...]
    split: Splits
    attributes: dict[str, Any]
    warnings: tuple[str, ...]


def make_plan(recipe: CropRecipe, found: Found) -> CropPlan:
    """Deal the splits, measure the training set, and describe the store."""
    by_picture = split_pictures(found.pictures, recipe)
    frames = tuple((number, figure) for number, picture in enumerate(found.pictures) for figure in picture.figures)
    split = np.asarray([by_picture[number] for number, _ in frames], np.uint8)
    colours = [figure.colours for (_, figure), number in zip(frames, split, strict=True) if number == TRAIN]
    counts = _counts(found, frames, split)
    warnings = [f"no {name} crops" for name, number in counts["splits"].items() if not number]
    attributes = {
        "format_version": schema.FORMAT_VERSION,
        "kind": schema.KIND,
        "rendered": [],
        "synthetic": found.synthetic,
        "samples": {recipe.dataset: found.sample} if found.synthetic else {},
        "skeleton": {"keypoints": COCO_NAMES, "pairs": PAIRS, "limbs": LIMBS},
        "rendering": {
            "amplitude": 1.0,
            "filter": "scipy.ndimage.gaussian_filter(impulse, sigma, mode='reflect', truncate=4.0)",
            "grid": GRID,
            "cell_position": "centre: i + 0.5",
            "box": f"longer side of the annotated box times {EXPANSION}, about the middle of the outermost keypoints, "
            "shrunk to the image and moved into it, whole pixels",
            "crop": f"{CROP} pixels; cv2.INTER_AREA where it shrinks, else cv2.INTER_LINEAR; RGB, nothing subtracted",
        },
        "recipe": recipe.model_dump(mode="json"),
        "measured": {"mean_rgb": mean_rgb(colours)},
        "counts": counts,
        "licences": {recipe.dataset: CROPS.datasets[recipe.dataset].licence},
        "readers": {recipe.dataset: _decoder()},
    }
    return CropPlan(found, frames, split, attributes, tuple(warnings))


def split_pictures(pictures: Sequence[Picture], recipe: CropRecipe) -> list[int]:
    """A split number for each picture: all people of one stay together.

    COCO's val validates. The others come in the order of sha256(seed, dataset, set and name), and test until they hold
    `TEST_SHARE` of the training set's crops, rounded; the rest trains.
    """
    training = [number for number, picture in enumerate(pictures) if not picture.of.validates]
    wanted = round(TEST_SHARE * sum(len(pictures[number].figures) for number in training))
    chosen = [VALIDATION if picture.of.validates else TRAIN for picture in pictures]
    for number in sorted(training, key=lambda number: _rank(pictures[number], recipe)):
        if wanted <= 0:
            break
        chosen[number] = TEST
        wanted -= len(pictures[number].figures)
    return chosen


def _rank(picture: Picture, recipe: CropRecipe) -> bytes:
    name = f"{picture.of.name}/{picture.image.name}"
    return hashlib.sha256(f"{recipe.seed}\n{recipe.dataset}\n{name}".encode()).digest()


def mean_rgb(colours: Sequence[NDArray[np.int64]]) -> list[float] | None:
    """The mean R, G and B of crops, 0 to 255, from the sums of each, which are exact; None of no crops."""
    if not colours:
        return None
    pixels = len(colours) * CROP * CROP
    return [int(total) / pixels for total in np.stack(colours).sum(axis=0)]


def _counts(found: Found, frames: Sequence[tuple[int, Figure]], split: Splits) -> dict[str, Any]:
    visibility = np.asarray([figure.visibility for _, figure in frames])
    return {
        "frames": len(frames),
        "images": len(found.pictures),
        "visible_keypoints": int((visibility == VISIBLE).sum()),
        "occluded_keypoints": int((visibility == OCCLUDED).sum()),
        "keypoints_outside": found.outside,
        "splits": {name: int((split == SPLITS[name]).sum()) for name in schema.DEALT},
        "left_out": dict(sorted(found.left_out.items())),
    }


def _decoder() -> str:
    import cv2

    return f"opencv {cv2.__version__}"
