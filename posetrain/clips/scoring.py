"""How clips are scored, and the mean pose, their baseline."""

import numpy as np
from numpy.typing import NDArray

from posedata.clips.schema import CLIP_FRAMES
from posedata.clips.store import ClipStore
from posetrain.clips.data import Clips, all_clips, numbers_of
from posetrain.clips.kind import CLIPS
from posetrain.clips.scores import ClipScores, Tally, score_clips
from posetrain.history import MPJPE
from posetrain.judging import Judge

_AT_ONCE = 512
"""Clips whose joints are read at once."""


def mean_pose(store: ClipStore) -> NDArray[np.float64]:
    """(17, 3) metres, the mean of the clips that train; raises BadInputError if none does."""
    numbers = numbers_of(store, "train")
    parts = (store.joints(numbers[start : start + _AT_ONCE]) for start in range(0, len(numbers), _AT_ONCE))
    total = np.sum([part.sum(axis=(0, 1), dtype=np.float64) for part in parts], axis=0)
    return np.asarray(total / (len(numbers) * CLIP_FRAMES))


def score_mean_pose(store: ClipStore, clips: Clips) -> ClipScores:
    """Score the mean pose of a store on some of its clips; see `posetrain.judging.Judge`."""
    numbers, said, tally = clips.starts // CLIP_FRAMES, mean_pose(store), Tally()
    for start in range(0, len(numbers), _AT_ONCE):
        joints = store.joints(numbers[start : start + _AT_ONCE])
        tally.add(np.broadcast_to(said, joints.shape), joints)
    return tally.scores(None)


CLIP_JUDGE = Judge(CLIPS, MPJPE, ("validation",), all_clips, score_clips, score_mean_pose)
