"""Training curves (Figure 1 of seed 000): a row a model; training loss, validation loss, validation score."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from posedata.figures import COLOURS, svg
from posetrain.history import LOSS, Score, score_of

_LOSSES = (("train_loss", "training loss"), (LOSS.column, "validation loss"))

_STEEP = 100
"""Losses that differ by more than this factor are drawn on a logarithmic axis."""


@dataclass(frozen=True, eq=False)
class Curve:
    """What a run has learnt.

    Attributes:
        row: of the figure, shared by runs that are alike.
        label: what tells it from the others of its row.
        history: a row of figures an epoch.
        baseline: the score that the baseline reaches on the run's validation samples; None = unknown.
    """

    row: str
    label: str
    history: Sequence[Mapping[str, float]]
    baseline: float | None


def curves_svg(curves: Sequence[Curve], baseline: str) -> bytes:
    """The figure as SVG, the same bytes for the same curves.

    Dots are epochs after which the learning rate fell; dashed is what the baseline of that name reaches.
    """
    rows: dict[str, list[Curve]] = {}
    for curve in curves:
        rows.setdefault(curve.row, []).append(curve)
    figure = Figure(figsize=(12, 2.6 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), len(_LOSSES) + 1, squeeze=False)
    for line, (name, runs) in zip(axes, rows.items(), strict=True):
        for panel, (column, title) in zip(line[:-1], _LOSSES, strict=True):
            _draw(panel, runs, column, f"{name}: {title}")
            _bend(panel, [row[column] for run in runs for row in run.history if column in row])
        score = score_of({column: value for run in runs for row in run.history for column, value in row.items()})
        _draw_score(line[-1], runs, score, name, baseline)
        shown = {label: mark for panel in line for mark, label in zip(*panel.get_legend_handles_labels(), strict=True)}
        line[-1].legend(
            shown.values(), shown, fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False
        )
    return svg(figure, "posetrain", letters=False)


def _draw_score(axes: Axes, runs: Sequence[Curve], score: Score, name: str, baseline: str) -> None:
    if score is LOSS:
        axes.set_axis_off()
        return
    _draw(axes, runs, score.column, f"{name}: validation {score.title}, {score.unit}")
    named = False
    for number, run in enumerate(runs):
        if run.baseline is not None:
            label = None if named else baseline
            axes.axhline(run.baseline, color=_colour(number), linestyle="--", linewidth=1, label=label)
            named = True


def _draw(axes: Axes, runs: Sequence[Curve], column: str, title: str) -> None:
    for number, run in enumerate(runs):
        shown = [row for row in run.history if column in row]
        colour = _colour(number)
        epochs, values = [row["epoch"] for row in shown], [row[column] for row in shown]
        axes.plot(
            epochs, values, _style(number), color=colour, marker="+", markersize=5, linewidth=1.4, label=run.label
        )
        falls = [i for i, row in enumerate(shown[1:]) if row["learning_rate"] < shown[i]["learning_rate"]]
        axes.plot([epochs[i] for i in falls], [values[i] for i in falls], "o", color=colour, markersize=6)
    axes.set_title(title, fontsize="medium")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _bend(axes: Axes, values: Sequence[float]) -> None:
    """A fresh detector loses ten thousand times what a trained one does."""
    if values and min(values) > 0 and max(values) > _STEEP * min(values):
        axes.set_yscale("log")


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _style(number: int) -> str:
    """Beyond the last colour they begin again, with dots between the points."""
    return "-" if number < len(COLOURS) else ":"
