"""Windows: runs of frames of one sequence that a model sees at once. Pure functions over frame arrays.

All arrays have one entry a frame of a store, N in all; positions are indices into them.
"""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

WINDOW = 5
"""Frames of the windows that are counted (seed 000, section 1.2.2)."""


def span(length: int, step: int) -> int:
    """Frames from the first to the last of a window of `length` frames, `step` apart."""
    return (length - 1) * step + 1


def window_starts(
    sequence: NDArray[np.integer],
    frame_number: NDArray[np.integer],
    shot: NDArray[np.integer],
    length: int = WINDOW,
    step: int = 1,
) -> Ints:
    """First positions of all windows whose frames are consecutive: same sequence, same shot, no gap.

    Args:
        sequence: (N,) number of the frame's sequence.
        frame_number: (N,) number of the frame in its source.
        shot: (N,) number of the frame's shot.
        length: frames in a window.
        step: frames from one frame of a window to the next; 2 is half the frame rate.

    Returns:
        (W,) positions in rising order. A window holds start, start + step, ...
    """
    reach = span(length, step) - 1
    count = max(len(sequence) - reach, 0)
    first, last = slice(0, count), slice(reach, reach + count)
    whole = (
        (sequence[first] == sequence[last])
        & (shot[first] == shot[last])
        & (frame_number[last].astype(np.int64) - frame_number[first] == reach)
    )
    return np.flatnonzero(whole)


def within_split(starts: Ints, split: NDArray[np.uint8], number: int, reach: int) -> Ints:
    """The windows all of whose frames belong to split `number`; `reach` is `span` - 1."""
    changes = np.concatenate([[0], np.cumsum(split[1:] != split[:-1])])
    kept: Ints = starts[(split[starts] == number) & (changes[starts] == changes[starts + reach])]
    return kept


def without_overlap(starts: Ints, reach: int) -> Ints:
    """From the front, the windows that share no frame with one already taken; `reach` is `span` - 1."""
    kept, end = [], -1
    for start in starts.tolist():
        if start > end:
            kept.append(start)
            end = start + reach
    return np.asarray(kept, np.int64)
