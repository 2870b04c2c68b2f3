"""Which square is cut from an image, and where keypoints are in it (seed 001, section 4.2.2). Pure.

Pixels are 0-based floats of the source image, (x, y). The grid of a crop is [0, 64) on both axes, NaN means missing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

CROP = 256
"""Pixels along either side of a crop."""

GRID = 64
"""Cells along either side of a heatmap."""

EXPANSION = 1.1
"""Of the box, in width and height."""

Floats = NDArray[np.float64]


class Square(NamedTuple):
    """A square of whole pixels that lies in its image."""

    left: int
    top: int
    side: int

    @property
    def corners(self) -> tuple[int, int, int, int]:
        """x0 y0 x1 y1."""
        return self.left, self.top, self.left + self.side, self.top + self.side


def crop_square(box: Floats, points: Floats, width: int, height: int) -> Square:
    """The square that shows one person in its middle.

    The longer side of the box, 10 % more, about the middle of the outermost keypoints. A square larger than the image
    is made as large as the image's shorter side; one that sticks out of the image is moved back into it, no further
    than needed. The seed tells of moves up and down; sideways the same is done, for nothing else keeps square and
    person whole.

    Args:
        box: (4,) COCO's: x, y, width, height.
        points: (n, 2) the labelled keypoints, at least one.
        width: of the image.
        height: of the image.
    """
    side = max(1, min(round(EXPANSION * float(max(box[2:]))), width, height))
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    left, top = (round(float(m) - side / 2) for m in middle)
    return Square(min(max(left, 0), width - side), min(max(top, 0), height - side), side)


def to_grid(points: Floats, square: Square) -> Floats:
    """(n, 2) positions on the grid of the crop; NaN for those outside of it. Its edges 0 and 64 are inside."""
    grid = (points - (square.left, square.top)) * (GRID / square.side)
    inside = ((grid >= 0) & (grid <= GRID)).all(axis=-1, keepdims=True)
    return np.where(inside, grid, np.nan)
