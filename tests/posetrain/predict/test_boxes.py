import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from posedata.geometry import square_boxes, to_grid, to_pixels
from posedata.samples.base import motion
from posetrain.predict.boxes import steady_boxes, unit_boxes

WHOLE = [slice(0, 60)]
NUMBERS = np.arange(60)


@pytest.fixture
def points() -> np.ndarray:  # type: ignore[type-arg]
    return motion(np.random.default_rng(0), 60, 1280, 720)


def test_boxes_are_smoothed_squares_that_hold_the_person(points: np.ndarray) -> None:  # type: ignore[type-arg]
    boxes = steady_boxes(points, NUMBERS, WHOLE)
    inner = slice(12, -12)  # where no end is near scipy means the same
    np.testing.assert_allclose(boxes[inner], gaussian_filter1d(square_boxes(points), 3.0, axis=0)[inner], rtol=1e-4)
    np.testing.assert_allclose(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    grid = to_grid(points, boxes)
    assert (grid > 0).all()
    assert (grid < 56).all()


def test_noise_hardly_moves_them(points: np.ndarray) -> None:  # type: ignore[type-arg]
    noisy = points + np.random.default_rng(1).normal(0, 8, points.shape)

    def jumps(boxes: np.ndarray) -> float:  # type: ignore[type-arg]
        return float(np.abs(np.diff(boxes, n=2, axis=0)).mean())

    assert 10 * jumps(steady_boxes(noisy, NUMBERS, WHOLE)) < jumps(square_boxes(noisy))


def test_a_frame_without_a_box_takes_one_from_its_neighbours(points: np.ndarray) -> None:  # type: ignore[type-arg]
    holed = points.copy()
    holed[20:23] = np.nan
    holed[21, 3] = points[21, 3]  # one keypoint has no extent
    found, wanted = steady_boxes(holed, NUMBERS, WHOLE), steady_boxes(points, NUMBERS, WHOLE)
    assert np.abs(found - wanted).max() < 0.05 * np.mean(wanted[:, 2] - wanted[:, 0])


def test_a_box_is_filled_in_by_the_numbers_of_frames_and_steadied_by_its_run() -> None:
    """Squares of 100 and 200 pixels, the second from frame 10 on; by hand."""
    points = np.full((3, 25, 2), np.nan)
    points[0, :2], points[2, :2] = [[0, 0], [100, 100]], [[50, 0], [250, 200]]
    first, last = np.asarray([-10, -10, 110, 110]), np.asarray([30, -20, 270, 220])
    filled, weight = first + (last - first) / 10, np.exp(-0.5 / 9)
    found = steady_boxes(points, np.asarray([0, 1, 10]), [slice(0, 2), slice(2, 3)])
    np.testing.assert_allclose(found[0], (first + weight * filled) / (1 + weight))
    np.testing.assert_allclose(found[1], (filled + weight * first) / (1 + weight))
    np.testing.assert_allclose(found[2], last)


def test_runs_do_not_see_each_other(points: np.ndarray) -> None:  # type: ignore[type-arg]
    numbers = np.concatenate([np.arange(30), 900 + np.arange(30)])
    both = steady_boxes(points, numbers, [slice(0, 30), slice(30, 60)])
    np.testing.assert_array_equal(both[:30], steady_boxes(points[:30], numbers[:30], [slice(0, 30)]))


def test_somebody_without_two_keypoints_has_a_box_that_can_be_undone() -> None:
    points = np.full((4, 25, 2), np.nan)
    points[1:3, 5] = [[100, 200], [110, 204]]
    assert np.isnan(steady_boxes(points, np.arange(4), [slice(0, 4)])).all()
    boxes = unit_boxes(points)
    assert boxes[0].tolist() == [77, 174, 133, 230]
    np.testing.assert_array_equal(to_pixels(to_grid(points, boxes), boxes), points)
