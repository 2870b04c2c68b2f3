from collections.abc import Callable

import numpy as np
import pytest

from posedata.heatmaps import decode as decode_numpy
from posedata.store.reader import Store
from posetrain.data import Windows
from posetrain.evaluation import evaluate, identity
from posetrain.tasks import HEATMAPS


def test_identity_scored_by_hand(noisy: Store, windows: Callable[..., Windows]) -> None:
    made = windows(noisy, "test", most=4)
    scores = evaluate(identity, HEATMAPS, made)
    frames = (made.starts[:, None] + np.arange(5)).ravel()
    position = decode_numpy(noisy["input_heatmaps"][frames])
    cell = np.where(noisy["annotated"][frames][..., None], noisy["target_cells"][frames] + 0.5, np.nan)
    points = noisy["target_points"][frames].astype(np.float64)
    sides = np.linalg.norm(points[:, [3, 4]] - points[:, [15, 16]], axis=-1)
    torso = np.asarray([np.mean(side[~np.isnan(side)]) if not np.isnan(side).all() else np.nan for side in sides])
    for target, pck in ((cell, scores.pck), (points, scores.pck_point)):
        distance = np.linalg.norm(position - target, axis=-1)
        counted = ~np.isnan(distance)
        counted &= ~np.isnan(torso)[:, None]
        right = (distance <= 0.2 * torso[:, None]) & counted
        assert pck["0.2"] == pytest.approx(100 * right.sum() / counted.sum())
    assert scores.keypoints == counted.sum()
    assert (scores.windows, scores.frames_scored, scores.frames_unscored) == (
        4,
        (~np.isnan(torso)).sum(),
        np.isnan(torso).sum(),
    )
    given, wanted = (noisy[f"{name}_heatmaps"][frames].astype(np.float64) for name in ("input", "target"))
    assert scores.loss == pytest.approx(np.mean((given - wanted) ** 2), rel=1e-5)


def test_a_perfect_refiner_scores_everything(noisy: Store, windows: Callable[..., Windows]) -> None:
    made = windows(noisy, "test", most=4)
    (batch,) = made.batches(np.arange(4), 4)
    scores = evaluate(lambda heatmaps: batch.target, HEATMAPS, made)
    assert scores.pck == {"0.05": 100.0, "0.1": 100.0, "0.2": 100.0}
    assert scores.loss == 0


def test_scores_do_not_depend_on_the_feed(noisy: Store, windows: Callable[..., Windows]) -> None:
    decoded, looked_up = (
        evaluate(identity, HEATMAPS, windows(noisy, "test", feed=f, most=3)) for f in ("store", "render")
    )
    assert decoded == looked_up
