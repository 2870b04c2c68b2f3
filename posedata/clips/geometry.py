"""People in three dimensions: how large they are, where up is, and how they look from two sides. Pure.

Coordinates are metres, (x, y, z). Whoever cut the clips says neither which axis is up nor whether joints are seen from
the camera; so up is measured.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.clips.joints import INDEX

Floats = NDArray[np.float64]

_AXES = "xyz"
_FEET = [INDEX["left_foot"], INDEX["right_foot"]]


class Views(NamedTuple):
    """A person from two sides: (..., 17, 2) metres, right and down positive, each.

    Attributes:
        front: along the axis that is neither up nor right.
        side: from the right hand of whoever sees the front.
    """

    front: Floats
    side: Floats


def extents(joints: Floats) -> Floats:
    """(...,) metres: the longest side of the box around (..., 17, 3) joints; NaN or infinite where one is."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray((joints.max(axis=-2) - joints.min(axis=-2)).max(axis=-1))


def rises(joints: Floats) -> Floats:
    """(..., 3) metres from between the feet to the head, of (..., 17, 3) joints."""
    return np.asarray(joints[..., INDEX["head"], :] - joints[..., _FEET, :].mean(axis=-2))


def up_axis(rise: Floats) -> str:
    """Where heads are above feet: "+x", "-x", ... "-z", of the (3,) mean of `rises`."""
    axis = int(np.abs(rise).argmax())
    return f"{'-' if rise[axis] < 0 else '+'}{_AXES[axis]}"


def views(joints: Floats, up: str) -> Views:
    """How (..., 17, 3) joints look, without perspective.

    The front has the first of the two other axes to the right. Of the coordinates of a camera (x right, y down, z away:
    up is "-y") that is what the camera sees; of a room (z up) it is the view along y.

    Args:
        joints: metres.
        up: one of `up_axis`.
    """
    upward = np.zeros(3)
    upward[_AXES.index(up[1])] = -1 if up[0] == "-" else 1
    right = np.zeros(3)
    right[0 if up[1] != "x" else 1] = 1
    away = np.cross(upward, right)
    seen = joints @ np.stack([right, away, -upward], axis=1)
    return Views(seen[..., [0, 2]], seen[..., [1, 2]])
