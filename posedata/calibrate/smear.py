"""How wide a detector's peaks are, and which sigma set draws such widths. Pure.

The width of a peak is the sigma whose rendered heatmap looks most like it, near the peak: of all a * rendered + b the
one with the least squares. For free a and b that is the largest correlation (a matched filter: Turin 1960), so neither
scale nor an even ground matters. Second moments do not bear one: a thousandth of the peak makes 9 of a sigma of 1.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.stats import wasserstein_distance

from posedata.config import SigmaPer
from posedata.geometry import GRID

Floats = NDArray[np.float64]

REACH = 6
"""Cells from the peak that are looked at; a peak nearer to the border is not measured."""

TENTHS = np.arange(4, 61)
"""The sigmas that are tried, in tenths of a cell: heatmaps of this size tell no finer ones apart."""

MEMBERS = 5
"""Of a set at most, as many as the published one has."""


def widths(heatmaps: NDArray[np.float32], cells: NDArray[np.int8]) -> NDArray[np.float32]:
    """The sigma of each peak.

    A peak between cells looks wider than its sigma: in the worst place a sigma of 1 by 13 %, of 2 by 3 %.

    Args:
        heatmaps: (n, 56, 56).
        cells: (n, 2) x y of their peaks.

    Returns:
        (n,) cells, in tenths; NaN where the peak is nearer than `REACH` to the border.
    """
    found = np.full(len(cells), np.nan, np.float32)
    inside = np.flatnonzero(((cells >= REACH) & (cells < GRID - REACH)).all(axis=-1))
    x, y = cells[inside].astype(np.intp).T
    around = np.lib.stride_tricks.sliding_window_view(heatmaps, (2 * REACH + 1, 2 * REACH + 1), axis=(1, 2))
    windows = around[inside, y - REACH, x - REACH].reshape(len(inside), -1)
    found[inside] = TENTHS[(windows @ _templates()).argmax(axis=-1)] / 10
    return found


@cache
def _templates() -> NDArray[np.float32]:
    """(169, sigmas): what is rendered around a peak far from the border, less its mean, of unit length."""
    impulse = np.eye(GRID)[GRID // 2]
    near = slice(GRID // 2 - REACH, GRID // 2 + REACH + 1)
    rows = [gaussian_filter1d(impulse, tenths / 10, mode="reflect", truncate=4.0)[near] for tenths in TENTHS]
    rendered = np.stack([np.outer(row, row).ravel() for row in rows], axis=-1)
    centred = rendered - rendered.mean(axis=0)
    return np.asarray(centred / np.linalg.norm(centred, axis=0), np.float32)


def sigma_set(sigmas: NDArray[np.floating]) -> tuple[float, ...]:
    """The set whose uniform draws are most like the measured sigmas, to a hundredth of `misfit`; the smallest of those.

    Tried are the middles of n equal parts of the measured sigmas, which for n draws are the nearest there are.

    Args:
        sigmas: (n,) in cells, none missing, one at least.

    Returns:
        One to five numbers, rising, in tenths of a cell.
    """
    sets = [_middles(sigmas, parts) for parts in range(1, MEMBERS + 1)]
    return min(sets, key=lambda members: (round(misfit(sigmas, members), 2), len(members)))


def _middles(sigmas: NDArray[np.floating], parts: int) -> tuple[float, ...]:
    found = np.quantile(sigmas, (np.arange(parts) + 0.5) / parts, method="inverted_cdf")
    return tuple(tenths / 10 for tenths in sorted({round(10 * sigma) for sigma in found.tolist()}))


def misfit(sigmas: NDArray[np.floating], members: tuple[float, ...]) -> float:
    """How far uniform draws from the set are from the measured sigmas: the mean cells that one has to be moved."""
    return float(wasserstein_distance(sigmas, members))


def shared_by(sigmas: NDArray[np.floating], sequence: NDArray[np.integer]) -> SigmaPer:
    """What shares a sigma: the level at which most of the variance arises (nested analysis of variance).

    Args:
        sigmas: (N, 25) in cells, NaN = not measured.
        sequence: (N,) number of each frame's sequence.

    Returns:
        "keypoint", "frame" or "sequence"; "frame" where all are alike within a tenth of a cell.
    """
    known = ~np.isnan(sigmas)
    frame = np.repeat(np.arange(len(sigmas)), known.sum(axis=1))
    within, means, counts = _levels(sigmas[known].astype(np.float64), frame)
    frames = np.flatnonzero(known.any(axis=1))
    between, sequence_means, lengths = _levels(means, sequence[frames])
    variances: dict[SigmaPer, float] = {
        "frame": between - within / counts.mean(),
        "keypoint": within,
        "sequence": float(sequence_means.var(ddof=1)) - between / lengths.mean() if len(sequence_means) > 1 else 0.0,
    }
    largest = max(variances, key=lambda level: variances[level])
    return largest if variances[largest] > (1 / 10) ** 2 else "frame"


def _levels(values: Floats, group: NDArray[np.integer]) -> tuple[float, Floats, Floats]:
    """Variance of values within their groups, and mean and size of each group."""
    _, member, sizes = np.unique(group, return_inverse=True, return_counts=True)
    means = np.bincount(member, values) / sizes
    freedom = len(values) - len(means)
    within = float(((values - means[member]) ** 2).sum()) / freedom if freedom else 0.0
    return within, means, sizes.astype(np.float64)
