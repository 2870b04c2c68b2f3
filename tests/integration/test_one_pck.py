"""posedata's statistics and posetrain's scores mean the same by PCK."""

from pathlib import Path

import torch

from posedata import open_store
from posedata.stats.report import describe
from posetrain.data import Windows
from posetrain.evaluation import evaluate, identity
from posetrain.tasks import HEATMAPS


def test_identity_scores_the_same_where_windows_hold_every_frame(stores: dict[str, Path]) -> None:
    store = open_store(stores["penn_action"])  # 40 frames a sequence, without a gap: eight windows
    told = describe(store)["identity_pck"]
    for split in ("validation", "test"):
        windows = Windows(store, store.windows(split), 5, 1, torch.device("cpu"), "store")
        scores = evaluate(identity, HEATMAPS, windows)
        assert scores.frames_scored > 0
        assert told[split] == {
            "frames_scored": scores.frames_scored,
            "frames_unscored": scores.frames_unscored,
            "keypoints": scores.keypoints,
            "pck": scores.pck,
        }
