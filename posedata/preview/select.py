"""Which sequences and frames are shown. Pure."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def frames_between(numbers: NDArray[np.integer], first: int | None, end: int | None) -> Ints:
    """Places of the frames whose number in the source is `first` or more and below `end`; None = no bound.

    Raises:
        BadInputError: if there are none.
    """
    kept = np.ones(len(numbers), np.bool_)
    if first is not None:
        kept &= numbers >= first
    if end is not None:
        kept &= numbers < end
    if not kept.any():
        asked = f"{'' if first is None else first}:{'' if end is None else end}"
        there = f"{numbers.min()}:{numbers.max() + 1}"
        raise BadInputError(f"frames {asked!r}: expected some of {there!r}, found none")
    return np.flatnonzero(kept)


def evenly(positions: Ints, count: int) -> Ints:
    """At most `count` of them, evenly spread, the first and the last among them."""
    chosen = np.linspace(0, len(positions) - 1, min(count, len(positions)))
    return positions[np.rint(chosen).astype(np.int64)]


def draw_lots(names: Sequence[str], count: int, seed: int) -> Ints:
    """Numbers of `count` sequences, rising: those whose sha256(seed, name) is least."""
    lots = [hashlib.sha256(f"{seed}\n{name}".encode()).digest() for name in names]
    return np.sort(np.asarray(sorted(range(len(names)), key=lots.__getitem__)[:count], np.int64))


def most(measure: Floats, count: int) -> Ints:
    """Numbers of the `count` sequences with the largest measure, the largest first; NaN comes last."""
    return np.argsort(np.where(np.isnan(measure), np.inf, -measure), kind="stable")[:count]


def mean(measure: Floats) -> float:
    """Of the frames that have a measure; NaN if none has."""
    known = measure[~np.isnan(measure)]
    return float(known.mean()) if len(known) else np.nan


def typical(measure: Floats) -> int:
    """The frame whose measure is nearest to the mean of its sequence; on a tie the one nearest to the middle.

    Args:
        measure: (T,), NaN = no measure; such a frame is taken only where all are.
    """
    off = np.nan_to_num(np.abs(measure - mean(measure)), nan=np.inf)
    middle = np.abs(np.arange(len(measure)) - (len(measure) - 1) / 2)
    return int(np.lexsort((middle, off))[0])
