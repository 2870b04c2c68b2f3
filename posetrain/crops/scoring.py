"""What of crops is scored: the best epoch of a run, or the mean pose."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from posedata.crops.store import CropStore
from posedata.home import find_store
from posedata.progress import Progress
from posetrain.crops.data import all_crops
from posetrain.crops.kind import CROPS
from posetrain.crops.scores import CropScores, Tally, score_crops
from posetrain.trained import MEAN_POSE, open_run


@dataclass(frozen=True, eq=False)
class Scored:
    """What was scored, on what.

    Attributes:
        model: name of the model or the baseline.
        store: where the crops are from.
        epoch: of the weights; None for a baseline.
        scores: how good it is.
    """

    model: str
    store: CropStore
    epoch: int | None
    scores: CropScores


def score_what(what: str, store: Path | str | None, split: str, device: torch.device, progress: Progress) -> Scored:
    """Score the mean pose, or the best epoch of a run on its own store or another.

    Raises:
        BadInputError: if there is no such run or store, no epoch is finished, or the split has no crops.
        ChoiceError: if there is no such split.
        IntegrityError: if files are damaged.
    """
    if what == MEAN_POSE:
        opened = CROPS.open(find_store(store, CROPS.name), MEAN_POSE)
        return Scored(MEAN_POSE, opened, None, score_mean_pose(opened, split, device))
    run = open_run(Path(what), store, device)
    crops = all_crops(run.store, split, device)
    return Scored(run.name, run.store, run.epoch, score_crops(run.model, run.task, crops, progress))


def mean_pose(store: CropStore, device: torch.device) -> NDArray[np.float64]:
    """(17, 2) mean grid positions of the labelled keypoints that train, NaN where none is; BadInputError if none is."""
    points = store.frames("points", all_crops(store, "train", device).starts).astype(np.float64)
    count = (~np.isnan(points)).sum(axis=0)
    return np.where(count > 0, np.nansum(points, axis=0) / np.maximum(count, 1), np.nan)


def score_mean_pose(store: CropStore, split: str, device: torch.device) -> CropScores:
    """Score the mean pose; pixels are not read. Raises as `posetrain.crops.data.all_crops`."""
    positions = all_crops(store, split, device).starts
    points, visibility = (store.frames(name, positions) for name in ("points", "visibility"))
    tally = Tally(len(positions))
    tally.add(np.broadcast_to(mean_pose(store, device), points.shape), points, visibility)
    return tally.scores(None)
