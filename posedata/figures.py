"""Figures of numbers as SVG, the same bytes for the same numbers."""

import io

import matplotlib as mpl
from matplotlib.figure import Figure

COLOURS = ("#4477aa", "#ee6677", "#228833", "#aa8800", "#66ccee", "#aa3377")
"""Of what is told apart in a figure, also by the colour-blind."""


def svg(figure: Figure, salt: str, *, letters: bool = True) -> bytes:
    """A figure as an SVG document.

    Args:
        figure: what is drawn.
        salt: what the names of shared shapes are made from, which are random without.
        letters: whether words stay text, which is drawn in whatever font the reader has; else they are outlines.
    """
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none" if letters else "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()
