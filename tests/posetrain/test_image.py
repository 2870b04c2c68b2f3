import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posedata.geometry import to_pixels
from posetrain.image import in_image, on_grid

NAN = float("nan")

CORNERS = arrays(np.float64, (2, 4, 2), elements=st.floats(-500, 500))
EXTENTS = arrays(np.float64, (2, 4, 2), elements=st.floats(8, 900))
POINTS = arrays(np.float64, (2, 4, 25, 2), elements=st.floats(0, 56))


@given(CORNERS, EXTENTS, POINTS)
def test_there_and_back(low: np.ndarray, extent: np.ndarray, points: np.ndarray) -> None:
    boxes, grid = torch.from_numpy(np.concatenate([low, low + extent], axis=-1)), torch.from_numpy(points)
    torch.testing.assert_close(on_grid(in_image(grid, boxes), boxes), grid, rtol=0, atol=1e-6)


@given(CORNERS, EXTENTS, POINTS)
def test_places_are_pixels_but_for_a_shift_and_a_scale_a_window(
    low: np.ndarray, extent: np.ndarray, points: np.ndarray
) -> None:
    boxes = np.concatenate([low, low + extent], axis=-1)
    places = in_image(torch.from_numpy(points), torch.from_numpy(boxes)).numpy()
    for window in range(2):
        pixels = to_pixels(points[window], boxes[window])
        expected = (pixels - (low + extent / 2)[window].mean(axis=0)) / extent[window].mean()
        np.testing.assert_allclose(places[window], expected, atol=1e-9)


def test_frames_without_a_box_do_not_count_and_have_no_place() -> None:
    boxes = torch.tensor([[[0.0, 0.0, 10.0, 10.0], [NAN] * 4, [10.0, 0.0, 40.0, 30.0]]])
    grid = torch.full((1, 3, 25, 2), 28.0)
    places = in_image(grid, boxes)
    # Middles (5, 5) and (25, 15), their mean (15, 10); sides 10 and 30, their mean 20.
    assert places[0, [0, 2], 0].tolist() == [[-0.5, -0.25], [0.5, 0.25]]
    assert places[0, 1].isnan().all()
    assert on_grid(torch.zeros(1, 3, 25, 2), boxes)[0, 1].isnan().all()


def test_a_window_without_any_box_has_no_places() -> None:
    boxes, grid = torch.full((1, 3, 4), NAN), torch.zeros(1, 3, 25, 2)
    assert in_image(grid, boxes).isnan().all()
