from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from posedata.errors import BadInputError
from posedata.poses import (
    NOT_FINITE,
    OUTSIDE,
    Detector,
    Note,
    PoseSequence,
    not_missing,
    outside_note,
    posed_span,
    trimmed_note,
    within_image,
)

T = 4


def no_heatmaps() -> Iterator[np.ndarray]:
    yield from ()


def pose(**changes: Any) -> PoseSequence:
    points = np.linspace(10, 400, T * 25 * 2).reshape(T, 25, 2)
    fields = {"dataset": "made", "name": "one", "video": "v", "points": points, "frame_number": np.arange(T)}
    return PoseSequence(**(fields | changes))


def points_with(index: tuple[Any, ...], value: float) -> np.ndarray:
    points = np.linspace(10, 400, T * 25 * 2).reshape(T, 25, 2)
    points[index] = value
    return points


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no frames": ({"points": np.empty((0, 25, 2)), "frame_number": np.empty(0, np.int64)}, "frames"),
    "17 joints": ({"points": np.zeros((T, 17, 2))}, "points"),
    "scores left in": ({"points": np.zeros((T, 25, 3))}, "points"),
    "float32": ({"points": np.zeros((T, 25, 2), np.float32)}, "points"),
    "too few numbers": ({"frame_number": np.arange(T - 1)}, "frame_number"),
    "int32 numbers": ({"frame_number": np.arange(T, dtype=np.int32)}, "frame_number"),
    "too many shots": ({"shot": np.zeros(T + 1, np.int64)}, "shot"),
    "float shots": ({"shot": np.zeros(T)}, "shot"),
    "too few boxes": ({"detector": Detector(np.zeros((T - 1, 4)), no_heatmaps)}, "boxes"),
    "no name": ({"name": ""}, "name"),
    "slash in name": ({"name": "a/b"}, "name"),
    "newline in name": ({"name": "a\nb"}, "name"),
    "number twice": ({"frame_number": np.asarray([1, 2, 2, 3])}, "frame_number"),
    "numbers fall": ({"frame_number": np.asarray([1, 3, 2, 4])}, "frame_number"),
    "negative number": ({"frame_number": np.asarray([-1, 0, 1, 2])}, "frame_number"),
    "number past int32": ({"frame_number": np.asarray([0, 1, 2, 2**31])}, "frame_number"),
    "shots fall": ({"shot": np.asarray([0, 1, 0, 1])}, "shot"),
    "fps 0": ({"fps": 0.0}, "fps"),
    "fps negative": ({"fps": -25.0}, "fps"),
    "fps 1001": ({"fps": 1001.0}, "fps"),
    "fps inf": ({"fps": np.inf}, "fps"),
    "x alone": ({"points": points_with((1, 2, 1), np.nan)}, "points"),
    "inf": ({"points": points_with((1, 2, 1), np.inf)}, "points"),
    "huge": ({"points": points_with((1, 2, 1), -1.1e5)}, "points"),
    "relative": ({"points": points_with((...,), 0.5)}, "points"),
}


def test_a_sequence_goes_by_dataset_and_name() -> None:
    assert pose(dataset="brace", name="clip 3").key == "brace/clip 3"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_with_sequence_and_field(fault: str) -> None:
    changes, field = FAULTS[fault]
    with pytest.raises(BadInputError) as caught:
        pose(**changes)
    start = f"made/{changes.get('name', 'one')}: {field}: expected"
    assert any(line.startswith(start) for line in caught.value.faults), caught.value.faults


def test_all_shape_faults_are_listed_at_once() -> None:
    with pytest.raises(BadInputError) as caught:
        pose(
            points=np.zeros((T, 17, 2)),
            frame_number=np.arange(T - 1),
            shot=np.zeros(T + 1, np.int64),
            detector=Detector(np.zeros((T, 3)), no_heatmaps),
        )
    assert [fault.split(": ")[1] for fault in caught.value.faults] == ["points", "frame_number", "shot", "boxes"]


def test_all_value_faults_are_listed_at_once() -> None:
    points = points_with((0, 0, 0), np.nan)
    points[1, 1] = 2e5
    with pytest.raises(BadInputError) as caught:
        pose(name="", points=points, frame_number=np.asarray([-5, 3, 3, 4]), shot=np.asarray([2, 1, 1, 1]), fps=-1.0)
    fields = [fault.split(": ")[1] for fault in caught.value.faults]
    assert fields == ["name", "frame_number", "frame_number", "shot", "fps", "points", "points"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"frame_number": np.asarray([3, 7, 8, 2**31 - 1])},
        {"fps": 29.97},
        {"fps": 1000.0},
        {"shot": np.asarray([0, 0, 2, 2])},
        {"points": np.full((T, 25, 2), np.nan)},
        {"points": points_with((1, 2), -30.0)},
        {"points": points_with((1, 2), 1e5)},
        {"detector": Detector(np.full((T, 4), np.nan), no_heatmaps)},
        {"name": "-a_b c.ü"},
    ],
    ids=lambda changes: next(iter(changes), "nothing"),
)
def test_what_is_in_order_is_taken(changes: dict[str, Any]) -> None:
    assert len(pose(**changes)) == T


