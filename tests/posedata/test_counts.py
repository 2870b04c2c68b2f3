"""What is said of all frames: by hand, and whatever the blocks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posedata import counts
from posedata.counts import Block, count, exact_mean, splits_without_windows, whole_sequences


def block(sequence: int, split: int, numbers: range | list[int]) -> Block:
    length = len(numbers)
    every = (np.full(length, sequence), np.asarray(numbers), np.zeros(length, np.int64))
    return Block(*every, np.full(length, split, np.uint8))


def test_windows_of_all_splits() -> None:
    # 12 frames have 8 windows, of which 2 share no frame; a gap after 6 of 11 leaves 2 + 1.
    found = count([block(0, 0, range(12)), block(1, 2, range(12)), block(2, 1, [*range(6), *range(7, 12)])], 3, 70, 2)
    assert found == {
        "frames": 35,
        "sequences": 3,
        "windows_total": 8 + 8 + 3,
        "windows": {"train": 8, "validation": 2, "test": 2, "held_out": 0},
        "annotated_keypoints": 70,
        "empty_frames": 2,
    }
    assert splits_without_windows(found) == []


def test_splits_that_training_needs() -> None:
    assert splits_without_windows(count([block(0, 0, range(5))], 1, 0, 0)) == ["validation", "test"]


@given(st.lists(st.integers(1, 9), min_size=1), st.integers(1, 20))
def test_blocks_are_of_whole_sequences(lengths: list[int], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counts, "_BLOCK", most)
        blocks = list(whole_sequences(lengths))
    ends = set(np.cumsum([0, *lengths]).tolist())
    assert [start for start, _ in blocks] == [0, *(stop for _, stop in blocks[:-1])]
    assert blocks[-1][1] == sum(lengths)
    assert {edge for pair in blocks for edge in pair} <= ends
    assert all(stop - start >= most for start, stop in blocks[:-1])


def test_the_mean_is_exact_and_knows_nan() -> None:
    # 0.1 ten times sums to 0.9999999999999999 in floats.
    assert exact_mean([np.full(4, 0.1), np.asarray([math.nan]), np.full(6, 0.1)]) == 0.1
    assert math.isnan(exact_mean([np.asarray([math.nan])]))
    assert math.isnan(exact_mean([]))
