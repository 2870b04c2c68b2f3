"""What is told of a store as one HTML page that needs nothing beside it."""

from pathlib import Path
from typing import Any

from posedata import __version__
from posedata.figures import COLOURS
from posedata.pages import environment
from posedata.stats import tables
from posedata.stats.plots import histogram_svg


def render(told: dict[str, Any]) -> str:
    """The page of a store.

    Args:
        told: see `posedata.stats.report.describe`.
    """
    datasets = list(told["annotated_percent"])
    plots = [(entry["what"], histogram_svg(entry)) for entry in told["distributions"].values()]
    template = environment("posedata.stats").get_template("stats.html.j2")
    return template.render(
        told=told,
        name=Path(told["store"]).name,
        noise=tables.noise(told),
        colours={name: COLOURS[number % len(COLOURS)] for number, name in enumerate(datasets)},
        plots=plots,
        frames=tables.frames(told),
        windows=tables.windows(told),
        identity=tables.identity(told),
        distributions=tables.distributions(told),
        annotated=tables.annotated(told),
        version=__version__,
    )
