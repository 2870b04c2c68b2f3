"""What several parts ask of a store: names of its sequences, and where its input says that the keypoints are."""

import numpy as np
from numpy.typing import NDArray

from posedata.heatmaps import decode, peak_table
from posedata.skeleton import K
from posedata.store.reader import Store
from posedata.store.schema import CHUNK_FRAMES

Floats = NDArray[np.float64]

_BLOCK = 4 * CHUNK_FRAMES
"""Frames of heatmaps in memory at a time, 20 MB; a few chunks, for they are decoded side by side."""


def sequence_names(store: Store) -> list[str]:
    """dataset/name of every sequence."""
    return [f"{d}/{n}" for d, n in zip(store["sequence_dataset"], store["sequence_name"], strict=True)]


def peaks(heatmaps: NDArray[np.float16]) -> Floats:
    """Centres of the largest cells, NaN where a heatmap is all zeros; (..., 56, 56) to (..., 2)."""
    top = heatmaps.max(axis=(-2, -1), keepdims=True)
    return np.where(top[..., 0] > 0, decode(heatmaps), np.nan)


def input_positions(store: Store, positions: NDArray[np.int64]) -> Floats:
    """Where the input puts keypoints: the centres of the cells of a noisy store's impulses, or a detector's peaks.

    Returns:
        (n, 25, 2) grid positions, NaN where there is none.
    """
    if "input_heatmaps" in store.rendered:
        cells = store.frames("input_cells", positions)
        return np.where(cells < 0, np.nan, cells + 0.5)
    starts = range(0, len(positions), _BLOCK)
    blocks = (positions[start : start + _BLOCK] for start in starts)
    return np.concatenate([np.empty((0, K, 2)), *(peaks(store.frames("input_heatmaps", block)) for block in blocks)])


def input_peaks(store: Store, positions: NDArray[np.int64]) -> Floats:
    """Peaks of the input heatmaps of some frames, which is what a score takes for its positions.

    Those of a noisy store are looked up from cell and sigma: near the border a peak is not always where its impulse is.

    Returns:
        (n, 25, 2) grid positions, NaN where a heatmap is all zeros.
    """
    if "input_heatmaps" not in store.rendered:
        return input_positions(store, positions)
    cells = store.frames("input_cells", positions).astype(np.intp)
    sigma = np.searchsorted(np.asarray(store.sigmas, np.float32), store.frames("input_sigma", positions))
    found = peak_table(store.input_table)[sigma.reshape(len(sigma), -1), cells[..., 1], cells[..., 0]]
    return np.where(cells < 0, np.nan, found)
