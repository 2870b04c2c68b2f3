"""A small picture of a store as SVG: poses on the grid, target and input. Text, so the same on every machine."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from posedata.geometry import GRID
from posedata.skeleton import KEYPOINTS, LIMBS

Floats = NDArray[np.float64]

_COLUMNS = 4
_MARGIN = 4
"""Grid px between two poses."""

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
    poses = zip(target, given, strict=True)
    return tiles([[*_discs(peaks, _RING), *stick_figure(points)] for points, peaks in poses])


def tiles(drawn: Sequence[Iterable[str]], grid: int = GRID) -> str:
    """An SVG document of drawings of `grid` cells in rows of four."""
    rows, tile = -(-len(drawn) // _COLUMNS), grid + _MARGIN
    width, height = _COLUMNS * tile, rows * tile
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width * _SCALE}" '
        f'height="{height * _SCALE}" stroke-linecap="round">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for i, marks in enumerate(drawn):
        row, column = divmod(i, _COLUMNS)
        lines.append(f'<g transform="translate({column * tile + 2} {row * tile + 2})">')
        lines.append(f'<rect width="{grid}" height="{grid}" fill="#f4f4f4"/>')
        lines += [*marks, "</g>"]
    return "\n".join([*lines, "</svg>", ""])


def stick_figure(
    points: Floats, names: Sequence[str] = KEYPOINTS, limbs: Iterable[tuple[int, int]] = LIMBS
) -> Iterator[str]:
    """Limbs and dots of one pose: (K, 2) grid positions, NaN = missing, of keypoints with these names."""
    for a, b in limbs:
        if not np.isnan(points[[a, b]]).any():
            (x1, y1), (x2, y2) = points[a], points[b]
            ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
            yield f'<line {ends} stroke="{_colour(names[a], names[b])}" stroke-width="0.9"/>'
    yield from _discs(points, _DOT, names)


def _discs(points: Floats, look: str, names: Sequence[str] = KEYPOINTS) -> Iterator[str]:
    for name, (x, y) in zip(names, points, strict=True):
        if not np.isnan(x):
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" {look.format(_colour(name))}/>'


def _colour(*names: str) -> str:
    sides = {name.partition("_")[0] for name in names}
    return _COLOURS.get(sides.pop(), _MIDDLE) if len(sides) == 1 else _MIDDLE
