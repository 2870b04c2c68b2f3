"""Figures of numbers as SVG, the same bytes for the same numbers."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from posedata.figures import COLOURS, svg
from posetrain.explain.latent import Clustering

_BINS = np.linspace(0, 100, 19)
"""Of percent; with 17 keypoints, each share has a bin of its own."""


def scores_svg(scores: Mapping[str, NDArray[np.float64]]) -> bytes:
    """How PCK is spread over samples (figure 13 of seed 001).

    Args:
        scores: name -> (N,) percent, NaN where nothing counts.
    """
    figure, axes = _axes()
    for colour, (name, values) in zip(COLOURS, scores.items(), strict=False):
        present = values[~np.isnan(values)]
        counts, _ = np.histogram(present, _BINS)
        axes.stairs(counts / max(len(present), 1), _BINS, fill=True, color=colour, alpha=0.25)
        axes.stairs(counts / max(len(present), 1), _BINS, color=colour, linewidth=1.3, label=name)
    axes.set_xlabel("PCK of a sample, %")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(frameon=False)
    return svg(figure, "posetrain")


def variance_svg(shares: Mapping[str, NDArray[np.floating]]) -> bytes:
    """What the first components explain, summed up (figure 27 of seed 001).

    Args:
        shares: name -> (C,) of the variance, 0 to 1.
    """
    figure, axes = _axes()
    for colour, (name, values) in zip(COLOURS, shares.items(), strict=False):
        axes.plot(np.arange(1, len(values) + 1), np.cumsum(values), color=colour, label=name)
    axes.axhline(0.95, color="#5b6670", linestyle="--", linewidth=1)
    axes.set_xscale("log")
    axes.set_xlabel("principal components")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(0, 1.02)
    axes.legend(frameon=False, loc="lower right")
    return svg(figure, "posetrain")


def silhouettes_svg(found: Mapping[str, Sequence[Clustering]]) -> bytes:
    """The best silhouette of each K (figure 17 of seed 001).

    Args:
        found: name -> clusterings from K = 2.
    """
    figure, axes = _axes()
    for colour, (name, clusterings) in zip(COLOURS, found.items(), strict=False):
        numbers = range(2, 2 + len(clusterings))
        axes.plot(numbers, [one.silhouette for one in clusterings], "o-", color=colour, label=name)
    axes.set_xlabel("K")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.legend(frameon=False)
    return svg(figure, "posetrain")


def _axes() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
