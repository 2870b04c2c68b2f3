import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posedata.geometry import (
    GRID,
    cell_centres,
    clamp_to_boxes,
    count_outside,
    drop_unboxed,
    jitter_boxes,
    lengths,
    mean_present,
    shared_boxes,
    square_boxes,
    to_cells,
    to_grid,
    to_pixels,
    torso_diameters,
)

NAN = float("nan")
EPS = np.finfo(np.float64).eps


@st.composite
def poses(draw: st.DrawFn) -> np.ndarray:
    """(T, 25, 2) pixels; any points missing, some of them equal."""
    frames = draw(st.integers(1, 4))
    coordinate = st.one_of(st.floats(-2000, 4000), st.integers(0, 5).map(float), st.floats(-1e5, 1e5))
    points = draw(arrays(np.float64, (frames, 25, 2), elements=coordinate))
    missing = draw(arrays(np.bool_, (frames, 25)))
    return np.where(missing[..., None], NAN, points)


def frame(*points: tuple[float, float]) -> np.ndarray:
    """One frame with the given first keypoints, the rest missing."""
    made = np.full((1, 25, 2), NAN)
    made[0, : len(points)] = np.reshape(points, (-1, 2))
    return made


@settings(max_examples=100, deadline=None)
@given(poses())
def test_every_annotated_point_of_a_boxed_frame_lies_inside_the_grid(points: np.ndarray) -> None:
    boxes = square_boxes(points)
    grid = to_grid(points, boxes)
    boxed = ~np.isnan(boxes[:, 0])
    annotated = ~np.isnan(points) & boxed[:, None, None]
    np.testing.assert_array_equal(~np.isnan(grid), annotated)
    assert (grid[annotated] >= 0).all()
    assert (grid[annotated] < 56).all()


@settings(max_examples=100, deadline=None)
@given(poses())
def test_grid_distances_are_pixel_distances_times_one_factor_a_frame(points: np.ndarray) -> None:
    boxes = square_boxes(points)
    grid = to_grid(points, boxes)
    for pixels, cells, box in zip(points, grid, boxes, strict=True):
        if np.isnan(box[0]):
            continue
        side = box[2] - box[0]
        rounding = 1000 * EPS * np.abs(box).max() / side
        assert box[3] - box[1] == pytest.approx(side, rel=rounding)
        present = ~np.isnan(pixels[:, 0])
        p, c = pixels[present], cells[present]
        expected = np.linalg.norm(p[:, None] - p, axis=-1) * 56 / side
        np.testing.assert_allclose(np.linalg.norm(c[:, None] - c, axis=-1), expected, rtol=0, atol=56 * rounding)


@settings(max_examples=100, deadline=None)
@given(poses())
def test_mapping_back_by_the_box_returns_the_pixels(points: np.ndarray) -> None:
    boxes = square_boxes(points)
    back = to_pixels(to_grid(points, boxes), boxes)
    atol = 100 * EPS * np.nanmax(np.abs(points), initial=1.0)
    np.testing.assert_allclose(back, drop_unboxed(points, boxes), rtol=0, atol=atol)


@settings(max_examples=50, deadline=None)
@given(poses())
def test_inputs_are_not_changed(points: np.ndarray) -> None:
    before = points.copy()
    boxes = square_boxes(points)
    boxes_before = boxes.copy()
    grid = to_grid(points, boxes)
    grid_before = grid.copy()
    for _ in (drop_unboxed(points, boxes), clamp_to_boxes(points, boxes), torso_diameters(points)):
        np.testing.assert_array_equal(points, before)
        np.testing.assert_array_equal(boxes, boxes_before)
    to_pixels(grid, boxes)
    to_cells(grid)
    np.testing.assert_array_equal(grid, grid_before)


def test_a_shared_box_is_around_all_frames_of_its_shot() -> None:
    points = np.full((5, 25, 2), np.nan)
    points[0, :2] = [[0, 0], [10, 5]]
    points[1, :2] = [[90, 40], [100, 50]]
    points[3, :2] = [[7, 7], [7, 17]]
    shot = np.array([0, 0, 0, 2, 2])
    whole = [-10, -35, 110, 85]  # 100 x 50, 10 and 5 added on each side, then the lower one made as large
    other = [1, 6, 13, 18]
    none = [np.nan] * 4
    np.testing.assert_allclose(shared_boxes(points, shot), [whole, whole, none, other, none])


@settings(max_examples=100, deadline=None)
@given(poses())
def test_a_shared_box_of_one_frame_is_its_own(points: np.ndarray) -> None:
    own = square_boxes(points)
    np.testing.assert_array_equal(shared_boxes(drop_unboxed(points, own), np.arange(len(points))), own)


