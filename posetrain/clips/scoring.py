"""What of clips is scored: the best epoch of a run, or the mean pose."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from posedata.clips.schema import CLIP_FRAMES
from posedata.clips.store import ClipStore
from posedata.home import find_store
from posedata.progress import Progress
from posetrain.clips.data import all_clips, numbers_of
from posetrain.clips.kind import CLIPS
from posetrain.clips.scores import ClipScores, Tally, score_clips
from posetrain.trained import MEAN_POSE, open_run

_AT_ONCE = 512
"""Clips whose joints are read at once."""


@dataclass(frozen=True, eq=False)
class Scored:
    """What was scored, on what.

    Attributes:
        model: name of the model or the baseline.
        store: where the clips are from.
        epoch: of the weights; None for a baseline.
        scores: how good it is.
    """

    model: str
    store: ClipStore
    epoch: int | None
    scores: ClipScores


def score_what(what: str, store: Path | str | None, split: str, device: torch.device, progress: Progress) -> Scored:
    """Score the mean pose, or the best epoch of a run on its own store or another.

    Raises:
        BadInputError: if there is no such run or store, no epoch is finished, or the split has no clips.
        ChoiceError: if there is no such split.
        IntegrityError: if files are damaged.
    """
    if what == MEAN_POSE:
        opened = CLIPS.open(find_store(store, CLIPS.name), MEAN_POSE)
        return Scored(MEAN_POSE, opened, None, score_mean_pose(opened, split))
    run = open_run(Path(what), store, device)
    clips = all_clips(run.store, split, device)
    return Scored(run.name, run.store, run.epoch, score_clips(run.model, run.task, clips, progress))


def score_mean_pose(store: ClipStore, split: str) -> ClipScores:
    """Score the mean pose of the clips that train; pixels are not read. Raises as `posetrain.clips.data.all_clips`."""
    numbers, tally = numbers_of(store, split), Tally()
    said = mean_pose(store)
    for start in range(0, len(numbers), _AT_ONCE):
        joints = store.joints(numbers[start : start + _AT_ONCE])
        tally.add(np.broadcast_to(said, joints.shape), joints)
    return tally.scores(None)


def mean_pose(store: ClipStore) -> NDArray[np.float64]:
    """(17, 3) metres, the mean of the clips that train; raises BadInputError if none does."""
    numbers = numbers_of(store, "train")
    parts = (store.joints(numbers[start : start + _AT_ONCE]) for start in range(0, len(numbers), _AT_ONCE))
    total = np.sum([part.sum(axis=(0, 1), dtype=np.float64) for part in parts], axis=0)
    return np.asarray(total / (len(numbers) * CLIP_FRAMES))
