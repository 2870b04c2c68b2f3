"""Fill the templates: Markdown, and one HTML page that needs nothing beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from posedata import __version__
from posedata.pages import environment
from posetrain.report.tables import Cell, Table


@dataclass(frozen=True, eq=False)
class Contents:
    """What a report on refiners shows.

    Attributes:
        pck: tables of PCK.
        joints: tables of PCK@0.2 by joint.
        curves: SVG.
        worst: name of a run -> PNG.
        left_out: runs of which no epoch is finished.
        digests: name of a store in this report -> its content digest.
    """

    pck: Sequence[Table]
    joints: Sequence[Table]
    curves: bytes
    worst: Mapping[str, bytes]
    left_out: Sequence[Path]
    digests: Mapping[str, str]


def markdown(contents: Contents) -> str:
    """The report with its pictures as files beside it."""
    return filled("report.md.j2", contents)


def html(contents: Contents) -> str:
    """The report with its pictures inside."""
    return filled("report.html.j2", contents)


def filled(template: str, report: object) -> str:
    """A template of this package, of what it shows."""
    templates = environment("posetrain.report")
    templates.filters |= {"percent": _percent, "interval": _interval, "mark": _mark, "picture": picture_name}
    return templates.get_template(template).render(report=report, version=__version__)


def picture_name(run: str) -> str:
    """File name of a run's worst windows."""
    return f"worst-{plain_name(run)}.png"


def plain_name(run: str) -> str:
    """A run's name as part of a file's; a slash is written as in a JSON pointer."""
    return run.replace("~", "~0").replace("/", "~1")


def _percent(cell: Cell) -> str:
    return "" if cell.percent is None else f"{cell.percent:.1f}"


def _interval(cell: Cell) -> str:
    return f"{cell.interval[0]:.1f} to {cell.interval[1]:.1f}" if cell.interval else ""


def _mark(cell: Cell) -> str:
    """What stands behind a percent: * cannot be told from the best, ? nobody knows."""
    if cell.best or cell.percent is None:
        return ""
    return "?" if cell.level is None else "*" * cell.level
