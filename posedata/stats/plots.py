"""Histograms as SVG, the same bytes for the same numbers."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from posedata.figures import COLOURS, svg


def histogram_svg(entry: dict[str, Any]) -> bytes:
    """The histograms of one distribution, a line a dataset, in percent of its own numbers; dashed is the median.

    Args:
        entry: of "distributions" in `posedata.stats.report.describe`.
    """
    figure = Figure(figsize=(5.6, 2.5), layout="constrained")
    axes = figure.subplots()
    edges = np.asarray(entry["edges"])
    for number, found in enumerate(entry["datasets"].values()):
        if not found["count"]:
            continue
        colour = COLOURS[number % len(COLOURS)]
        share = np.asarray(found["histogram"]) / found["count"]
        axes.stairs(share, edges, fill=True, color=colour, alpha=0.18)
        axes.stairs(share, edges, color=colour, linewidth=1.3)
        axes.axvline(found["quantiles"]["0.5"], color=colour, linestyle="--", linewidth=1)
    axes.set_xlabel(entry["unit"])
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return svg(figure, entry["what"])
