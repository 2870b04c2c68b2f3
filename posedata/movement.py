"""A sequence as a dataset of the package movement (https://movement.neuroinformatics.dev). Extra `[movement]`.

`posedata.formats.keypoints.movement` reads what is saved from here.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError
from posedata.geometry import to_pixels
from posedata.skeleton import KEYPOINTS, K
from posedata.store.reader import Store
from posedata.store.views import find_sequence, frames_of, sequence_names

if TYPE_CHECKING:
    import xarray


def to_movement(store: Store, sequence: str, points: NDArray[np.floating] | None = None) -> "xarray.Dataset":
    """A sequence in pixels of its source, the box undone, in the layout of movement's datasets of poses.

    Args:
        store: where it is.
        sequence: dataset/name, or the name alone where one dataset has it.
        points: (T, 25, 2) grid positions, x y, to hand over in place of the target's: peaks of the input, or what a
            model made of them. NaN = missing.

    Returns:
        `position` (time, space, keypoints, individuals) float64, NaN = missing, also where a frame has no box;
        `confidence` (time, keypoints, individuals), all NaN: not told. One individual, of the sequence's name.
        Times are the source's frame numbers, in seconds where its frame rate is known.

    Raises:
        BadInputError: if there is no such sequence, or `points` has another shape.
        IntegrityError: where the store is damaged.
    """
    import xarray

    number = find_sequence(sequence_names(store), sequence)
    frames = frames_of(store, number)
    grid = store.frames("target_points", frames) if points is None else points
    if grid.shape != (len(frames), K, 2):
        raise BadInputError(f"points: expected ({len(frames)}, {K}, 2), found {grid.shape}")
    pixels = to_pixels(grid.astype(np.float64), store.frames("box", frames).astype(np.float64))
    fps, time = float(store["sequence_fps"][number]), store.frames("frame_number", frames)
    timed = {"time_unit": "frames"} if np.isnan(fps) else {"time_unit": "seconds", "fps": fps}
    return xarray.Dataset(
        {
            "position": (("time", "space", "keypoints", "individuals"), pixels.transpose(0, 2, 1)[..., None]),
            "confidence": (("time", "keypoints", "individuals"), np.full((len(frames), K, 1), np.nan)),
        },
        coords={
            "time": time if np.isnan(fps) else time / fps,
            "space": ["x", "y"],
            "keypoints": list(KEYPOINTS),
            "individuals": [str(store["sequence_name"][number])],
        },
        attrs={"source_software": "posedata", "ds_type": "poses", **timed},
    )
