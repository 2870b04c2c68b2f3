from collections.abc import Callable

import numpy as np
import pytest
import torch

from posedata.heatmaps import decode as decode_numpy
from posedata.store.reader import Store
from posetrain.data import Windows
from posetrain.evaluation import decode, evaluate, identity, squared_error


def test_decode_agrees_with_numpy_and_takes_the_first_of_a_tie() -> None:
    heatmaps = torch.randint(0, 3, (2, 3, 56, 56), generator=torch.Generator().manual_seed(0)).float()
    heatmaps[0, 0] = 0
    np.testing.assert_array_equal(decode(heatmaps), decode_numpy(heatmaps.numpy()))
    assert decode(heatmaps)[0, 0].tolist() == [0.5, 0.5]


def test_decode_says_x_before_y() -> None:
    heatmap = torch.zeros(1, 56, 56)
    heatmap[0, 7, 30] = 1
    assert decode(heatmap).tolist() == [[30.5, 7.5]]


def test_the_loss_of_missing_keypoints_is_zero_but_their_elements_count() -> None:
    predicted, target = torch.ones(1, 1, 2, 56, 56), torch.zeros(1, 1, 2, 56, 56)
    annotated = torch.tensor([[[True, False]]])
    error = squared_error(predicted, target, annotated)
    assert float(error) == 56 * 56
    assert float(error) / target.numel() == 0.5


def test_the_loss_is_what_the_seeds_trick_gives() -> None:
    generator = torch.Generator().manual_seed(0)
    predicted, target = torch.rand(2, 2, 3, 1, 2, 2, generator=generator)[..., 0, :, :]
    annotated = torch.rand(2, 3, generator=generator) > 0.5
    annotated = annotated.unsqueeze(0)[:, :2]
    predicted, target = predicted.unsqueeze(0), target.unsqueeze(0)
    trick = torch.where(annotated[..., None, None], target, predicted)
    expected = torch.nn.functional.mse_loss(predicted, trick)
    assert float(squared_error(predicted, target, annotated)) / target.numel() == pytest.approx(float(expected))


def test_identity_scored_by_hand(noisy: Store, windows: Callable[..., Windows]) -> None:
    made = windows(noisy, "test", most=4)
    scores = evaluate(identity, made)
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
    scores = evaluate(lambda heatmaps: batch.target, made)
    assert scores.pck == {"0.05": 100.0, "0.1": 100.0, "0.2": 100.0}
    assert scores.loss == 0


def test_scores_do_not_depend_on_the_feed(noisy: Store, windows: Callable[..., Windows]) -> None:
    decoded, looked_up = (evaluate(identity, windows(noisy, "test", feed=f, most=3)) for f in ("store", "render"))
    assert decoded == looked_up
