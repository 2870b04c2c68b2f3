"""What a store says of all its frames: counts and means, found some frames at a time. Arrays in, numbers out."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.splits import SPLITS, TRAIN, Splits
from posedata.windows import WINDOW, span, window_starts, within_split, without_overlap

_WANTED = ("train", "validation", "test")
"""Splits without which a store cannot be trained on or scored."""

_BLOCK = 65536
"""Frames."""


class Block(NamedTuple):
    """Frames of whole sequences, n in all: what `posedata.windows` asks for, and split numbers; each (n,)."""

    sequence: NDArray[np.integer]
    frame_number: NDArray[np.integer]
    shot: NDArray[np.integer]
    split: Splits


def whole_sequences(lengths: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Start and stop of runs of whole sequences, some ten thousand frames each or a longer sequence."""
    start = stop = 0
    for length in lengths:
        stop += length
        if stop - start >= _BLOCK:
            yield start, stop
            start = stop
    if stop > start:
        yield start, stop


def count(blocks: Iterable[Block], sequences: int, annotated: int, empty: int) -> dict[str, Any]:
    """The counts of a store, as its attributes have them.

    Args:
        blocks: all frames.
        sequences: how many there are.
        annotated: keypoints annotated in boxed frames.
        empty: frames without a box.
    """
    frames, total, windows, reach = 0, 0, dict.fromkeys(SPLITS, 0), span(WINDOW, 1) - 1
    for block in blocks:
        starts = window_starts(block.sequence, block.frame_number, block.shot, WINDOW)
        frames += len(block.split)
        total += len(starts)
        for name, number in SPLITS.items():
            inside = within_split(starts, block.split, number, reach)
            windows[name] += len(inside if number == TRAIN else without_overlap(inside, reach))
    return {
        "frames": frames,
        "sequences": sequences,
        "windows_total": total,
        "windows": windows,
        "annotated_keypoints": annotated,
        "empty_frames": empty,
    }


def splits_without_windows(counts: Mapping[str, Any]) -> list[str]:
    """Splits that training and scoring need, and that have no window."""
    return [name for name in _WANTED if not counts["windows"][name]]


def exact_mean(blocks: Iterable[NDArray[np.float64]]) -> float:
    """Mean of the values that are not NaN; NaN if there are none.

    The sum is exact, so neither the order of the values nor the size of the blocks shows in it.
    """
    number = 0

    def values() -> Iterator[float]:
        nonlocal number
        for block in blocks:
            there = block[~np.isnan(block)]
            number += len(there)
            yield from there.tolist()

    total = math.fsum(values())
    return total / number if number else math.nan
