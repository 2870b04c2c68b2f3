"""Frames in which a detector missed somebody: a short gap is bridged, so that it does not end a run. Pure."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posetrain.predict.people import Floats

BRIDGE = 5
"""Frames of a gap at most, or the one that a detector missed. Over longer ones people do not move on straight lines."""


class Bridged(NamedTuple):
    """Somebody's frames without short gaps.

    Attributes:
        frame_number: (T,) int64, rising.
        points: (T, 25, 2) pixels, NaN = missing.
        confidence: (T, 25), NaN = not told.
        there: (T,) bool, whether the frame was there before.
    """

    frame_number: NDArray[np.int64]
    points: Floats
    confidence: Floats
    there: NDArray[np.bool_]


def bridged(frame_number: NDArray[np.int64], points: Floats, confidence: Floats, stride: int) -> Bridged:
    """Gaps of at most `BRIDGE` frames filled: each point on the straight line between those on both sides.

    A keypoint that is missing on a side is missing in the gap. A gap that is longer than what lies on either side, up
    to the next gap, stays: it would be refined by what was made up.

    Args:
        frame_number: (T,), rising.
        points: (T, 25, 2).
        confidence: (T, 25).
        stride: from one frame to the next, see `posetrain.overlap.stride_of`.
    """
    rises = np.diff(frame_number)
    run = np.append(0, np.cumsum(rises != stride))
    length = np.bincount(run)[run]
    little = rises // stride <= 1 + np.maximum(length[:-1], length[1:])
    short = (rises % stride == 0) & (rises <= max(2 * stride, BRIDGE + 1)) & little
    frames = np.append(np.where(short, rises // stride, 1), 1)  # that follow from each, itself among them
    rows = np.repeat(np.arange(len(frames)), frames)
    past = np.arange(len(rows)) - np.repeat(np.cumsum(frames) - frames, frames)
    there, after = past == 0, np.minimum(rows + 1, len(frames) - 1)
    share = (past / frames[rows])[:, None, None]
    between = (1 - share) * points[rows] + share * points[after]
    return Bridged(
        frame_number[rows] + past * stride,
        np.where(there[:, None, None], points[rows], between),
        np.where(there[:, None], confidence[rows], np.nan),
        there,
    )