BOX = np.array([[10.0, 20.0, 110.0, 120.0]])


@pytest.mark.parametrize(
    ("share", "errors", "expected"),
    [
        (0.05, [1, -2, 0], [15, 10, 115, 110]),  # a side of 100, moved by 5 and -10
        (0.5, [0, 0, 2 * np.log(2)], [-40, -30, 160, 170]),  # twice as large, 50 on every side
        (0.1, [1, 1, 10 * np.log(0.5)], [45, 55, 95, 105]),  # half as large about the moved centre 70, 80
    ],
    ids=["moved", "grown", "both"],
)
def test_a_box_is_moved_and_scaled_by_shares_of_its_side(
    share: float, errors: list[float], expected: list[float]
) -> None:
    np.testing.assert_allclose(jitter_boxes(BOX, np.array([errors]), share), [expected], rtol=1e-12)


def test_no_box_stays_none() -> None:
    boxes = np.concatenate([np.full((1, 4), NAN), BOX])
    found = jitter_boxes(boxes, np.ones((2, 3)), 0.1)
    assert np.isnan(found[0]).all()
    assert not np.isnan(found[1]).any()


ERRORS = arrays(np.float64, (4, 3), elements=st.floats(-8, 8))


@settings(max_examples=100, deadline=None)
@given(poses(), ERRORS)
def test_a_share_of_zero_leaves_boxes_as_they_are(points: np.ndarray, errors: np.ndarray) -> None:
    boxes = square_boxes(points)
    np.testing.assert_array_equal(jitter_boxes(boxes, errors[: len(boxes)], 0.0), boxes)


@settings(max_examples=100, deadline=None)
@given(poses(), ERRORS, st.floats(0, 0.5))
def test_jittered_boxes_are_squares_with_a_side_and_hold_what_is_clamped_to_them(
    points: np.ndarray, errors: np.ndarray, share: float
) -> None:
    boxes = square_boxes(points)
    boxed = ~np.isnan(boxes[:, 0])
    before, found = boxes[boxed], jitter_boxes(boxes, errors[: len(boxes)], share)[boxed]
    sides = found[:, 2:] - found[:, :2]
    assert (sides > 0).all()
    rounding = 1000 * EPS * np.abs(np.concatenate([before, found])).max(initial=1.0)
    np.testing.assert_allclose(sides[:, 0], sides[:, 1], rtol=1e-9, atol=rounding)
    expected = (before[:, 2] - before[:, 0]) * np.exp(share * errors[: len(boxes)][boxed, 2])
    np.testing.assert_allclose(sides[:, 0], expected, rtol=1e-9, atol=rounding)
    assert count_outside(clamp_to_boxes(points[boxed], found), found) == 0


def test_points_outside_are_counted_and_those_on_the_border_are_not() -> None:
    points = frame((9.9, 50), (10, 20), (110, 120), (50, 120.1), (0, 500), (50, 50))
    assert count_outside(points, BOX) == 3
    assert count_outside(points, np.full((1, 4), NAN)) == 0


def test_the_box_of_a_wide_pose() -> None:
    # Tight 100..300 x 50..150; padded 80..320 x 40..160; height 120 extended about 100 to 240.
    points = frame((100, 50), (300, 150), (200, 90))
    assert square_boxes(points).tolist() == [[80, -20, 320, 220]]
    grid = to_grid(points, square_boxes(points))
    np.testing.assert_allclose(grid[0, :3], [[14 / 3, 49 / 3], [154 / 3, 119 / 3], [28, 77 / 3]], rtol=1e-14)


def test_the_box_of_a_tall_pose() -> None:
    # Tight 10..20 x 0..100; padded 9..21 x -10..110; width 12 extended about 15 to 120.
    points = frame((10, 0), (20, 100))
    assert square_boxes(points).tolist() == [[-45, -10, 75, 110]]


def test_the_padding_is_a_share_of_the_extent_along_each_axis() -> None:
    points = frame((0, 0), (100, 40))
    assert square_boxes(points, padding=0.5).tolist() == [[-50, -80, 150, 120]]
    assert square_boxes(points, padding=0.0).tolist() == [[0, -30, 100, 70]]


def test_a_pose_on_one_line_has_a_square_box() -> None:
    assert square_boxes(frame((10, 7), (20, 7))).tolist() == [[9, 1, 21, 13]]


