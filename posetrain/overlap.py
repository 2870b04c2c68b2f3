"""Windows that overlap, over frames that follow each other: where they lie, and what their frames count in a mean."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_OVERLAP = 4
"""Windows that see a frame at least, but near the ends of a run; all that there are of windows of 5."""

_MOST_STRIDE = 10
"""Frames; a third of a second of most films, in which people can do anything."""


_FEW = 4
"""Rises that tell nothing yet."""


def stride_of(frame_number: NDArray[np.int64]) -> int:
    """The n of a detector that saw every n-th frame of a video alone, at most every 10th; else 1.

    Args:
        frame_number: (T,) of all frames in which anybody was seen, rising. Most must be n apart.
    """
    rises, counts = np.unique(np.diff(frame_number), return_counts=True)
    if counts.sum() < _FEW or 2 * counts.max() <= counts.sum():
        return 1
    stride = int(rises[counts.argmax()])
    return stride if stride <= _MOST_STRIDE else 1


def runs_of(frame_number: NDArray[np.int64], *same: NDArray[np.integer], stride: int = 1) -> list[slice]:
    """Frames without a gap or a cut between them, as slices; together they are all frames, in order.

    Args:
        frame_number: (T,); from one frame of a run to the next it rises by `stride`.
        same: (T,) each; what all frames of a run have in common, as their shot.
        stride: 1, or see `stride_of`.
    """
    broken = np.diff(frame_number) != stride
    for values in same:
        broken |= np.diff(values) != 0
    edges = [0, *(np.flatnonzero(broken) + 1).tolist(), len(frame_number)]
    return [slice(a, b) for a, b in pairwise(edges)]


def pieces(run: slice, length: int, step: int) -> Iterator[tuple[int, int]]:
    """First frame and length of the windows that go over a run: `length` frames, or all if there are fewer.

    At a step of n a run is n tracks, each of every n-th frame, so that all frames are seen.
    """
    for first in range(run.start, min(run.start + step, run.stop)):
        frames = -(-(run.stop - first) // step)
        last = max(frames - length, 0)
        for start in [*range(0, last, max(length // _OVERLAP, 1)), last]:
            yield first + start * step, min(length, frames)


def lonely(there: NDArray[np.bool_], step: int) -> int:
    """How many frames of a run that are `there` have no other in their track."""
    return sum(len(there[first::step]) == 1 and bool(there[first]) for first in range(step))


def weights(length: int) -> NDArray[np.float64]:
    """(T,) what the frames of a window count in the mean: 1 2 3 2 1.

    A frame at an end has neighbours on one side only, so a model knows less of it.
    """
    places = np.arange(length)
    return np.asarray(np.minimum(places + 1.0, length - places))
