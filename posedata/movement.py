"""A sequence as a dataset of the package movement (https://movement.neuroinformatics.dev). Extra `[movement]`.

`posedata.formats.keypoints.movement` reads what is saved from here.
"""

from collections.abc import Sequence
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
    number = find_sequence(sequence_names(store), sequence)
    frames = frames_of(store, number)
    grid = store.frames("target_points", frames) if points is None else points
    if grid.shape != (len(frames), K, 2):
        raise BadInputError(f"points: expected ({len(frames)}, {K}, 2), found {grid.shape}")
    pixels = to_pixels(grid.astype(np.float64), store.frames("box", frames).astype(np.float64))
    name, fps = str(store["sequence_name"][number]), float(store["sequence_fps"][number])
    told = np.full((len(frames), K, 1), np.nan)
    return poses_dataset(pixels[:, :, None], told, store.frames("frame_number", frames), fps, KEYPOINTS, [name])


def poses_dataset(
    points: NDArray[np.float64],
    confidence: NDArray[np.float64],
    frame_number: NDArray[np.integer],
    fps: float,
    keypoints: Sequence[str],
    individuals: Sequence[str],
) -> "xarray.Dataset":
    """Poses in the layout of movement.

    Args:
        points: (T, J, I, 2) pixels of J keypoints and I individuals, NaN = missing.
        confidence: (T, J, I), NaN = not told.
        frame_number: (T,), strictly increasing.
        fps: frames a second, NaN = unknown.
        keypoints: their names.
        individuals: their names.
    """
    import xarray

    timed = {"time_unit": "frames"} if np.isnan(fps) else {"time_unit": "seconds", "fps": fps}
    return xarray.Dataset(
        {
            "position": (("time", "space", "keypoints", "individuals"), points.transpose(0, 3, 1, 2)),
            "confidence": (("time", "keypoints", "individuals"), confidence),
        },
        coords={
            "time": frame_number if np.isnan(fps) else frame_number / fps,
            "space": ["x", "y"],
            "keypoints": list(keypoints),
            "individuals": list(individuals),
        },
        attrs={"source_software": "posedata", "ds_type": "poses", **timed},
    )
