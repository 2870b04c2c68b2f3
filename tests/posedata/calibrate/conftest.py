"""A detector that is known: its shifts, widths, strays and swaps are drawn as its parameters say."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posedata.calibrate.mixture import Peaks
from posedata.geometry import GRID, square_boxes, to_cells, to_grid, torso_diameters
from posedata.heatmaps import AMPLITUDE, render, row_table
from posedata.noise import SHIFT_SHARE
from posedata.samples.base import motion
from posedata.skeleton import PAIRS, K

Floats = NDArray[np.float64]

WIDTH, HEIGHT = 1080, 1920

PARTNER = np.arange(K)
for _left, _right in PAIRS:
    PARTNER[[_left, _right]] = _right, _left
PAIRED = np.arange(K) != PARTNER


@dataclass(frozen=True)
class Detector:
    """What the simulated detector does, and to how many frames.

    Attributes:
        k: shifting scalar.
        sigmas: set from which the widths are drawn.
        sigma_per: "frame", "keypoint" or "sequence".
        outliers: share of peaks in any cell.
        swaps: share of peaks at the partner's place, of the keypoints that have one.
        blank: share of heatmaps without a positive value.
        ground: standard deviation of the ground, where the sum of a peak is 8 to 20; its mean is minus twice that.
        offset: added to all shifts, grid px.
    """

    k: float = 1.0
    sigmas: tuple[float, ...] = (1.0, 1.5, 2.0, 2.5, 3.0)
    sigma_per: str = "frame"
    outliers: float = 0.0
    swaps: float = 0.0
    blank: float = 0.0
    ground: float = 0.01
    offset: float = 0.0
    sequences: int = 4
    frames: int = 60
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Simulated:
    """What is to be found again: the torso of the targets, and the standard deviation of the shifts."""

    torso: float
    std: float


def drawn(detector: Detector, rng: np.random.Generator, targets: Floats, std: float) -> Floats:
    """(T, 25, 2) grid positions before they become cells: core, swapped or anywhere."""
    shape = targets.shape[:2]
    lot = rng.random(shape)
    stray = lot < detector.outliers
    swapped = ~stray & (lot < detector.outliers + detector.swaps) & PAIRED
    place = np.where(swapped[..., None], targets[:, PARTNER], targets)
    place = place + detector.offset + std * rng.normal(size=targets.shape)
    return np.where(stray[..., None], rng.uniform(0, GRID, targets.shape), place)


def simulated_peaks(detector: Detector, std: float) -> Peaks:
    """Peaks alone, of shifts with this standard deviation: no heatmaps, no files, no border in the way of targets."""
    rng = np.random.default_rng(detector.seed)
    targets = rng.uniform(8, GRID - 8, (detector.frames, K, 2))
    cells = to_cells(drawn(detector, rng, targets, std))
    partners = np.where(PAIRED[:, None], targets[:, PARTNER], np.nan)
    return Peaks(cells.reshape(-1, 2), targets.reshape(-1, 2), partners.reshape(-1, 2))


def write_tree(root: Path, detector: Detector) -> Simulated:
    """A raw tree in ClimbAlong's layout with what this detector sees."""
    rng = np.random.default_rng(detector.seed)
    points = [motion(rng, detector.frames, WIDTH, HEIGHT) for _ in range(detector.sequences)]
    boxes = [_boxes(rng, each) for each in points]
    targets = [to_grid(each, box) for each, box in zip(points, boxes, strict=True)]
    torso = float(torso_diameters(np.concatenate(targets)).mean())
    std = SHIFT_SHARE * torso * detector.k
    for name in ("input", "target"):
        (root / name).mkdir(parents=True)
    for number, (each, box, target) in enumerate(zip(points, boxes, targets, strict=True)):
        cells = to_cells(drawn(detector, rng, target, std))
        heatmaps = _seen(detector, rng, cells)
        keypoints = np.concatenate([each, np.ones((*each.shape[:2], 1))], axis=-1).astype(np.float32)
        name = f"climb_{number:02d}.npz"
        np.savez(root / "input" / name, bboxes=box.astype(np.float32), heatmaps=heatmaps)
        np.savez(root / "target" / name, keypoints=keypoints)
    return Simulated(torso, std)


def _boxes(rng: np.random.Generator, points: Floats) -> Floats:
    """(T, 4): not squares, and at times without a limb."""
    boxes = square_boxes(points)
    boxes[:, [0, 2]] += rng.normal(0, 8, (len(points), 2))
    boxes[:, [1, 3]] += rng.normal(0, 12, (len(points), 2))
    return boxes


def _seen(detector: Detector, rng: np.random.Generator, cells: NDArray[np.int8]) -> NDArray[np.float32]:
    """(T, 25, 56, 56) peaks of some height on an uneven, slightly negative ground."""
    frames = len(cells)
    shape = {"frame": (frames, 1), "keypoint": (frames, K), "sequence": (1, 1)}[detector.sigma_per]
    which = np.broadcast_to(rng.integers(len(detector.sigmas), size=shape), (frames, K))
    heights = rng.uniform(8, 20, (frames, K, 1, 1)) / AMPLITUDE
    peaks = render(row_table(detector.sigmas), cells, which).astype(np.float32) * heights
    ground = rng.normal(-2 * detector.ground, detector.ground, peaks.shape)
    blank = rng.random((frames, K, 1, 1)) < detector.blank
    return np.where(blank, -0.1, peaks + ground).astype(np.float32)
