"""Score what refines poses. A prediction is made from the input alone; the target only judges it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.geometry import cell_centres, lengths, mean_present
from posedata.pck import Floats, Pck, relative_errors
from posedata.progress import Progress, silent
from posedata.skeleton import K
from posetrain.data import Batch, Windows
from posetrain.epoch import mean_loss
from posetrain.tasks import Refiner, Task

_AT_ONCE = 1024
"""Windows that are judged together: to judge few costs nearly as much, and makes a GPU wait."""


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
        acceleration: mean length of the second differences of the error within a window, in torso diameters: what of a
            refined pose trembles that the true one does not; None where no keypoint counts in three frames on end, each
            with a torso of some length.
        loss: mean of the task's loss.
        by_video: the counts behind `pck`.
        window_errors: (W,) mean error of each window's keypoints in torso diameters, NaN where none counts; inf where
            one was not found, or is off where the torso has no length.
    """

    windows: int
    keypoints: int
    frames_scored: int
    frames_unscored: int
    pck: Mapping[str, float]
    pck_point: Mapping[str, float]
    per_joint: Mapping[str, Mapping[str, float]]
    acceleration: float | None
    loss: float
    by_video: Pck = field(repr=False, compare=False, metadata={"inner": True})
    window_errors: Floats = field(repr=False, compare=False, metadata={"inner": True})

    def as_dict(self) -> dict[str, object]:
        """For JSON: all but the arrays."""
        return {entry.name: getattr(self, entry.name) for entry in fields(self) if not entry.metadata}


class Tally:
    """Positions judged against the targets of the windows they belong to."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        videos = int(windows.video.max(initial=-1)) + 1
        self._cells, self._points = Pck.of_videos(videos), Pck.of_videos(videos)
        self._scored = self._unscored = 0
        self._errors: list[Floats] = []
        self._bends, self._bent = 0.0, 0
        self._waiting: list[tuple[NDArray[np.int64], Tensor]] = []

    def add(self, frames: NDArray[np.int64], positions: Tensor) -> None:
        """Judge more windows, now or later.

        Args:
            frames: (W, T) positions of the frames in the store.
            positions: (W, T, 25, 2) grid positions, on any device.
        """
        self._waiting.append((frames, positions))
        if sum(len(each) for each, _ in self._waiting) >= _AT_ONCE:
            self._judge()

    def _judge(self) -> None:
        frames = np.concatenate([each for each, _ in self._waiting])
        positions = torch.cat([each for _, each in self._waiting]).cpu().double().numpy()
        self._waiting.clear()
        flat, found = frames.ravel(), positions.reshape(-1, K, 2)
        torso, video = self._windows.torso[flat], self._windows.video[flat]
        relative = relative_errors(found, cell_centres(self._windows.target_cells[flat]), torso)
        self._cells.add(relative, video)
        self._points.add(relative_errors(found, self._windows.target_points[flat], torso), video)
        self._scored += int((~np.isnan(torso)).sum())
        self._unscored += int(np.isnan(torso).sum())
        self._errors.append(mean_present(relative.reshape(len(frames), -1)))
        diameters = np.where(self._windows.torso[frames] > 0, self._windows.torso[frames], np.nan)
        off = (positions - self._windows.target_points[frames]) / diameters[..., None, None]
        bends = lengths(off[:, 2:] - 2 * off[:, 1:-1] + off[:, :-2])
        self._bends += float(np.nansum(bends))
        self._bent += int((~np.isnan(bends)).sum())

    def scores(self, loss: float) -> Scores:
        """What all that was added is worth."""
        if self._waiting:
            self._judge()
        return Scores(
            windows=len(self._windows),
            keypoints=int(self._cells.counted.sum()),
            frames_scored=self._scored,
            frames_unscored=self._unscored,
            pck=self._cells.percent() or {},
            pck_point=self._points.percent() or {},
            per_joint=self._cells.per_joint(),
            acceleration=self._bends / self._bent if self._bent else None,
            loss=loss,
            by_video=self._cells,
            window_errors=np.concatenate(self._errors),
        )


def evaluate(
    refine: Refiner, task: Task, windows: Windows, progress: Progress = silent, what: str = "scoring"
) -> Scores:
    """Score a refiner on all of `windows`."""
    tally = Tally(windows)

    def judge(batch: Batch, prediction: Tensor) -> None:
        tally.add(batch.frames, task.positions(prediction, batch))

    return tally.scores(mean_loss(refine, task, windows, judge, progress, what))
