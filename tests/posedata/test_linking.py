"""Who is who: by hand."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posedata import linking
from posedata.linking import MOST_GAP, link_poses, similarity

POSE = np.asarray([[0.0, 0.0], [40.0, 0.0], [0.0, 90.0], [40.0, 90.0]])
"""Four joints: a box of 3600 px^2, so 60 px is its size."""


def at(x: float, y: float = 0.0) -> np.ndarray:
    return POSE + np.asarray([x, y])


def frames(*rows: Sequence[np.ndarray], every: int = 1) -> Iterator[tuple[int, np.ndarray]]:
    return ((every * n, np.asarray(row).reshape(-1, 4, 2)) for n, row in enumerate(rows))


ONE = np.ones(1)


@pytest.mark.parametrize(("shift", "gap"), [(0.0, 1.0), (9.0, 1.0), (18.0, 4.0), (60.0, 1.0)])
def test_similarity_is_that_of_coco(shift: float, gap: float) -> None:
    """exp(-d^2 / (2 s^2 kappa^2)) by hand: s = 60, kappa = 0.15 times the root of the frames."""
    expected = np.exp(-(shift**2) / (2 * 60**2 * 0.15**2 * gap))
    assert similarity(at(0)[None], at(shift)[None], np.asarray([gap])) == pytest.approx(expected)


def test_joints_that_one_lacks_count_as_far_off() -> None:
    """By the number of joints of the one that has more: a part of somebody is less like them than all of them is."""
    whole, half, other = at(0), at(9), at(0)
    full = similarity(whole[None], at(9)[None], ONE)
    half[0] = np.nan
    assert similarity(whole[None], half[None], ONE) == pytest.approx(0.75 * full)
    other[1] = np.nan
    assert similarity(other[None], half[None], ONE) == pytest.approx(2 / 3 * full)
    half[2:] = np.nan
    nobody = np.full_like(half, np.nan)
    assert similarity(other[None], np.stack([half, nobody]), ONE).tolist() == [[0, 0]]


def test_of_two_tracks_that_are_as_near_the_one_that_was_seen_often_goes_on() -> None:
    """A pose 1.2 px from somebody, and 0.8 from a second find of them in the frame before."""
    assert link_poses(frames(*[[at(0)]] * 4, [at(0), at(2)], [at(1.2)]))[0] == dict.fromkeys(range(6), 0)


def test_of_two_tracks_that_are_as_near_the_one_that_was_just_seen_goes_on() -> None:
    """A pose 3 px from two, of whom one was not seen for three frames."""
    both, one = [at(0), at(6)], [at(6)]
    first, second = link_poses(frames(*[both] * 10, *[one] * 3, [at(3)]))
    assert (max(first), max(second)) == (9, 13)


@pytest.mark.parametrize("joints", [1, 3, 4])
@pytest.mark.parametrize("step", [0.0, 3.0])
def test_a_second_find_of_somebody_in_one_frame_does_not_split_them(joints: int, step: float) -> None:
    rng = np.random.default_rng(0)
    walk = [[at(step * n) + rng.normal(0, 2, (4, 2))] for n in range(60)]
    again = walk[15][0] + rng.normal(0, 1, (4, 2))
    again[joints:] = np.nan
    walk[15] = [walk[15][0], again]
    tracks = link_poses(frames(*walk))
    lengths = sorted(map(len, tracks))
    assert lengths in ([1, 60], [2, 59])  # which of two of a place is the person nobody can tell


def test_the_larger_of_two_sizes_counts() -> None:
    small = at(0) / 10
    assert similarity(small[None], at(0)[None], ONE) == similarity(at(0)[None], small[None], ONE) > 0


def test_a_pose_without_area_is_like_itself_alone() -> None:
    point = np.full((1, 4, 2), 7.0)
    assert similarity(point, np.concatenate([point, point + 9]), ONE) == pytest.approx(np.asarray([[1, 0]]))


def test_people_are_linked_whatever_their_order() -> None:
    walk = [[at(4 * n), at(300 - 4 * n)][:: (-1) ** n] for n in range(4)]
    assert link_poses(frames(*walk)) == [{0: 0, 1: 1, 2: 0, 3: 1}, {0: 1, 1: 0, 2: 1, 3: 0}]


@pytest.mark.parametrize("every", [1, 3])
def test_people_who_cross_are_expected_where_they_went(every: int) -> None:
    """Two of the same pose; in the middle they change sides."""
    walk = [[at(5 * n), at(152 - 5 * n)] for n in range(30)]
    assert link_poses(frames(*walk, every=every)) == [{every * n: i for n in range(30)} for i in (0, 1)]


@pytest.mark.parametrize(("gap", "people"), [(MOST_GAP, 1), (MOST_GAP + 1, 2)])
def test_a_track_ends_after_so_many_frames(gap: int, people: int) -> None:
    assert len(link_poses(frames([at(0)], *[[]] * gap, [at(0)]))) == people


def test_a_joint_that_is_not_seen_moves_with_the_others() -> None:
    """Its frame, the third, shows upper joints alone; the fourth, lower ones alone."""
    upper, lower = at(28), at(42)
    upper[2:] = lower[:2] = np.nan
    assert link_poses(frames([at(0)], [at(14)], [upper], [lower])) == [{0: 0, 1: 0, 2: 0, 3: 0}]


def test_a_jump_begins_another_track() -> None:
    assert link_poses(frames([at(0)], [at(500)], [at(500), at(0)])) == [{0: 0, 2: 1}, {1: 0, 2: 0}]
    assert link_poses(frames()) == link_poses(frames([], [])) == []


points = st.floats(-1e4, 1e4) | st.just(np.nan)


@given(st.lists(st.lists(st.lists(points, min_size=8, max_size=8), max_size=3), max_size=6))
def test_each_that_is_seen_is_in_one_track(shown: list[list[list[float]]]) -> None:
    tracks = link_poses(frames(*[[np.reshape(pose, (4, 2)) for pose in frame] for frame in shown]))
    seen = sorted((frame, i) for track in tracks for frame, i in track.items())
    assert seen == [(n, i) for n, frame in enumerate(shown) for i in range(len(frame))]
    starts = [min(track) for track in tracks]
    assert starts == sorted(starts)


def test_many_are_compared_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    walk = [[at(300 * i + 4 * n) for i in range(5)] for n in range(3)]
    whole = link_poses(frames(*walk))
    assert whole == [{0: i, 1: i, 2: i} for i in range(5)]
    monkeypatch.setattr(linking, "_AT_ONCE", 10)
    assert link_poses(frames(*walk)) == whole
