"""Where a detector's peaks lie: a normal core, swapped sides, and strays. Pure.

The peak of a keypoint is taken to be one of three things:

- a *stray* with probability o: any cell of the grid, each as likely as another;
- else, if the keypoint has a partner (left and right), *swapped* with probability t: a normal shift around the
  partner's target;
- else a normal shift around the keypoint's own target.

Shifts are Normal(0, s^2) on either axis, as the noisy input has them (seed 000, section 1.2.1). A peak is known by its
cell alone, so a shift is known by an interval: with target u the cell c has the probability
Phi((c + 1 - u) / s) - Phi((c - u) / s). That is exact, where taking 1/12 from the variance (Sheppard 1898) is not. At
the border shifts are clipped, and reflection pulls peaks to it, so the outermost `EDGE` cells are one interval that
reaches to infinity. s, o and t are those of the greatest likelihood. The even part for what is not normal is that of
Banfield, Raftery 1993.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import ndtr

from posedata.geometry import GRID

Floats = NDArray[np.float64]

EDGE = 4
"""Cells. Reflection moves no peak of a sigma up to 3.5 from further inside to the border."""

_LEAST_STD, _MOST_STD = 0.02, float(GRID)
"""Grid px. Below the first every peak stands in its target's cell, and nothing more can be told."""

_LEAST_SHARE = 1e-6

_ROOT_TWO_PI = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Peaks:
    """Peaks of n heatmaps and what they should have been.

    Attributes:
        cells: (n, 2), x y of the largest cell.
        targets: (n, 2) grid positions, x y; `EDGE` cells from the border or more.
        partners: (n, 2) targets of the other side's keypoint, NaN = none.
    """

    cells: NDArray[np.int8]
    targets: Floats
    partners: Floats

    @property
    def paired(self) -> int:
        """How many have a partner."""
        return int((~np.isnan(self.partners[:, 0])).sum())


@dataclass(frozen=True)
class Mixture:
    """The three parts.

    Attributes:
        std: s, of the shifts on either axis in grid px.
        outliers: o, the share of strays among all keypoints.
        exchanged: t, the share of swapped ones among the keypoints that have a partner and are no strays; 0 if none
            has one.
    """

    std: float
    outliers: float
    exchanged: float

    @property
    def swaps(self) -> float:
        """The share of swapped ones among all keypoints that have a partner."""
        return (1 - self.outliers) * self.exchanged


def residuals(peaks: Peaks) -> Floats:
    """(n, 2) grid px from the target to the centre of the peak's cell."""
    return peaks.cells + 0.5 - peaks.targets


def fit(peaks: Peaks, start: Mixture | None = None) -> Mixture:
    """The mixture of the greatest likelihood.

    Args:
        peaks: one at least.
        start: where to begin; by default from the median distance, which strays and swaps hardly move.
    """
    if start is None:
        spread = float(np.median(np.abs(residuals(peaks)))) / 0.6745  # the median of |Normal(0, 1)|
        start = Mixture(max(spread, 0.3), 0.02, 0.02)
    lowest = np.asarray([np.log(_LEAST_STD), _LEAST_SHARE, 0])
    highest = np.asarray([np.log(_MOST_STD), 1 - _LEAST_SHARE, 1 if peaks.paired else 0])
    first = np.clip([np.log(start.std), start.outliers, start.exchanged], lowest, highest)
    bounds = list(zip(lowest, highest, strict=True))
    found = minimize(loss, first, (peaks,), jac=True, bounds=bounds, options={"ftol": 1e-11, "gtol": 1e-7})
    return _mixture(found.x)


def loss(parameters: Floats, peaks: Peaks) -> tuple[float, Floats]:
    """Minus the mean log-likelihood of a peak in nats, and its gradient.

    Args:
        parameters: (3,) log s, o, t.
        peaks: one at least.
    """
    mixture = _mixture(parameters)
    own, own_slope = _around(peaks.cells, peaks.targets, mixture.std)
    other, other_slope = _around(peaks.cells, peaks.partners, mixture.std)
    stray, exchanged, kept = _even(peaks.cells), _exchanged(peaks, mixture), 1 - mixture.outliers
    normal = (1 - exchanged) * own + exchanged * other
    total = mixture.outliers * stray + kept * normal
    slopes = [
        kept * ((1 - exchanged) * own_slope + exchanged * other_slope),
        stray - normal,
        np.where(np.isnan(peaks.partners[:, 0]), 0.0, kept * (other - own)),
    ]
    return -float(np.log(total).mean()), -np.asarray([(slope / total).mean() for slope in slopes])


def shares(peaks: Peaks, mixture: Mixture) -> Floats:
    """(n, 3): how likely each peak is its own keypoint's, the partner's, or a stray."""
    parts = _parts(peaks, mixture)
    return np.asarray(parts / parts.sum(axis=-1, keepdims=True))


def _mixture(parameters: Floats) -> Mixture:
    log_std, outliers, exchanged = parameters.tolist()
    return Mixture(math.exp(log_std), outliers, exchanged)


def _exchanged(peaks: Peaks, mixture: Mixture) -> Floats:
    """(n,) t, 0 where there is no partner."""
    return np.where(np.isnan(peaks.partners[:, 0]), 0.0, mixture.exchanged)


def _parts(peaks: Peaks, mixture: Mixture) -> Floats:
    """(n, 3): the probability of each peak's cell by the three ways to it."""
    own, other = (_around(peaks.cells, places, mixture.std)[0] for places in (peaks.targets, peaks.partners))
    kept, exchanged = 1 - mixture.outliers, _exchanged(peaks, mixture)
    parts = [kept * (1 - exchanged) * own, kept * exchanged * other, mixture.outliers * _even(peaks.cells)]
    return np.stack(parts, axis=-1)


def _around(cells: NDArray[np.int8], places: Floats, std: float) -> tuple[Floats, Floats]:
    """(n,) probability of each cell by a normal shift from `places`, and its slope by log s.

    A place that is NaN counts as the origin: what comes of it has no share.
    """
    low, high = _interval(cells)
    ends = [(end - np.nan_to_num(places)) / std for end in (low, high)]
    inside = ndtr(ends[1]) - ndtr(ends[0])
    slope = _weighed(ends[0]) - _weighed(ends[1])
    x, y = inside.T
    return x * y, slope[:, 0] * y + x * slope[:, 1]


def _weighed(z: Floats) -> Floats:
    """The standard normal density times z; 0 at infinity."""
    finite = np.where(np.isinf(z), 0.0, z)
    return finite * np.exp(-0.5 * finite * finite) / _ROOT_TWO_PI


def _interval(cells: NDArray[np.int8]) -> tuple[Floats, Floats]:
    """Where the shifted positions of a cell begin and end; the outermost cells share an interval without an end."""
    low = np.where(cells < EDGE, -np.inf, np.minimum(cells, GRID - EDGE))
    high = np.where(cells >= GRID - EDGE, np.inf, np.maximum(cells + 1, EDGE))
    return low, high


def _even(cells: NDArray[np.int8]) -> Floats:
    """(n,) probability of each cell's interval if all cells are alike."""
    outermost = (cells < EDGE) | (cells >= GRID - EDGE)
    return np.asarray(np.where(outermost, EDGE / GRID, 1 / GRID).prod(axis=-1))
