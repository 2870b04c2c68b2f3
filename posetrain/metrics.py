"""PCK, the share of correct keypoints. Pure functions over arrays.

A keypoint is correct if it lies within a share of the torso diameter of its frame's target. The mean is over all
annotated keypoints of a split, never over batches. A frame without a torso is left out and counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from posedata.skeleton import GROUPS, K

THRESHOLDS = (0.05, 0.1, 0.2)
"""Shares of the torso diameter (seed 000, section 1.2.4)."""

Floats = NDArray[np.float64]


def hits(predicted: Floats, target: Floats, torso: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Correct keypoints, and those that count.

    Args:
        predicted: (N, 25, 2) grid positions.
        target: (N, 25, 2) grid positions, NaN = not annotated.
        torso: (N,) torso diameters in grid px, NaN = none.

    Returns:
        (3, 25) correct at each threshold, and (25,) counted.
    """
    relative = np.linalg.norm(predicted - target, axis=-1) / torso[:, None]
    counted = ~np.isnan(target[..., 0]) & ~np.isnan(torso[:, None])
    correct = np.stack([(relative <= threshold) & counted for threshold in THRESHOLDS])
    return correct.sum(axis=1), counted.sum(axis=0)


@dataclass
class Pck:
    """Counts of correct keypoints, summed over frames."""

    correct: NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(THRESHOLDS), K), np.int64))
    counted: NDArray[np.int64] = field(default_factory=lambda: np.zeros(K, np.int64))

    def add(self, predicted: Floats, target: Floats, torso: Floats) -> None:
        """Count more frames; arguments as of `hits`."""
        correct, counted = hits(predicted, target, torso)
        self.correct += correct
        self.counted += counted

    def percent(self, keypoints: tuple[int, ...] = tuple(range(K))) -> dict[str, float] | None:
        """Threshold -> percent over the given keypoints; None if none of them counted."""
        chosen = list(keypoints)
        total = int(self.counted[chosen].sum())
        if total == 0:
            return None
        right = self.correct[:, chosen].sum(axis=1)
        return {f"{t:g}": 100 * int(n) / total for t, n in zip(THRESHOLDS, right, strict=True)}

    def per_joint(self) -> Mapping[str, dict[str, float]]:
        """Joint without its side -> threshold -> percent, for joints that counted."""
        scores = {name: self.percent(keypoints) for name, keypoints in GROUPS.items()}
        return {name: score for name, score in scores.items() if score is not None}
