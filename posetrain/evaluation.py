"""Score what refines heatmaps. A prediction is made from the input alone; the target only judges it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.geometry import GRID
from posedata.progress import Progress, silent
from posetrain.data import Windows
from posetrain.metrics import Pck

Refiner = Callable[[Tensor], Tensor]
"""(B, T, 25, 56, 56) heatmaps to as many."""

_BATCH = 32


def identity(heatmaps: Tensor) -> Tensor:
    """The baseline: says what it is given."""
    return heatmaps


@dataclass(frozen=True)
class Scores:
    """How good a refiner is on some windows.

    Attributes:
        windows: how many.
        keypoints: how many counted.
        frames_scored: frames with a torso.
        frames_unscored: frames without one, left out.
        pck: threshold -> percent, against the centre of the target's cell; empty if nothing counted.
        pck_point: the same against the target's sub-cell position.
        per_joint: joint -> threshold -> percent of `pck`.
        loss: mean masked squared error.
    """

    windows: int
    keypoints: int
    frames_scored: int
    frames_unscored: int
    pck: Mapping[str, float]
    pck_point: Mapping[str, float]
    per_joint: Mapping[str, Mapping[str, float]]
    loss: float

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def squared_error(predicted: Tensor, target: Tensor, annotated: Tensor) -> Tensor:
    """Sum of squared errors; terms of missing keypoints are zero.

    Divided by the number of all elements this is the loss: what the seed gets by setting the targets of missing
    keypoints to the prediction (seed 000, section 1.2.2).

    Args:
        predicted: (B, T, 25, 56, 56).
        target: the same shape.
        annotated: (B, T, 25) bool.
    """
    return ((predicted - target) * annotated[..., None, None]).square().sum()


def decode(heatmaps: Tensor) -> NDArray[np.float64]:
    """(..., 56, 56) to (..., 2) grid positions, x y: centre of the largest cell, the first in row-major order.

    The same as `posedata.heatmaps.decode`, on the heatmaps' device.
    """
    first = heatmaps.flatten(-2).argmax(dim=-1).cpu().numpy()
    return np.stack([first % GRID, first // GRID], axis=-1) + 0.5


@torch.inference_mode()
def evaluate(refine: Refiner, windows: Windows, progress: Progress = silent, what: str = "scoring") -> Scores:
    """Score a refiner on all of `windows`."""
    cells, points = Pck(), Pck()
    error, elements, scored, unscored = 0.0, 0, 0, 0
    with progress(what, len(windows), "windows") as advance:
        for batch in windows.batches(np.arange(len(windows)), _BATCH):
            predicted = refine(batch.input)
            error += float(squared_error(predicted, batch.target, batch.annotated))
            elements += batch.target.numel()
            frames = batch.frames.ravel()
            positions = decode(predicted).reshape(len(frames), -1, 2)
            torso = windows.torso[frames]
            cells.add(positions, _centres(windows.target_cells[frames]), torso)
            points.add(positions, windows.target_points[frames], torso)
            scored += int((~np.isnan(torso)).sum())
            unscored += int(np.isnan(torso).sum())
            advance(len(batch.frames))
    return Scores(
        windows=len(windows),
        keypoints=int(cells.counted.sum()),
        frames_scored=scored,
        frames_unscored=unscored,
        pck=cells.percent() or {},
        pck_point=points.percent() or {},
        per_joint=cells.per_joint(),
        loss=error / elements,
    )


def _centres(cells: NDArray[np.int8]) -> NDArray[np.float64]:
    """Cells (..., 2) to positions, NaN where missing."""
    return np.where(cells < 0, np.nan, cells + 0.5)