@pytest.mark.parametrize(
    "points",
    [frame(), frame((5, 5)), frame((5, 5), (5, 5)), frame((5, 5), (5 + 1e-7, 5))],
    ids=["none", "one", "two the same", "two as good as the same"],
)
def test_fewer_than_two_distinct_points_have_no_box(points: np.ndarray) -> None:
    boxes = square_boxes(points)
    assert boxes.shape == (1, 4)
    assert np.isnan(boxes).all()
    assert np.isnan(drop_unboxed(points, boxes)).all()
    assert np.isnan(to_grid(points, boxes)).all()
    assert (to_cells(to_grid(points, boxes)) == -1).all()


def test_an_empty_frame_leaves_the_others_alone() -> None:
    points = np.concatenate([frame((10, 7), (20, 7)), frame((3, 3)), frame((10, 7), (20, 7))])
    boxes = square_boxes(points)
    assert boxes[[0, 2]].tolist() == [[9, 1, 21, 13]] * 2
    np.testing.assert_array_equal(drop_unboxed(points, boxes)[[0, 2]], points[[0, 2]])


def test_points_outside_go_to_the_nearest_border_point() -> None:
    points = frame((5, 15), (25, 5), (-5, 30), (10, 10), (12, 19))
    found = clamp_to_boxes(points, np.asarray([[10.0, 10, 20, 20]]))
    assert found[0, :5].tolist() == [[10, 15], [20, 10], [10, 20], [10, 10], [12, 19]]
    assert np.isnan(found[0, 5:]).all()


def test_a_box_need_not_be_square() -> None:
    grid = to_grid(frame((15, 20), (10, 0)), np.asarray([[10.0, 0, 20, 40]]))
    assert grid[0, :2].tolist() == [[28, 28], [0, 0]]


def test_cells_are_floors_clipped_to_the_grid() -> None:
    grid = np.asarray([0.0, 0.999, 1.0, 55.0, 55.999, 56.0, 1e300, np.inf, -0.001, -0.5, -1e300, -np.inf])
    cells = to_cells(np.stack([grid, grid[::-1]], axis=-1))
    expected = [0, 0, 1, 55, 55, 55, 55, 55, 0, 0, 0, 0]
    assert cells.dtype == np.int8
    assert cells[:, 0].tolist() == expected
    assert cells[:, 1].tolist() == expected[::-1]


def test_missing_positions_have_no_cell() -> None:
    assert to_cells(np.asarray([[NAN, NAN], [3.5, 4.5]])).tolist() == [[-1, -1], [3, 4]]


def test_a_cell_lies_about_its_centre_and_a_missing_one_nowhere() -> None:
    centres = cell_centres(np.asarray([[0, 55], [-1, -1], [3, 4]], np.int8))
    np.testing.assert_array_equal(centres, [[0.5, 55.5], [NAN, NAN], [3.5, 4.5]])


def test_lengths_are_those_of_numpy_and_of_what_is_missing_there_is_none() -> None:
    vectors = np.random.default_rng(0).normal(size=(7, 5, 2)) * 10.0 ** np.arange(-3, 4)[:, None, None]
    np.testing.assert_array_equal(lengths(vectors), np.linalg.norm(vectors, axis=-1))
    assert np.isnan(lengths(np.asarray([[np.nan, 1.0], [1.0, np.nan]]))).all()
    assert lengths(np.empty((0, 2))).shape == (0,)


def test_a_mean_is_of_what_is_there() -> None:
    found = mean_present(np.asarray([[1.0, NAN, 4.0], [NAN, NAN, NAN], [0.0, np.inf, NAN]]))
    np.testing.assert_array_equal(found, [2.5, NAN, np.inf])
    assert np.isnan(mean_present(np.empty((1, 0)))).all()


def test_the_grid_has_the_specified_size() -> None:
    assert GRID == 56


LEFT = {3: (0.0, 0.0), 15: (3.0, 4.0)}
RIGHT = {4: (10.0, 0.0), 16: (10.0, 12.0)}


@pytest.mark.parametrize(
    ("present", "diameter"),
    [
        (LEFT, 5.0),
        (RIGHT, 12.0),
        (LEFT | RIGHT, 8.5),
        ({3: LEFT[3], 16: RIGHT[16]}, NAN),
        ({15: LEFT[15], **RIGHT}, 12.0),
        ({}, NAN),
        ({i: (float(i), 1.0) for i in range(25) if i not in (3, 4, 15, 16)}, NAN),
    ],
    ids=["left", "right", "both", "shoulder and other hip", "side and a half", "neither", "all other keypoints"],
)
def test_the_torso_is_the_mean_of_the_complete_sides(present: dict[int, tuple[float, float]], diameter: float) -> None:
    points = np.full((2, 25, 2), NAN)
    for i, xy in present.items():
        points[1, i] = xy
    np.testing.assert_array_equal(torso_diameters(points), [NAN, diameter])
