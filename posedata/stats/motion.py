"""What moves between one frame and the next, and what in it is odd. Pure functions over arrays.

Letters: n frames in a row, n - 1 steps between them, K = 25 keypoints. Steps that are none (another sequence, a gap, a
cut) are left out by the caller, see `consecutive`.
"""

import numpy as np
from numpy.typing import NDArray

from posedata import geometry
from posedata.skeleton import PAIRS

JUMP = 1.0
"""Torso diameters: a keypoint that moves further in one frame jumps."""

SWAP_MOTION = 0.5
"""Torso diameters that a pair moves, both keypoints together, before it can be a swap."""

SWAP_SHARE = 0.25
"""What is left of a pair's motion when left and right are exchanged, at most, for a suspected swap."""

BOX_JUMP = 2.0
"""A box whose longer side grows or shrinks by more than this factor in one frame jumps."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LEFT, _RIGHT = (list(side) for side in zip(*PAIRS, strict=True))


def consecutive(sequence: NDArray[np.integer], number: NDArray[np.integer], shot: NDArray[np.integer]) -> Bools:
    """(n - 1,) whether a step leads to the next frame of the same sequence, in the same shot; all given as (n,)."""
    after = number[1:].astype(np.int64) - number[:-1] == 1
    return np.asarray((sequence[1:] == sequence[:-1]) & (shot[1:] == shot[:-1]) & after)


def speeds(points: Floats) -> Floats:
    """(n, K, 2) positions to (n - 1, K) distances a step; NaN where a keypoint is missing at either end."""
    return np.asarray(np.linalg.norm(np.diff(points, axis=0), axis=-1))


def step_torsos(pixels: Floats, boxes: Floats, mean_torso: float) -> Floats:
    """The torso diameter that a step's motion is measured in: the larger of its two frames'.

    One below half of the mean is taken as half of it: seen from above a torso is short, and no measure of motion.

    Args:
        pixels: (n, K, 2), NaN = missing.
        boxes: (n, 4) pixels.
        mean_torso: of the store, grid px.

    Returns:
        (n - 1,) pixels; NaN where neither frame has a torso.
    """
    torso = geometry.torso_diameters(pixels)
    usual = mean_torso / geometry.GRID * longer_sides(boxes)
    return np.maximum(np.fmax(torso[1:], torso[:-1]), 0.5 * np.fmax(usual[1:], usual[:-1]))


def jumps(pixels: Floats, torso: Floats) -> Bools:
    """(n - 1, K) whether a keypoint moves by more than `JUMP` torso diameters in the image."""
    return np.asarray(speeds(pixels) > JUMP * torso[:, None])


def swaps(pixels: Floats, torso: Floats) -> Bools:
    """(n - 1, pairs) whether left and right seem to change places.

    The two move by more than `SWAP_MOTION` torso diameters together, and with their names exchanged in the second frame
    by less than `SWAP_SHARE` of that.
    """
    left, right = pixels[:, _LEFT], pixels[:, _RIGHT]
    kept = _distance(left[:-1], left[1:]) + _distance(right[:-1], right[1:])
    exchanged = _distance(left[:-1], right[1:]) + _distance(right[:-1], left[1:])
    return np.asarray((kept > SWAP_MOTION * torso[:, None]) & (exchanged < SWAP_SHARE * kept))


def still(points: Floats, boxes: Floats) -> Bools:
    """(n - 1,) whether a step changes nothing at all: neither a position nor the box, and a keypoint is there."""
    same = (points[1:] == points[:-1]) | (np.isnan(points[1:]) & np.isnan(points[:-1]))
    there = ~np.isnan(points[1:, :, 0]).all(axis=1)
    return np.asarray(same.all(axis=(1, 2)) & (boxes[1:] == boxes[:-1]).all(axis=1) & there)


def runs(flags: Bools, least: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where runs of at least `least` true flags begin, and how long they are."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    begin, length = edges[::2], edges[1::2] - edges[::2]
    return begin[length >= least], length[length >= least]


def longer_sides(boxes: Floats) -> Floats:
    """(n, 4) boxes to the (n,) longer of their sides."""
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).max(axis=1))


def box_jumps(boxes: Floats) -> Bools:
    """(n - 1,) whether the box grows or shrinks by more than the factor `BOX_JUMP`."""
    side = longer_sides(boxes)
    return np.asarray(np.fmax(side[1:], side[:-1]) > BOX_JUMP * np.fmin(side[1:], side[:-1]))


def _distance(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.linalg.norm(a - b, axis=-1))
