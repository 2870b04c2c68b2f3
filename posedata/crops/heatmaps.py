"""Heatmaps of a crop: a pure function of keypoints, visibility and two sigmas, so no store holds them."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from posedata.crops.geometry import GRID

OCCLUDED, VISIBLE = 1, 2
"""COCO's v of a labelled keypoint; 0 = not labelled."""


@lru_cache(maxsize=16)
def responses(sigma: float) -> NDArray[np.float64]:
    """(64, 64): row i is the Gaussian filter's answer to a 1 in cell i."""
    return gaussian_filter1d(np.eye(GRID), sigma, axis=1, mode="reflect", truncate=4.0)


def render(
    points: NDArray[np.floating], visibility: NDArray[np.uint8], sigma_visible: float, sigma_occluded: float
) -> NDArray[np.float32]:
    """Heatmaps of keypoints: a 1 in the cell of each, smeared by a Gaussian filter (seed 001, section 4.2.3).

    Each is `scipy.ndimage.gaussian_filter(impulse, sigma, mode="reflect", truncate=4.0)` in float64, rounded once.

    Args:
        points: (n, 17, 2) on the grid, x y; NaN = not labelled.
        visibility: (n, 17) 0, 1 or 2, as COCO has it.
        sigma_visible: cells, where visibility is 2.
        sigma_occluded: cells, where it is 1.

    Returns:
        (n, 17, 64, 64) float32; zeros where not labelled.
    """
    heatmaps = np.zeros((*visibility.shape, GRID, GRID), np.float32)
    for seen, sigma in ((VISIBLE, sigma_visible), (OCCLUDED, sigma_occluded)):
        labelled = visibility == seen
        x, y = np.minimum(np.floor(points[labelled]), GRID - 1).astype(np.intp).T
        table = responses(sigma)
        heatmaps[labelled] = table[y][:, :, None] * table[x][:, None, :]
    return heatmaps
