"""Boxes for keypoints that come without one."""

import numpy as np
from numpy.typing import NDArray

from posedata.geometry import GRID, square_boxes
from posetrain.filters import gaussian

STEADY = 3.0
"""Frames: standard deviation of the Gaussian that steadies boxes."""

Floats = NDArray[np.float64]


def steady_boxes(points: Floats, frame_number: NDArray[np.int64], runs: list[slice]) -> Floats:
    """The padded square around the keypoints of every frame, smoothed over time.

    Models are trained in the boxes of true keypoints, which move as smoothly as people do. The box of noisy keypoints
    hangs on the few that lie furthest out, so it jumps with their noise; what a model says is undone by the same box,
    so the jumps would come back on all keypoints, whatever the model. A box that holds a whole sequence does not jump,
    but shows the person smaller than any the model has seen. Corners smoothed by a Gaussian are in between: on labels
    of Penn Action with noise they lie nearer to the true boxes than either, and jump a thirtieth as much as unsmoothed.

    A frame without a box takes one from its neighbours in time, across a gap, too. What steadies it are the frames of
    its own run alone.

    Args:
        points: (T, 25, 2) pixels, NaN = missing.
        frame_number: (T,).
        runs: frames without a gap between them, in order.

    Returns:
        (T, 4) pixels, x0 y0 x1 y1, square; NaN if no frame has two distinct keypoints.
    """
    boxes = square_boxes(points)
    known = ~np.isnan(boxes[:, 0])
    if not known.any():
        return boxes
    filled = np.stack([np.interp(frame_number, frame_number[known], side[known]) for side in boxes.T], axis=-1)
    # As the two corners of each frame, for the filter takes points.
    steady = [gaussian(filled[run].reshape(-1, 2, 2), STEADY).reshape(-1, 4) for run in runs]
    return np.concatenate(steady)


def unit_boxes(points: Floats) -> Floats:
    """(T, 4): the same box for all frames, a pixel a cell, around the mean of the keypoints.

    For somebody who never shows two keypoints: nothing can be refined in it, but it can be undone.
    """
    present = ~np.isnan(points)
    count = present.sum(axis=(0, 1))
    middle = np.where(present, points, 0.0).sum(axis=(0, 1)) / np.maximum(count, 1)
    return np.tile(np.concatenate([middle - GRID / 2, middle + GRID / 2]), (len(points), 1))