def test_without_shots_all_frames_are_one() -> None:
    sequence = pose()
    assert sequence.shot.dtype == np.int64
    assert sequence.shot.tolist() == [0] * T
    assert np.isnan(sequence.fps)


def test_a_few_small_coordinates_are_not_taken_for_relative_ones() -> None:
    points = np.full((T, 25, 2), np.nan)
    points[0, :9] = 0.5
    pose(points=points)
    points[0, :10] = 0.5
    with pytest.raises(BadInputError, match="relative"):
        pose(points=points)


def joints(*xy: tuple[float, float]) -> np.ndarray:
    return np.asarray(xy, np.float64)[:, None]


def kept(points: np.ndarray) -> list[bool]:
    assert np.array_equal(np.isnan(points[..., 0]), np.isnan(points[..., 1]))
    return (~np.isnan(points[:, 0, 0])).tolist()


def test_the_edges_of_the_image_are_inside() -> None:
    points = joints((0, 0), (640, 480), (0, 480), (640, 0), (-0.01, 5), (5, -0.01), (640.01, 5), (5, 480.01))
    before = points.copy()
    found = within_image(points, 640, 480)
    assert kept(found) == [True] * 4 + [False] * 4
    np.testing.assert_array_equal(found[:4], before[:4])
    np.testing.assert_array_equal(points, before)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_annotated(value: float) -> None:
    points = joints((10, 10), (value, 20), (20, value))
    for size in ((640, 480), (np.inf, np.inf)):
        assert kept(within_image(points, *size)) == [True, False, False]


def test_in_an_image_of_unknown_size_everything_finite_is_inside() -> None:
    assert kept(within_image(joints((-900, 5), (1e6, -3)), np.inf, np.inf)) == [True, True]


def test_one_known_side_is_checked_alone() -> None:
    assert kept(within_image(joints((5, -900), (700, 5), (-1, 5), (6, 1e6)), 640, np.inf)) == [True, False, False, True]


def test_points_all_missing_stay_missing() -> None:
    assert kept(within_image(joints((np.nan, np.nan), (np.nan, np.nan)), 640, 480)) == [False, False]


def test_exchanged_axes_are_refused() -> None:
    with pytest.raises(BadInputError, match=r"points: expected inside the 640x480 image, found 2 of 3 outside.*axes"):
        within_image(joints((100, 600), (200, 500), (300, 400)), 640, 480)


def test_few_points_outside_are_taken_away_even_if_exchanging_would_keep_them() -> None:
    assert kept(within_image(joints((100, 600), (200, 300), (300, 400)), 640, 480)) == [False, True, True]
    assert kept(within_image(joints((100, 600), (200, 300)), 640, 480)) == [False, True]


def test_most_points_outside_are_taken_away_if_exchanging_would_not_keep_them() -> None:
    assert kept(within_image(joints((900, 900), (800, 900), (300, 400)), 640, 480)) == [False, False, True]


def test_all_points_outside_are_refused() -> None:
    with pytest.raises(BadInputError, match="found 2 of 2 outside"):
        within_image(joints((900, 900), (800, 900)), 640, 480)


def test_the_note_counts_the_points_taken_away() -> None:
    before = joints((10, 10), (900, 10), (np.nan, np.nan), (900, 20))
    assert outside_note(before, within_image(before[[0, 2]], 640, 480)[[0, 1, 1, 1]]) == (
        Note(2, "points outside the image: taken as not annotated"),
    )
    assert outside_note(before[:1], before[:1]) == ()


def test_points_that_are_not_finite_are_counted_apart() -> None:
    before = joints((10, 10), (np.nan, 10), (10, np.inf), (np.nan, np.nan), (900, 20))
    kept = within_image(before, 640, 480)
    assert outside_note(before, kept) == (Note(1, OUTSIDE), Note(2, NOT_FINITE))
    assert outside_note(not_missing(before), kept) == (Note(1, OUTSIDE), Note(3, NOT_FINITE))


def test_a_note_in_words() -> None:
    assert str(Note(2, "frames")) == "2 frames"
    assert str(Note(2, "frames", "[4, 9]")) == "2 frames: [4, 9]"


@pytest.mark.parametrize(
    ("posed", "span", "note"),
    [
        ([True] * 4, slice(0, 4), ()),
        ([False, True, False, True], slice(1, 4), (Note(1, "frames without a pose at the ends: trimmed"),)),
        ([False, True, True, False], slice(1, 3), (Note(2, "frames without a pose at the ends: trimmed"),)),
        ([False] * 4, slice(0, 0), (Note(4, "frames without a pose at the ends: trimmed"),)),
    ],
)
def test_the_ends_without_a_pose_are_trimmed(posed: list[bool], span: slice, note: tuple[Note, ...]) -> None:
    points = np.full((T, 3, 2), np.nan)
    points[posed, 1] = 7
    assert posed_span(points) == span
    assert trimmed_note(T, span.stop - span.start) == note
