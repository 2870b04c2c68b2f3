import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posedata.crops.geometry import GRID, Square, crop_square, to_grid

# Image of 640 x 480; box x, y, width, height; outermost keypoints; square by hand.
BY_HAND = {
    # 1.1 * 200 = 220; middle (300, 200)
    "inside": ((200, 100, 100, 200), [(280, 120), (320, 280)], (190, 90, 220)),
    # the middle is that of the keypoints, not of the box, whose own is (250, 200)
    "off the box's middle": ((200, 100, 100, 200), [(200, 100), (220, 120)], (100, 0, 220)),
    "wide": ((100, 200, 300, 50), [(120, 210), (380, 240)], (85, 60, 330)),
    # middle (310, 30): the top would be at -80
    "moved down": ((260, 0, 100, 200), [(300, 0), (320, 60)], (200, 0, 220)),
    # middle (310, 450): the bottom would be at 560
    "moved up": ((260, 280, 100, 200), [(300, 430), (320, 470)], (200, 260, 220)),
    "moved right": ((0, 100, 60, 200), [(0, 120), (60, 280)], (0, 90, 220)),
    "moved left": ((580, 100, 60, 200), [(590, 120), (636, 280)], (420, 90, 220)),
    # 1.1 * 460 = 506 > 480: as large as the image is high; middle (200, 240)
    "shrunk": ((50, 10, 300, 460), [(100, 20), (300, 460)], (0, 0, 480)),
    "larger than the image": ((0, 0, 640, 480), [(10, 10), (630, 470)], (80, 0, 480)),
    "one keypoint": ((10, 10, 20, 20), [(20, 20)], (9, 9, 22)),
    "less than a pixel": ((10, 10, 0.2, 0.3), [(10.25, 10.25)], (10, 10, 1)),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_the_square_by_hand(case: str) -> None:
    box, points, square = BY_HAND[case]
    assert crop_square(np.asarray(box, float), np.asarray(points, float), 640, 480) == Square(*square)


sizes, coordinates = st.integers(1, 900), st.floats(0, 1)


@given(
    sizes,
    sizes,
    st.lists(coordinates, min_size=4, max_size=4),
    st.lists(st.tuples(coordinates, coordinates), min_size=1),
)
def test_a_square_lies_in_its_image(
    width: int, height: int, box: list[float], points: list[tuple[float, float]]
) -> None:
    scale = np.asarray([width, height], float)
    square = crop_square(np.asarray(box) * np.tile(scale, 2), np.asarray(points) * scale, width, height)
    left, top, right, bottom = square.corners
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert right - left == bottom - top == square.side


def test_the_middle_of_a_square_that_fits_is_that_of_the_outermost_keypoints() -> None:
    points = np.asarray([(310.0, 200), (330, 280), (290, 240)])
    square = crop_square(np.asarray([250.0, 150, 90, 180]), points, 640, 480)
    assert (square.left + square.side / 2, square.top + square.side / 2) == (310, 240)


def test_positions_on_the_grid_and_what_lies_outside() -> None:
    square = Square(100, 50, 128)
    points = np.asarray([(100, 50), (228, 178), (164, 114), (99.9, 60), (110, 178.1), (np.nan, np.nan)])
    grid = to_grid(points, square)
    np.testing.assert_array_equal(grid[:3], [(0, 0), (GRID, GRID), (32, 32)])
    assert np.isnan(grid[3:]).all()
