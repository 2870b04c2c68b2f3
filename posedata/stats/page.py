"""What is told of a store as one HTML page that needs nothing beside it."""

import base64
from pathlib import Path
from typing import Any

from posedata import __version__
from posedata.pages import environment
from posedata.stats import tables
from posedata.stats.plots import COLOURS, histogram_svg


def render(told: dict[str, Any]) -> str:
    """The page of a store.

    Args:
        told: see `posedata.stats.report.describe`.
    """
    datasets = list(told["annotated_percent"])
    plots = [(entry["what"], _embedded(histogram_svg(entry))) for entry in told["distributions"].values()]
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


def _embedded(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
