"""How sure a PCK is: intervals by bootstrap over videos.

Frames of one video are alike, so what is drawn anew is whole videos. An interval is about PCK over many videos of the
same kind; of fewer than ten it is too narrow. It knows nothing of how a training would end with another seed.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from posedata.pck import THRESHOLDS, Pck
from posedata.skeleton import K

RESAMPLES = 2000
CONFIDENCE = 0.95

Interval = tuple[float, float]
_ALL = tuple(range(K))


def intervals(pck: Pck, keypoints: tuple[int, ...] = _ALL) -> dict[str, Interval]:
    """Threshold -> the interval of its percent; empty where fewer than two videos count.

    Args:
        pck: counts by video.
        keypoints: those to look at.
    """
    correct, counted = _by_video(pck, keypoints)
    return _intervals(correct, counted)


def difference_intervals(pck: Pck, other: Pck) -> dict[str, Interval]:
    """Threshold -> the interval of how much the percent is higher than the other's, video against video.

    Two scores differ if it does not hold 0. Both must have been counted on the same windows.
    """
    correct, counted = _by_video(pck, _ALL)
    return _intervals(correct - _by_video(other, _ALL)[0], counted)


def _by_video(pck: Pck, keypoints: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(V, 3) correct and (V,) counted, of the videos in which anything counts."""
    chosen = list(keypoints)
    counted = pck.counted[:, chosen].sum(axis=1)
    correct = pck.correct[:, :, chosen].sum(axis=2)
    return correct[counted > 0], counted[counted > 0]


def _intervals(correct: NDArray[np.int64], counted: NDArray[np.int64]) -> dict[str, Interval]:
    if len(counted) < 2:
        return {}
    found = (_interval(column, counted) for column in correct.T)
    return {f"{t:g}": interval for t, interval in zip(THRESHOLDS, found, strict=True)}


def _interval(correct: NDArray[np.int64], counted: NDArray[np.int64]) -> Interval:
    """Percentiles of the ratio of sums; the same generator every time, so that comparisons are paired."""
    result = bootstrap(
        (correct, counted),
        lambda c, n, axis: 100 * c.sum(axis=axis) / n.sum(axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = result.confidence_interval
    return float(low), float(high)
