from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posedata.windows import span, window_starts, within_split, without_overlap


class Frames(NamedTuple):
    sequence: np.ndarray
    number: np.ndarray
    shot: np.ndarray


@st.composite
def frames(draw: st.DrawFn) -> Frames:
    """Sequences one after another: numbers rise, shots never fall, and both start anywhere."""
    sequence, number, shot = [], [], []
    for i in range(draw(st.integers(0, 4))):
        at, cut = draw(st.integers(0, 3)), draw(st.integers(0, 2))
        for _ in range(draw(st.integers(1, 25))):
            sequence.append(i)
            number.append(at)
            shot.append(cut)
            at += draw(st.sampled_from([1, 1, 1, 1, 1, 1, 2, 5]))
            cut += draw(st.sampled_from([0, 0, 0, 0, 0, 0, 1]))
    return Frames(*(np.asarray(a, np.int32) for a in (sequence, number, shot)))


lengths = st.sampled_from([1, 2, 3, 5])
steps = st.sampled_from([1, 2])


def reference(f: Frames, length: int, step: int) -> list[int]:
    found = []
    for start in range(len(f.sequence)):
        good = True
        for i in range(length):
            at = start + i * step
            good = good and at < len(f.sequence)
            good = good and f.sequence[at] == f.sequence[start]
            good = good and f.shot[at] == f.shot[start]
            good = good and f.number[at] == f.number[start] + i * step
        if good:
            found.append(start)
    return found


@settings(max_examples=200, deadline=None)
@given(frames(), lengths, steps)
def test_windows_are_those_found_by_looking_at_every_frame(f: Frames, length: int, step: int) -> None:
    assert window_starts(*f, length, step).tolist() == reference(f, length, step)


@settings(max_examples=100, deadline=None)
@given(frames(), lengths, steps, st.data())
def test_a_window_belongs_to_a_split_if_all_frames_that_it_spans_do(
    f: Frames, length: int, step: int, data: st.DataObject
) -> None:
    numbers = st.lists(st.sampled_from([0, 0, 0, 0, 1, 255]), min_size=len(f.sequence), max_size=len(f.sequence))
    split = np.asarray(data.draw(numbers), np.uint8)
    starts = np.asarray(reference(f, length, step), np.int64)
    reach = (length - 1) * step
    for number in (0, 1, 2):
        expected = [s for s in starts.tolist() if all(split[s : s + reach + 1] == number)]
        assert within_split(starts, split, number, reach).tolist() == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 80), unique=True).map(sorted), st.integers(0, 9))
def test_windows_without_overlap_are_taken_greedily_from_the_front(starts: list[int], reach: int) -> None:
    taken: list[int] = []
    used: set[int] = set()
    for start in starts:
        covered = set(range(start, start + reach + 1))
        if not covered & used:
            taken.append(start)
            used |= covered
    assert without_overlap(np.asarray(starts, np.int64), reach).tolist() == taken


def test_by_default_a_window_is_five_frames_in_a_row() -> None:
    plain = Frames(np.zeros(7, np.int32), np.arange(7), np.zeros(7, np.int32))
    assert window_starts(*plain).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("number", "shot", "sequence", "expected"),
    [
        ([0, 1, 2, 4, 5, 6], [0] * 6, [0] * 6, [0, 3]),
        ([0, 1, 2, 3, 4, 5], [0, 0, 0, 1, 1, 1], [0] * 6, [0, 3]),
        ([0, 1, 2, 3, 4, 5], [0] * 6, [0, 0, 0, 1, 1, 1], [0, 3]),
        ([0, 1, 2, 0, 1, 2], [0] * 6, [0, 0, 0, 1, 1, 1], [0, 3]),
    ],
    ids=["gap", "shot", "sequence going on", "sequence"],
)
def test_no_window_crosses(number: list[int], shot: list[int], sequence: list[int], expected: list[int]) -> None:
    found = window_starts(np.asarray(sequence), np.asarray(number), np.asarray(shot), length=3)
    assert found.tolist() == expected


def test_large_numbers_do_not_wrap() -> None:
    number = np.asarray([-(2**31), 2**31 - 1], np.int32)
    assert window_starts(np.zeros(2, int), number, np.zeros(2, int), length=2).tolist() == []


@pytest.mark.parametrize(("length", "step", "frames"), [(1, 1, 1), (5, 1, 5), (5, 2, 9), (1, 2, 1)])
def test_span_counts_from_the_first_to_the_last_frame(length: int, step: int, frames: int) -> None:
    assert span(length, step) == frames


def test_inputs_are_not_changed() -> None:
    f = Frames(np.zeros(9, np.int32), np.arange(9), np.zeros(9, np.int32))
    split = np.zeros(9, np.uint8)
    before = [a.copy() for a in (*f, split)]
    starts = window_starts(*f)
    kept = starts.copy()
    within_split(starts, split, 0, 4)
    without_overlap(starts, 4)
    for now, then in zip((*f, split, starts), (*before, kept), strict=True):
        np.testing.assert_array_equal(now, then)
