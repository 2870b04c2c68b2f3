"""Heatmaps: render, normalise, decode. Pure functions over arrays.

A heatmap is 56 x 56, indexed [y, x], row-major; a cell's position is its centre, i + 0.5.

Rendering is a look-up. The response to one impulse is separable, so each of its rows is one of a few
thousand: `RowTable` holds them all, made by scipy itself, and a heatmap is 56 of them. No arithmetic is left
that a device could do differently, so every reader that looks rows up gets the stored bits.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from posedata.geometry import GRID

AMPLITUDE = 255.0
"""c: the value of the impulse, and so the sum of a heatmap (seed 000, section 1.2.2)."""

TARGET_SIGMA = 1.0
"""Cells: sigma_out of seed 000, section 1.2.1."""


_REACH = 4.0
"""Sigmas, where a Gaussian ends: scipy's default."""


@dataclass(frozen=True, eq=False)
class RowTable:
    """Every row of every heatmap that a set of sigmas can make.

    Attributes:
        rows: (R, 56) float16; row 0 is all zeros.
        first: (S, 56, 56) int32, [sigma, y of the impulse, y of the row]: the number of the row for an impulse
            at x = 0; the row for x = i stands i further.
    """

    rows: NDArray[np.float16]
    first: NDArray[np.int32]


@lru_cache(maxsize=16)
def row_table(sigmas: tuple[float, ...]) -> RowTable:
    """The table for `scipy.ndimage.gaussian_filter(impulse, sigma, mode="reflect", truncate=4.0)`.

    Computed in float64 along y, then along x, as scipy does, and rounded once to float16.

    Args:
        sigmas: standard deviations in cells.
    """
    impulses = np.eye(GRID)
    blocks = [np.zeros((GRID, GRID))]
    first = np.empty((len(sigmas), GRID, GRID), np.int32)
    for s, sigma in enumerate(sigmas):
        columns = gaussian_filter1d(AMPLITUDE * impulses, sigma, axis=1, mode="reflect", truncate=_REACH)
        values, which = np.unique(columns, return_inverse=True)
        first[s] = (len(blocks) + which.reshape(columns.shape)) * GRID
        blocks += [gaussian_filter1d(v * impulses, sigma, axis=1, mode="reflect", truncate=_REACH) for v in values]
    return RowTable(np.concatenate(blocks).astype(np.float16), first)


def renderable(table: RowTable, cells: NDArray[np.int8], sigma: NDArray[np.intp]) -> bool:
    """Whether `render` has rows for all of these: cells from -1 to 55, and positions in the table's set."""
    known = sigma.size == 0 or (sigma.min() >= 0 and sigma.max() < len(table.first))
    return bool(known and (cells.size == 0 or (cells.min() >= -1 and cells.max() < GRID)))


def render(
    table: RowTable, cells: NDArray[np.int8], sigma: NDArray[np.intp], out: NDArray[np.float16] | None = None
) -> NDArray[np.float16]:
    """Heatmaps of impulses at `cells`.

    Args:
        table: rows for the set of sigmas.
        cells: (n, K, 2) int8, x y; -1 = missing.
        sigma: (n,) or (n, K), positions in the table's set.
        out: array of the result's shape to write into.

    Returns:
        (n, K, 56, 56) float16; all zeros where missing.

    Examples:
        >>> cells = np.full((1, 25, 2), -1, np.int8)  # a frame with no keypoint
        >>> cells[0, 0] = 20, 30                      # but a nose: x, y
        >>> heatmaps = render(row_table((1.0, 2.0)), cells, sigma=np.array([1]))
        >>> heatmaps.shape, heatmaps[0, :2].sum(axis=(1, 2), dtype=np.float64).round().tolist()
        ((1, 25, 56, 56), [255.0, 0.0])
        >>> decode(heatmaps[0, 0])  # the centre of the cell
        array([20.5, 30.5])
    """
    x, y = cells[..., 0].astype(np.intp), cells[..., 1].astype(np.intp)
    which = sigma[:, None] if sigma.ndim == 1 else sigma
    numbers = table.first[which, y] + x[..., None].astype(np.int32)
    numbers[x < 0] = 0
    # "clip" is the only mode in which numpy writes straight into `out`; all numbers are valid.
    return np.take(table.rows, numbers, axis=0, out=out, mode="clip")


def gaussians(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Heatmaps of places between cells: the Gaussian of a target, but about the place and not its cell's centre.

    It ends after 4 sigma, as scipy's does. Up to the border heatmaps sum to c; nothing is reflected. So half the
    difference of the logarithms of the cells beside the largest one tells how far from its centre the place is.

    Args:
        points: (..., 2) grid positions, x y; NaN = missing; outside of the grid the next place on its border counts.

    Returns:
        (..., 56, 56) float32, zeros where missing.
    """
    far = (np.arange(GRID) + 0.5 - points.clip(0, GRID)[..., None]) / TARGET_SIGMA
    weights = np.exp(-0.5 * far**2) * (abs(far) <= _REACH)
    x, y = np.moveaxis(weights / weights.sum(axis=-1, keepdims=True), -2, 0)
    heatmaps: NDArray[np.float32] = (AMPLITUDE * y[..., :, None] * x[..., None, :]).astype(np.float32)
    return np.nan_to_num(heatmaps)


@lru_cache(maxsize=16)
def peak_table(table: RowTable) -> NDArray[np.float64]:
    """Peaks of all heatmaps that a table makes.

    They are looked for in the heatmaps: near the border reflection moves some away from the cell of their impulse.

    Returns:
        (S, 56, 56, 2) grid positions, x y, of [sigma, y, x] of the impulse.
    """
    y, x = np.divmod(np.arange(GRID * GRID), GRID)
    cells = np.stack([x, y], axis=-1).astype(np.int8).reshape(GRID, GRID, 2)
    rows = [decode(render(table, cells, np.full(GRID, s))) for s in range(len(table.first))]
    return np.stack(rows)


def normalise_detected(heatmaps: NDArray[np.float32]) -> NDArray[np.float16]:
    """A detector's heatmaps made like rendered ones (seed 000, section 1.3.1).

    Negative values become 0, then each heatmap is scaled to sum to c in float64 and rounded once to float16;
    one without a positive value stays zero.

    Args:
        heatmaps: (..., 56, 56) float32, finite.

    Returns:
        (..., 56, 56) float16.
    """
    positive = np.maximum(heatmaps.astype(np.float64), 0.0)
    total = positive.sum(axis=(-2, -1), keepdims=True)
    return (positive * (AMPLITUDE / np.where(total > 0, total, 1.0))).astype(np.float16)


def decode(heatmaps: NDArray[np.floating]) -> NDArray[np.float64]:
    """Centre of each heatmap's largest cell, the first in row-major order on a tie.

    Args:
        heatmaps: (..., 56, 56).

    Returns:
        (..., 2) float64 grid positions, x y.
    """
    flat = heatmaps.reshape(*heatmaps.shape[:-2], GRID * GRID).argmax(axis=-1)
    return np.stack([flat % GRID, flat // GRID], axis=-1) + 0.5


def peaks(heatmaps: NDArray[np.floating]) -> NDArray[np.float64]:
    """Likewise, but NaN where a heatmap is all zeros: the keypoint is missing."""
    there = heatmaps.max(axis=(-2, -1), keepdims=True)[..., 0] > 0
    return np.where(there, decode(heatmaps), np.nan)
