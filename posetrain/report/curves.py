"""Training curves (Figure 1 of seed 000): a row a model; training loss, validation loss, validation PCK@0.2."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from posetrain.history import SCORES
from posetrain.report.collect import Trained

_SCORE = SCORES[0].column
"""Of refiners."""

_PANELS = (("train_loss", "training loss"), ("val_loss", "validation loss"), (_SCORE, "validation PCK@0.2, %"))
_COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa8800", "#66ccee", "#aa3377")


def curves_svg(trained: Sequence[Trained], identity: Mapping[Path, float]) -> bytes:
    """The figure as SVG, the same bytes for the same runs.

    Dots are epochs after which the learning rate fell; dashed is what the identity reaches on the validation windows.

    Args:
        trained: runs.
        identity: run -> validation PCK@0.2 of the identity.
    """
    rows: dict[str, list[Trained]] = {}
    for run in trained:
        rows.setdefault(run.config.model + (", finetuned" if run.config.init else ""), []).append(run)
    figure = Figure(figsize=(12, 2.6 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(_PANELS), squeeze=False)
    for line, (model, runs) in zip(axes, rows.items(), strict=True):
        for panel, (column, title) in zip(line, _PANELS, strict=True):
            _draw(panel, runs, column, identity if column == _SCORE else {})
            panel.set_title(f"{model}: {title}", fontsize="medium")
        line[-1].legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "posetrain"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _draw(axes: Axes, runs: Sequence[Trained], column: str, identity: Mapping[Path, float]) -> None:
    first = True
    for number, run in enumerate(runs):
        shown = [row for row in run.history if column in row]
        colour = _COLOURS[number % len(_COLOURS)]
        epochs, values = [row["epoch"] for row in shown], [row[column] for row in shown]
        label = _label(run, runs)
        axes.plot(epochs, values, _style(number), color=colour, marker="+", markersize=5, linewidth=1.4, label=label)
        falls = [i for i, row in enumerate(shown[1:]) if row["learning_rate"] < shown[i]["learning_rate"]]
        axes.plot([epochs[i] for i in falls], [values[i] for i in falls], "o", color=colour, markersize=6)
        if run.run in identity:
            axes.axhline(
                identity[run.run], color=colour, linestyle="--", linewidth=1, label="identity" if first else None
            )
            first = False
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _style(number: int) -> str:
    """Beyond the last colour they begin again, with dots between the points."""
    return "-" if number < len(_COLOURS) else ":"


def _label(run: Trained, runs: Sequence[Trained]) -> str:
    """The experiment, if no other run of the panel has the same."""
    same = [other for other in runs if other.experiment == run.experiment]
    return run.experiment if run.experiment and len(same) == 1 else run.name
