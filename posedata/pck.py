"""PCK, the share of correct keypoints. Pure functions over arrays.

A keypoint is correct if it lies within a share of the torso diameter of its frame's target. The mean is over all
annotated keypoints of a split, never over batches. A frame without a torso is left out and counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posedata.geometry import lengths
from posedata.skeleton import GROUPS, K

THRESHOLDS = (0.05, 0.1, 0.2)
"""Shares of the torso diameter (seed 000, section 1.2.4)."""

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def relative_errors(predicted: Floats, target: Floats, torso: Floats) -> Floats:
    """How far keypoints are off, in torso diameters.

    Args:
        predicted: (N, 25, 2) grid positions.
        target: (N, 25, 2) grid positions, NaN = not annotated.
        torso: (N,) torso diameters in grid px, NaN = none.

    Returns:
        (N, 25), NaN where a keypoint does not count; inf where one that counts was not predicted.
    """
    counts = ~np.isnan(target[..., 0]) & ~np.isnan(torso[:, None])
    distance = lengths(predicted - target)
    with np.errstate(divide="ignore", invalid="ignore"):  # in a torso of no length all is infinitely far off but itself
        relative = np.where(distance == 0, 0.0, distance / torso[:, None])
    return np.where(counts, np.nan_to_num(relative, nan=np.inf, posinf=np.inf), np.nan)


@dataclass(frozen=True, eq=False)
class Pck:
    """Counts of correct keypoints, summed over the frames of each video.

    Attributes:
        correct: (V, 3, 25) keypoints that are correct at each threshold.
        counted: (V, 25) keypoints that count.

    Examples:
        >>> target = np.full((1, 25, 2), np.nan)  # a frame of one video with three keypoints
        >>> target[0, :3] = 10, 20
        >>> predicted = target + [[0.0, 0.0]]
        >>> predicted[0, 2] += 3, 4               # one of them is 5 px off
        >>> score = Pck.of_videos(1)
        >>> score.add(relative_errors(predicted, target, torso=np.array([25.0])), video=np.array([0]))
        >>> score.percent()                       # 5 px are 0.2 of a torso of 25
        {'0.05': 66.66666666666667, '0.1': 66.66666666666667, '0.2': 100.0}
    """

    correct: Counts
    counted: Counts

    @classmethod
    def of_videos(cls, videos: int) -> "Pck":
        """Nothing counted yet."""
        return cls(np.zeros((videos, len(THRESHOLDS), K), np.int64), np.zeros((videos, K), np.int64))

    def add(self, relative: Floats, video: NDArray[np.int64]) -> None:
        """Count more frames, in place.

        Args:
            relative: (N, 25) as of `relative_errors`.
            video: (N,) numbers of the frames' videos.
        """
        order = np.argsort(video, kind="stable")
        numbers, first = np.unique(video[order], return_index=True)
        by_video = relative[order]
        within = by_video[:, None] <= np.asarray(THRESHOLDS)[:, None]  # NaN is within nothing
        self.correct[numbers] += np.add.reduceat(within, first, axis=0, dtype=np.int64)
        self.counted[numbers] += np.add.reduceat(~np.isnan(by_video), first, axis=0, dtype=np.int64)

    def percent(self, keypoints: tuple[int, ...] = tuple(range(K))) -> dict[str, float] | None:
        """Threshold -> percent over the given keypoints; None if none of them counted."""
        chosen = list(keypoints)
        total = int(self.counted[:, chosen].sum())
        if total == 0:
            return None
        right = self.correct[:, :, chosen].sum(axis=(0, 2))
        return {f"{t:g}": 100 * int(n) / total for t, n in zip(THRESHOLDS, right, strict=True)}

    def per_joint(self) -> Mapping[str, dict[str, float]]:
        """Joint without its side -> threshold -> percent, for joints that counted."""
        scores = {name: self.percent(keypoints) for name, keypoints in GROUPS.items()}
        return {name: score for name, score in scores.items() if score is not None}
