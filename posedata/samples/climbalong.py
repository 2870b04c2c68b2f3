"""A synthetic tree in ClimbAlong's layout, with its quirks: see `posedata.formats.climbalong`."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from posedata.geometry import GRID, square_boxes
from posedata.samples.base import Floats, motion, some
from posedata.skeleton import K

_WIDTH, _HEIGHT = 1080, 1920


def write(root: Path, rng: np.random.Generator, sequences: int, frames: int) -> Iterator[int]:
    """Fill an empty folder with `sequences` videos; the first is half as long again as `frames`."""
    (root / "input").mkdir()
    (root / "target").mkdir()
    for i in range(sequences):
        _write_video(root, rng, i, frames if i else frames * 3 // 2)
        yield 1


def _write_video(root: Path, rng: np.random.Generator, i: int, frames: int) -> None:
    points = motion(rng, frames, _WIDTH, _HEIGHT)
    boxes = square_boxes(points)
    # The detector's box is no square, and at times it misses a limb.
    boxes[:, [0, 2]] += rng.normal(0, 8, (frames, 2))
    boxes[:, [1, 3]] += rng.normal(0, 12, (frames, 2))
    lost = some(rng, frames, 0.03)[:3]
    heatmaps = np.concatenate([_detect(rng, points[t : t + 1], boxes[t : t + 1]) for t in range(frames)])
    boxes[lost] = 0
    heatmaps[lost] = 0
    keypoints = np.concatenate([points, np.ones((frames, K, 1))], axis=-1)
    keypoints[some(rng, frames, 0.2), int(rng.integers(K))] = 0
    name = f"climb_{i + 1:02d}.npz"
    np.savez_compressed(root / "input" / name, bboxes=boxes.astype(np.float32), heatmaps=heatmaps)
    target = keypoints.astype(np.float32)
    np.savez_compressed(root / "target" / name, keypoints=target[:, None] if i % 2 else target)


def _detect(rng: np.random.Generator, points: Floats, boxes: Floats) -> NDArray[np.float32]:
    """(1, 25, 56, 56) peaks near the keypoints on a slightly negative, uneven ground."""
    side = boxes[:, None, 2:] - boxes[:, None, :2]
    cells = (points - boxes[:, None, :2]) / side * GRID + rng.normal(0, 1.5, (1, K, 2))
    x, y = np.clip(cells[0], 0, GRID - 1).astype(int).T
    ground = rng.normal(-0.02, 0.01, (K, GRID, GRID))
    peaks = np.zeros((K, GRID, GRID))
    peaks[np.arange(K), y, x] = rng.uniform(8, 20, K)
    return np.asarray(ground + gaussian_filter(peaks, (0, 1.6, 1.6)), np.float32)[None]
