"""How numbers are distributed, found in one pass and in little memory. Pure but for counting in place."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

EDGES: Floats = np.concatenate([[0.0], np.geomspace(0.01, 1e6, 1852)])
"""Bins one percent wide, so any quantile above 0.01 is known to one percent."""

BARS = 60
"""Of a histogram that is shown."""

_SHOWN = 0.995
"""Share of the numbers that a histogram shows: a long tail would leave the rest in one bar."""


@dataclass(eq=False)
class Distribution:
    """Numbers from 0 up: what has been counted so far.

    Attributes:
        counts: of `EDGES`' bins; what is beyond the last edge is in the last.
        count: how many numbers.
        total: their sum.
        least: the smallest, inf if there are none.
        most: the largest, -inf if there are none.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(EDGES) - 1, np.int64))
    count: int = 0
    total: float = 0.0
    least: float = np.inf
    most: float = -np.inf

    def add(self, numbers: NDArray[np.floating]) -> None:
        """Count more numbers, of any shape; NaN is none."""
        present = numbers[~np.isnan(numbers)].astype(np.float64)
        if not present.size:
            return
        bins = np.searchsorted(EDGES, present, side="right") - 1
        self.counts += np.bincount(np.minimum(bins, len(self.counts) - 1), minlength=len(self.counts))
        self.count += present.size
        self.total += float(present.sum())
        self.least = min(self.least, float(present.min()))
        self.most = max(self.most, float(present.max()))

    def quantile(self, share: float) -> float:
        """The number below which this share of all lies, to one percent; NaN if there are none."""
        if not self.count:
            return np.nan
        # Only bins that hold something: a quantile lies in one of them.
        full = np.flatnonzero(self.counts)
        upto = np.cumsum(self.counts[full])
        at = min(int(np.searchsorted(upto, share * self.count)), len(full) - 1)
        inside = 1 - (upto[at] - share * self.count) / self.counts[full[at]]
        low, high = EDGES[full[at]], EDGES[full[at] + 1]
        return float(np.clip(low + inside * (high - low), self.least, self.most))

    def below(self, limits: Floats) -> Floats:
        """How many numbers lie below each limit, as if each bin were filled evenly."""
        return np.asarray(np.interp(limits, EDGES, np.concatenate([[0], np.cumsum(self.counts)])))

    def as_dict(self, edges: Floats) -> dict[str, Any]:
        """For JSON: count, mean, extremes, quantiles, and how many numbers lie between the edges of a histogram."""
        if not self.count:
            return {"count": 0}
        inside = np.diff(self.below(edges))
        return {
            "count": self.count,
            "mean": self.total / self.count,
            "min": self.least,
            "max": self.most,
            "quantiles": {f"{share:g}": self.quantile(share) for share in QUANTILES},
            "histogram": [round(float(n), 1) for n in inside],
        }


def shared_edges(distributions: list[Distribution]) -> Floats:
    """(BARS + 1,) edges of histograms to be compared: from 0 to where nearly all numbers of each end."""
    ends = [d.quantile(_SHOWN) for d in distributions if d.count]
    return np.linspace(0.0, max([*ends, EDGES[1]]), BARS + 1)
