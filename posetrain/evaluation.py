"""Score what refines poses. A prediction is made from the input alone; the target only judges it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.progress import Progress, silent
from posedata.skeleton import K
from posetrain.data import Windows
from posetrain.metrics import Pck
from posetrain.tasks import Refiner, Task

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
        loss: mean of the task's loss.
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


class Tally:
    """Positions judged against the targets of the windows they belong to."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._cells, self._points = Pck(), Pck()
        self._scored = self._unscored = 0

    def add(self, frames: NDArray[np.int64], positions: NDArray[np.float64]) -> None:
        """Judge (n, 25, 2) grid positions of the frames at (n,) positions in the store."""
        torso = self._windows.torso[frames]
        self._cells.add(positions, _centres(self._windows.target_cells[frames]), torso)
        self._points.add(positions, self._windows.target_points[frames], torso)
        self._scored += int((~np.isnan(torso)).sum())
        self._unscored += int(np.isnan(torso).sum())

    def scores(self, loss: float) -> Scores:
        """What has been judged so far."""
        return Scores(
            windows=len(self._windows),
            keypoints=int(self._cells.counted.sum()),
            frames_scored=self._scored,
            frames_unscored=self._unscored,
            pck=self._cells.percent() or {},
            pck_point=self._points.percent() or {},
            per_joint=self._cells.per_joint(),
            loss=loss,
        )


@torch.inference_mode()
def evaluate(
    refine: Refiner, task: Task, windows: Windows, progress: Progress = silent, what: str = "scoring"
) -> Scores:
    """Score a refiner on all of `windows`."""
    tally = Tally(windows)
    error, elements = 0.0, 0
    with progress(what, len(windows), "windows") as advance:
        for batch in windows.batches(np.arange(len(windows)), _BATCH):
            prediction = task.predict(refine, batch.input)
            error += float(task.error(prediction, batch))
            elements += task.elements(batch)
            frames = batch.frames.ravel()
            tally.add(frames, task.positions(prediction).double().cpu().numpy().reshape(len(frames), K, 2))
            advance(len(batch.frames))
    return tally.scores(error / elements)


def _centres(cells: NDArray[np.int8]) -> NDArray[np.float64]:
    """Cells (..., 2) to positions, NaN where missing."""
    return np.where(cells < 0, np.nan, cells + 0.5)
