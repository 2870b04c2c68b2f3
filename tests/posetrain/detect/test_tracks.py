"""Linking, filling, and the square that is cut: by hand."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posedata.crops.geometry import crop_square
from posetrain.detect.tracks import BRIDGE, SHORTEST, filled, linked, square_of


def box(x: float, y: float = 0.0, width: float = 10.0, height: float = 20.0) -> list[float]:
    return [x, y, width, height]


def frames(*rows: Sequence[list[float]], first: int = 0) -> list[tuple[int, np.ndarray]]:
    return [(n, np.asarray(row, np.float64).reshape(-1, 4)) for n, row in enumerate(rows, start=first)]


@pytest.mark.parametrize(("shift", "people"), [(5.3, 1), (5.5, 2)])
def test_what_counts_is_intersection_over_union(shift: float, people: int) -> None:
    """Boxes 10 wide and s apart share (10 - s) / (10 + s): 0.307 and 0.290."""
    assert linked(frames([box(0)], [box(shift)])) == ([], people)  # too short, all of them
    assert linked(frames([box(0)], [box(0, 0, 10, 60)])) == ([], 1)  # of which it is a third


def test_people_are_followed_whatever_the_order_of_their_boxes() -> None:
    tracks, short = linked(frames(*([box(0 + n), box(50 - n)][:: (-1) ** n] for n in range(6))))
    assert short == 0
    assert [[b[0] for b in track.values()] for track in tracks] == [[0, 1, 2, 3, 4, 5], [50, 49, 48, 47, 46, 45]]


def test_who_crosses_another_is_expected_where_they_went() -> None:
    """Between frames 5 and 6 they change sides; the box next to a track's last one is then the other's."""
    walks = [[box(3.0 * n), box(32 - 3.0 * n)] for n in range(11)]
    tracks, _ = linked(frames(*walks))
    assert [[b[0] for b in track.values()] for track in tracks] == [
        [3.0 * n for n in range(11)],
        [32 - 3.0 * n for n in range(11)],
    ]


def test_all_are_matched_together_not_the_best_one_first() -> None:
    """Box 4 overlaps track 0 best, but then nothing would be left for track 7's person."""
    start = [[box(0), box(7)]] * SHORTEST
    tracks, _ = linked(frames(*start, [box(4), box(-4)]))
    assert [track[SHORTEST][0] for track in tracks] == [-4, 4]


def test_a_gap_is_bridged_and_a_longer_one_is_not() -> None:
    seen = [[box(0)]] * SHORTEST
    for gap, people in ((BRIDGE, 1), (BRIDGE + 1, 2)):
        tracks, short = linked(frames(*seen, *[[]] * gap, *seen))
        assert (len(tracks), short) == (people, 0)


def test_a_jump_begins_another_person_and_short_ones_are_left_out() -> None:
    tracks, short = linked(frames(*[[box(0)]] * SHORTEST, *[[box(40)]] * (SHORTEST - 1)))
    assert [sorted(track) for track in tracks] == [[0, 1, 2, 3, 4]]
    assert short == 1
    assert linked([]) == ([], 0)
    assert linked(frames([], [])) == ([], 0)


def test_gaps_are_filled_on_a_straight_line() -> None:
    track = filled("ann", {7: np.asarray(box(30)), 3: np.asarray(box(10, 4)), 4: np.asarray(box(15))}, range(50))
    assert track.frames.tolist() == [3, 4, 5, 6, 7]
    assert track.filled == 2
    assert track.boxes[:, 0].tolist() == [10, 15, 20, 25, 30]
    assert track.boxes[:, 1].tolist() == [4, 0, 0, 0, 0]
    assert track.boxes[:, 2:].tolist() == [[10, 20]] * 5


@pytest.mark.parametrize(("gap", "added"), [(BRIDGE, BRIDGE), (BRIDGE + 1, 0)])
def test_only_small_gaps_are_filled(gap: int, added: int) -> None:
    track = filled("", {0: np.asarray(box(0)), gap + 1: np.asarray(box(9))}, range(100))
    assert (track.filled, len(track.frames)) == (added, added + 2)


def test_frames_that_are_not_there_are_not_filled() -> None:
    track = filled("", {0: np.asarray(box(0)), 4: np.asarray(box(8))}, [0, 1, 4])
    assert track.frames.tolist() == [0, 1, 4]
    assert track.boxes[:, 0].tolist() == [0, 2, 8]


SIZE = (320, 200)
side = st.floats(1, 400)


def test_a_square_is_that_of_a_training_crop_whose_keypoints_are_about_the_boxs_middle() -> None:
    inside = np.asarray([100.0, 60, 40, 90])
    keypoints = np.asarray([[105.0, 150], [135, 60], [120, 105]])  # their middle is 120, 105
    assert square_of(inside, SIZE) == crop_square(inside, keypoints, *SIZE) == (70, 56, 99)


@given(st.floats(0, 320), st.floats(0, 200), side, side)
def test_a_square_lies_in_the_frame_and_holds_the_middle_of_what_is_seen(
    x: float, y: float, w: float, h: float
) -> None:
    square = square_of(np.asarray([x - w / 2, y - h / 2, w, h]), SIZE)
    left, top, right, bottom = square.corners
    assert 0 <= left < right <= 320
    assert 0 <= top < bottom <= 200
    low, high = np.clip([x - w / 2, y - h / 2], 0, SIZE), np.clip([x + w / 2, y + h / 2], 0, SIZE)
    middle = (low + high) / 2
    assert left - 1 <= middle[0] <= right + 1
    assert top - 1 <= middle[1] <= bottom + 1
    assert square.side == max(1, min(round(1.1 * (high - low).max()), 320, 200))
