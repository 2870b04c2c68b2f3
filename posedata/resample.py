"""Sources of different frame rates to one, so that a window spans the same time everywhere. Pure.

Letters: T frames of a source, R of it resampled, K = 25 keypoints.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError
from posedata.poses import PoseSequence

_SNAP = 1e-6
"""Source frames: what is nearer to one than that is on it. Rates such as 29.97 are rounded, and so are products."""

_MOST_FRAMES = 1 << 20
"""Of a resampled sequence: ten hours at 30 frames a second."""


class Times(NamedTuple):
    """Where the resampled frames lie among those of the source.

    Attributes:
        number: (R,) int64: frame k is at the time k / fps.
        before: (R,) int64, position of the source frame at that time or just before it.
        share: (R,) float64 in [0, 1): how far it lies on the way to the next source frame.
    """

    number: NDArray[np.int64]
    before: NDArray[np.int64]
    share: NDArray[np.float64]


def resample(sequence: PoseSequence, fps: float) -> PoseSequence:
    """The sequence at the times k / fps.

    A keypoint lies on the straight line between its places in the two source frames around that time; it is missing
    where one of them lacks it. On a source frame it is that frame's. Between two frames that a gap or a shot cut
    parts there is no resampled frame: the numbers jump.

    Args:
        sequence: annotations; frame n of them is at the time n / sequence.fps.
        fps: frames a second, above 0.

    Returns:
        A sequence of R frames numbered k, with the new rate.

    Raises:
        BadInputError: if the source's rate is unknown, if no time k / fps has frames around it, or if there would be
            more frames than can be meant.
    """
    where = sequence.key
    if np.isnan(sequence.fps):
        raise BadInputError(
            f"{where}: fps: expected a known frame rate to resample from, found none; leave {sequence.dataset} or "
            "--fps out, or add the rate to the raw data where its format has a place for it"
        )
    frames = len(sequence) * fps / sequence.fps
    if frames > _MOST_FRAMES:
        raise BadInputError(f"{where}: --fps {fps:g}: expected at most {_MOST_FRAMES:,} frames, found {frames:,.0f}")
    times = resampled_times(sequence.frame_number, sequence.shot, sequence.fps / fps)
    if not times.number.size:
        raise BadInputError(
            f"{where}: expected a frame at a multiple of 1/{fps:g} s, or two around one, found {len(sequence)} frames "
            f"at {sequence.fps:g} a second; give a higher --fps, or leave the sequence out"
        )
    return replace(
        sequence,
        points=interpolated(sequence.points, times),
        frame_number=times.number,
        shot=sequence.shot[times.before],
        fps=fps,
    )


def resampled_times(number: NDArray[np.int64], shot: NDArray[np.int64], step: float) -> Times:
    """The times of a step of `step` source frames that lie on a frame, or between two neighbours of one shot.

    Args:
        number: (T,) int64, strictly increasing.
        shot: (T,) int64.
        step: source frames from one resampled frame to the next.
    """
    # Frame i of the source is the one at or before the times first[i], first[i] + 1, ... stop[i] - 1.
    first = np.ceil((number - _SNAP) / step).astype(np.int64)
    stop = np.ceil((number + 1 - _SNAP) / step).astype(np.int64)
    count = stop - first
    before = np.repeat(np.arange(len(number)), count)
    rank = np.arange(len(before)) - np.repeat(np.cumsum(count) - count, count)
    found = first[before] + rank
    share = found * step - number[before]
    share = np.where(share < _SNAP, 0.0, share)
    followed = np.append((np.diff(number) == 1) & (np.diff(shot) == 0), False)
    kept = (share == 0) | followed[before]
    return Times(found[kept], before[kept], share[kept])


def interpolated(points: NDArray[np.float64], times: Times) -> NDArray[np.float64]:
    """(R, K, 2) pixels on the lines between neighbouring frames of (T, K, 2) `points`; NaN = missing."""
    start = points[times.before]
    end = points[np.minimum(times.before + 1, len(points) - 1)]
    share = times.share[:, None, None]
    return np.where(share == 0, start, start + share * (end - start))
