"""The picture of a store of temporal heatmaps: which of its poses are drawn."""

import numpy as np
from numpy.typing import NDArray

from posedata.geometry import cell_centres
from posedata.heatmaps import peaks
from posedata.sketch import sketch
from posedata.store.arrays import StoredArrays

_POSES = 8
"""In the picture."""


def picture(arrays: StoredArrays) -> str:
    """An SVG document: a few frames from all over a store, see `posedata.sketch`."""
    frames = _telling_frames(arrays)
    target = arrays["target_points"].rows(frames).astype(np.float64)
    if "input_cells" in arrays:
        given = cell_centres(arrays["input_cells"].rows(frames))
    else:
        given = peaks(arrays["input_heatmaps"].rows(frames))
    return sketch(target, given)


def _telling_frames(arrays: StoredArrays) -> NDArray[np.int64]:
    """Of some sequences, from all over the store, the first frame that has most keypoints."""
    ends = np.cumsum(arrays["sequence_length"][:])
    chosen = np.unique(np.linspace(0, len(ends) - 1, _POSES).round().astype(int))
    frames = []
    for number in chosen.tolist():
        start = int(ends[number - 1]) if number else 0
        annotated = arrays["annotated"][start : int(ends[number])]
        frames.append(start + int(np.count_nonzero(annotated, axis=1).argmax()))
    return np.asarray(frames, np.int64)
