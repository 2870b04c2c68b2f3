import numpy as np
from scipy.ndimage import gaussian_filter

from posedata.crops.heatmaps import render

POINTS = np.full((1, 17, 2), np.nan)
POINTS[0, :4] = (20.2, 30.9), (0.0, 64.0), (63.99, 0.5), (40.0, 40.0)
VISIBILITY = np.zeros((1, 17), np.uint8)
VISIBILITY[0, :4] = 2, 1, 2, 1


def test_heatmaps_are_those_of_scipy_with_the_sigma_of_their_visibility() -> None:
    heatmaps = render(POINTS, VISIBILITY, 0.5, 1.0)
    assert heatmaps.shape == (1, 17, 64, 64)
    assert heatmaps.dtype == np.float32
    cells = ((20, 30, 0.5), (0, 63, 1.0), (63, 0, 0.5), (40, 40, 1.0))
    for heatmap, (x, y, sigma) in zip(heatmaps[0], cells, strict=False):
        impulse = np.zeros((64, 64))
        impulse[y, x] = 1
        expected = gaussian_filter(impulse, sigma, mode="reflect", truncate=4.0)
        np.testing.assert_allclose(heatmap, expected, rtol=1e-6, atol=1e-12)


def test_what_is_not_labelled_is_nothing() -> None:
    assert not render(POINTS, VISIBILITY, 0.5, 1.0)[0, 4:].any()


def test_sigmas_the_other_way_round() -> None:
    one, other = render(POINTS, VISIBILITY, 0.5, 1.0), render(POINTS, np.where(VISIBILITY, 3 - VISIBILITY, 0), 1.0, 0.5)
    np.testing.assert_array_equal(one[0, :4], other[0, :4])
    # By hand: the filter's middle weight is 1 / sum(exp(-x^2 / 2 sigma^2)) on either axis.
    weights = np.exp(-(np.arange(-2, 3) ** 2) / (2 * 0.5**2))
    np.testing.assert_allclose(one[0, 0, 30, 20], (1 / weights.sum()) ** 2, rtol=1e-6)
