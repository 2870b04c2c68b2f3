"""How crops are scored, and the mean pose, their baseline."""

import numpy as np
from numpy.typing import NDArray

from posedata.crops.store import CropStore
from posetrain.crops.data import Crops, all_crops, positions_of
from posetrain.crops.kind import CROPS
from posetrain.crops.scores import CropScores, Tally, score_crops
from posetrain.history import PCK_OF_GRID
from posetrain.judging import Judge


def mean_pose(store: CropStore) -> NDArray[np.float64]:
    """(17, 2) mean grid positions of the labelled keypoints that train, NaN where none is; BadInputError if none is."""
    points = store.frames("points", positions_of(store, "train")).astype(np.float64)
    count = (~np.isnan(points)).sum(axis=0)
    return np.where(count > 0, np.nansum(points, axis=0) / np.maximum(count, 1), np.nan)


def score_mean_pose(store: CropStore, crops: Crops) -> CropScores:
    """Score the mean pose of a store on some of its crops; see `posetrain.judging.Judge`."""
    points, visibility = (store.frames(name, crops.starts) for name in ("points", "visibility"))
    tally = Tally(len(crops))
    tally.add(np.broadcast_to(mean_pose(store), points.shape), points, visibility)
    return tally.scores(None)


CROP_JUDGE = Judge(CROPS, PCK_OF_GRID, ("test", "validation"), all_crops, score_crops, score_mean_pose)
