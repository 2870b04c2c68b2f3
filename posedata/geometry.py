"""Boxes and grid coordinates. Pure functions over arrays; nothing is changed in place.

Letters: T frames, K = 25 keypoints. Pixels are 0-based floats of the source image, the grid is [0, 56) on
both axes, coordinates are (x, y), NaN means missing. Source: seed 000, section 1.2.1.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expm1

from posedata.skeleton import TORSO_SIDES

GRID = 56
"""Cells along either side of a heatmap."""

PADDING = 0.1
"""Each side of a tight box moves outwards by this share of the box's extent along that axis."""

MIN_EXTENT = 1e-6
"""Pixels. Points closer than this on both axes are one point: a box around them would drown in rounding."""

Floats = NDArray[np.float64]


def square_boxes(points: Floats, padding: float = PADDING) -> Floats:
    """The padded square around the annotated keypoints of every frame.

    The tight box is padded by `padding` of its extent on each side, then the shorter axis is extended about
    its centre to the longer one.

    Args:
        points: (T, K, 2) pixels, NaN = not annotated.
        padding: share of the extent added on each side.

    Returns:
        (T, 4) pixels, x0 y0 x1 y1. NaN where a frame has fewer than two distinct annotated points: such a
        frame is empty.
    """
    annotated = ~np.isnan(points)
    low = np.min(points, axis=1, initial=np.inf, where=annotated)
    high = np.max(points, axis=1, initial=-np.inf, where=annotated)
    empty = ~((high - low).max(axis=1) >= MIN_EXTENT)
    low, high = (np.where(empty[:, None], np.nan, side) for side in (low, high))
    margin = padding * (high - low)
    low, high = low - margin, high + margin
    extent = high - low
    missing = (extent.max(axis=1, keepdims=True) - extent) / 2
    return np.concatenate([low - missing, high + missing], axis=1)


def shared_boxes(points: Floats, shot: NDArray[np.int64]) -> Floats:
    """One box for all frames of a shot, as `square_boxes` puts it around all of their keypoints.

    Args:
        points: (T, K, 2) pixels, NaN = not annotated; none in frames that are to have no box.
        shot: (T,) in rising order.

    Returns:
        (T, 4) pixels; NaN where a frame has no keypoints.
    """
    _, number = np.unique(shot, return_inverse=True)
    ends = np.flatnonzero(np.diff(number)) + 1
    of_shot = [square_boxes(part.reshape(1, -1, 2))[0] for part in np.split(points, ends)]
    empty = np.asarray(np.isnan(points).all(axis=(1, 2)))[:, None]
    return np.where(empty, np.nan, np.asarray(of_shot)[number])


def jitter_boxes(boxes: Floats, errors: Floats, share: float) -> Floats:
    """The boxes moved and scaled, as those of a detector are, which does not know the keypoints.

    A box of side s moves by share * e_x * s and share * e_y * s, and its side becomes s * exp(share * e_s) about its
    centre: log-normal, so that it stays positive and is as often too large as too small.

    Args:
        boxes: (T, 4) pixels, x0 y0 x1 y1; NaN = none, and stays so.
        errors: (T, 3) standard normal numbers e_x, e_y, e_s.
        share: of the side; 0 leaves the boxes as they are, to the bit.
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    side = high - low
    move = share * errors[:, :2] * side
    # scipy's: numpy's own differs in the last bit from one kind of processor to the next.
    grow = expm1(share * errors[:, 2:]) / 2 * side
    return np.concatenate([low + move - grow, high + move + grow], axis=1)


def drop_unboxed(points: Floats, boxes: Floats) -> Floats:
    """The points with every keypoint of a frame without a box (NaN) made missing; (T, K, 2)."""
    return np.where(np.isnan(boxes[:, None, :1]), np.nan, points)


def clamp_to_boxes(points: Floats, boxes: Floats) -> Floats:
    """The points with those outside their frame's box moved to its nearest border point; (T, K, 2) pixels."""
    return np.clip(points, boxes[:, None, :2], boxes[:, None, 2:])


def count_outside(points: Floats, boxes: Floats) -> int:
    """How many of (T, K, 2) points of boxed frames lie outside their box; its border is inside."""
    return int(((points < boxes[:, None, :2]) | (points > boxes[:, None, 2:])).any(axis=-1).sum())


def to_grid(points: Floats, boxes: Floats) -> Floats:
    """Pixels to grid positions: u = (p - corner) * 56 / side.

    Args:
        points: (T, K, 2) pixels.
        boxes: (T, 4) pixels, x0 y0 x1 y1; need not be square.

    Returns:
        (T, K, 2) grid positions; NaN where the point or the box is missing.
    """
    corner, side = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
    return (points - corner) * GRID / side


def to_pixels(grid: Floats, boxes: Floats) -> Floats:
    """Grid positions back to pixels: the inverse of `to_grid`, same shapes."""
    corner, side = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
    return corner + grid * side / GRID


def to_cells(grid: Floats) -> NDArray[np.int8]:
    """The cell that holds a grid position: floor, clipped to 0..55; -1 = missing.

    Args:
        grid: (..., 2) grid positions, NaN = missing.

    Returns:
        (..., 2) int8, x y.
    """
    missing = np.isnan(grid)
    cells = np.clip(np.floor(np.where(missing, 0.0, grid)), 0, GRID - 1)
    return np.where(missing, -1, cells).astype(np.int8)


def cell_centres(cells: NDArray[np.int8]) -> Floats:
    """The grid positions of cells' centres, i + 0.5, in the shape of `cells`; NaN where a cell is missing, -1."""
    return np.where(cells < 0, np.nan, cells + 0.5)


def lengths(vectors: Floats) -> Floats:
    """Those of (..., 2) vectors, in the shape of all but the last axis; NaN where a component is."""
    # `numpy.linalg.norm` is thirteen times as slow over so short an axis.
    return np.sqrt(vectors[..., 0] ** 2 + vectors[..., 1] ** 2)


def torso_diameters(points: Floats) -> Floats:
    """Mean shoulder-to-hip distance over the sides whose shoulder and hip are both annotated.

    Args:
        points: (T, K, 2) in any unit, NaN = missing.

    Returns:
        (T,) in the unit of `points`; NaN where neither side is complete.
    """
    sides = np.stack(
        [lengths(points[:, shoulder] - points[:, hip]) for shoulder, hip in TORSO_SIDES],
        axis=-1,
    )
    return mean_present(sides)


def mean_present(values: Floats) -> Floats:
    """Mean over the last axis of what is not NaN; NaN where nothing is."""
    present = ~np.isnan(values)
    count = present.sum(axis=-1)
    return np.where(count > 0, np.where(present, values, 0.0).sum(axis=-1) / np.maximum(count, 1), np.nan)
