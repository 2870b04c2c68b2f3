"""What a sequence is in its boxes: points, boxes as a recipe asks for them, and the heatmaps of a detector, checked."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from posedata import geometry
from posedata.config import Recipe
from posedata.errors import BadInputError
from posedata.geometry import GRID
from posedata.heatmaps import normalise_detected
from posedata.noise import standard_box_errors
from posedata.poses import PoseSequence
from posedata.skeleton import K

Floats = NDArray[np.float64]


def boxed(sequence: PoseSequence) -> tuple[Floats, Floats]:
    """Points (T, 25, 2) and boxes (T, 4) in pixels: around the keypoints, or the detector's as they are.

    A frame without a box has neither: NaN.
    """
    if sequence.detector is None:
        boxes = geometry.square_boxes(sequence.points)
        return geometry.drop_unboxed(sequence.points, boxes), boxes
    boxes = sequence.detector.boxes
    return geometry.clamp_to_boxes(geometry.drop_unboxed(sequence.points, boxes), boxes), boxes


def boxed_as_asked(sequence: PoseSequence, recipe: Recipe) -> tuple[Floats, Floats, int]:
    """Points (T, 25, 2) and boxes (T, 4) as `boxed` gives them, but with the span and jitter that a recipe asks for.

    The third is how many points a jittered box leaves outside: they are on its border now.
    """
    points, boxes = boxed(sequence)
    if recipe.box_span == "sequence":
        boxes = geometry.shared_boxes(points, sequence.shot)
    if not recipe.box_jitter:
        return points, boxes, 0
    errors = standard_box_errors(recipe.seed, sequence.key, range(len(boxes)))
    boxes = geometry.jitter_boxes(boxes, errors, recipe.box_jitter)
    return geometry.clamp_to_boxes(points, boxes), boxes, geometry.count_outside(points, boxes)


def blocks_of(sequence: PoseSequence) -> Iterator[NDArray[np.float32]]:
    """(n, 25, 56, 56) heatmaps of a sequence's detector, in frame order; none if it has no detector.

    Raises:
        BadInputError: if the reader gives another shape, or not as many as there are frames.
    """
    if sequence.detector is None:
        return
    name, frames = f"{sequence.key}: heatmaps", 0
    for block in sequence.detector.heatmaps():
        if block.shape[1:] != (K, GRID, GRID):
            raise BadInputError(f"{name}: expected blocks (n, {K}, {GRID}, {GRID}), found {block.shape}")
        frames += len(block)
        if frames > len(sequence):
            break
        yield block
    if frames != len(sequence):
        found = "more" if frames > len(sequence) else frames
        raise BadInputError(f"{name}: expected {len(sequence)} frames, found {found}")


def detected(sequence: PoseSequence, empty: NDArray[np.bool_]) -> Iterator[NDArray[np.float16]]:
    """(n, 25, 56, 56) heatmaps of a sequence's detector, normalised; those of an empty frame, without a box, are zero.

    Args:
        sequence: of which.
        empty: (T,) which frames are.

    Raises:
        BadInputError: as `blocks_of`.
    """
    start = 0
    for block in blocks_of(sequence):
        heatmaps = normalise_detected(block)
        heatmaps[empty[start : start + len(block)]] = 0
        start += len(block)
        yield heatmaps
