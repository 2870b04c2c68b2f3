"""A small picture of a store as SVG: poses on the grid, target and input. Text, so the same on every machine."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from posedata.geometry import GRID
from posedata.skeleton import KEYPOINTS, LIMBS

Floats = NDArray[np.float64]

_COLUMNS = 4
_TILE = 60
"""Grid px from one pose to the next: the grid and a margin."""

_SCALE = 4
"""Screen px a grid px."""

_COLOURS = {"left": "#1f6fb4", "right": "#d95f02"}
_MIDDLE = "#555555"
_DOT = 'r="0.8" fill="{}"'
_RING = 'r="1" fill="none" stroke="{}" stroke-width="0.4" opacity="0.6"'


def sketch(target: Floats, given: Floats) -> str:
    """Poses in rows of four: limbs and dots are the target, rings stand where the input has its maxima.

    Args:
        target: (N, 25, 2) grid positions, x y; NaN = missing.
        given: (N, 25, 2) likewise, of the input.

    Returns:
        An SVG document; left is blue, right orange.
    """
    rows = -(-len(target) // _COLUMNS)
    width, height = _COLUMNS * _TILE, rows * _TILE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width * _SCALE}" '
        f'height="{height * _SCALE}" stroke-linecap="round">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for i, (points, peaks) in enumerate(zip(target, given, strict=True)):
        row, column = divmod(i, _COLUMNS)
        lines.append(f'<g transform="translate({column * _TILE + 2} {row * _TILE + 2})">')
        lines.append(f'<rect width="{GRID}" height="{GRID}" fill="#f4f4f4"/>')
        lines += [*_discs(peaks, _RING), *_limbs(points), *_discs(points, _DOT), "</g>"]
    return "\n".join([*lines, "</svg>", ""])


def _limbs(points: Floats) -> Iterator[str]:
    for a, b in LIMBS:
        if not np.isnan(points[[a, b]]).any():
            (x1, y1), (x2, y2) = points[a], points[b]
            ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
            yield f'<line {ends} stroke="{_colour(a, b)}" stroke-width="0.9"/>'


def _discs(points: Floats, look: str) -> Iterator[str]:
    for i, (x, y) in enumerate(points):
        if not np.isnan(x):
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" {look.format(_colour(i))}/>'


def _colour(*keypoints: int) -> str:
    sides = {KEYPOINTS[i].partition("_")[0] for i in keypoints}
    return _COLOURS.get(sides.pop(), _MIDDLE) if len(sides) == 1 else _MIDDLE
