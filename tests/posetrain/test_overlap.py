import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from posetrain.overlap import lonely, pieces, runs_of, stride_of, weights


@given(start=st.integers(0, 50), frames=st.integers(1, 200), length=st.integers(1, 70), step=st.integers(1, 5))
@settings(max_examples=200, deadline=None)
def test_pieces_see_every_frame_of_a_run_and_no_other(start: int, frames: int, length: int, step: int) -> None:
    found = list(pieces(slice(start, start + frames), length, step))
    seen = np.concatenate([first + step * np.arange(count) for first, count in found])
    assert set(seen.tolist()) == set(range(start, start + frames))
    assert {count for _, count in found} <= {length} | {len(range(o, frames, step)) for o in range(min(step, frames))}
    assert len(found) == len(set(found))


def test_pieces_of_a_long_run_by_hand() -> None:
    assert list(pieces(slice(10, 30), 8, 1)) == [(10, 8), (12, 8), (14, 8), (16, 8), (18, 8), (20, 8), (22, 8)]
    assert list(pieces(slice(10, 15), 8, 1)) == [(10, 5)]
    assert list(pieces(slice(10, 15), 8, 2)) == [(10, 3), (11, 2)]


def test_a_run_ends_at_a_gap_and_where_what_is_shared_changes() -> None:
    number, shot = np.asarray([3, 4, 5, 9, 10, 11, 12]), np.asarray([0, 0, 0, 0, 0, 1, 1])
    assert runs_of(number) == [slice(0, 3), slice(3, 7)]
    assert runs_of(number, shot) == [slice(0, 3), slice(3, 5), slice(5, 7)]
    assert runs_of(np.arange(7), shot, number) == [slice(0, 1), *(slice(i, i + 1) for i in range(1, 7))]
    assert runs_of(number[:1]) == [slice(0, 1)]


def test_frames_may_rise_by_more_than_one() -> None:
    assert stride_of(np.asarray([4, 6, 8, 9, 11, 20, 22])) == 2  # four of six
    assert stride_of(np.asarray([4, 6, 8, 9, 10, 20, 22])) == 1  # three of six
    assert [stride_of(np.arange(0, 60, step)) for step in (1, 10, 11)] == [1, 10, 1]
    assert [stride_of(np.arange(0, 2 * count, 2)) for count in (0, 1, 4, 5)] == [1, 1, 1, 2]
    assert runs_of(np.asarray([4, 6, 8, 9, 11, 20]), stride=2) == [slice(0, 3), slice(3, 5), slice(5, 6)]


def test_frames_that_are_alone_in_their_track() -> None:
    assert [lonely(np.ones(frames, bool), 1) for frames in (1, 2)] == [1, 0]
    assert [lonely(np.ones(frames, bool), 3) for frames in (1, 3, 4, 5, 6)] == [1, 3, 2, 1, 0]
    assert lonely(np.asarray([True, False, True]), 2) == 0  # what is alone is not there


def test_a_windows_middle_counts_more() -> None:
    assert [weights(length).tolist() for length in (1, 4, 5)] == [[1], [1, 2, 2, 1], [1, 2, 3, 2, 1]]
