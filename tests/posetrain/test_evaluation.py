import json
from collections.abc import Callable

import numpy as np
import pytest
import torch

from posedata.heatmaps import decode as decode_numpy
from posedata.store.reader import Store
from posetrain.data import Windows
from posetrain.evaluation import Tally, evaluate, identity
from posetrain.tasks import HEATMAPS

Make = Callable[..., Windows]


def torso_by_hand(points: np.ndarray) -> np.ndarray:
    """(N,) mean length of the sides that are whole."""
    sides = np.linalg.norm(points[:, [3, 4]] - points[:, [15, 16]], axis=-1)
    return np.asarray([np.mean(side[~np.isnan(side)]) if not np.isnan(side).all() else np.nan for side in sides])


def cells_by_hand(store: Store, frames: np.ndarray) -> np.ndarray:
    """(N, 25, 2) centres of the target's cells, NaN where missing."""
    return np.where(store["annotated"][frames][..., None], store["target_cells"][frames] + 0.5, np.nan)


def test_identity_scored_by_hand(noisy: Store, windows: Make) -> None:
    made = windows(noisy, "test", most=4)
    scores = evaluate(identity, HEATMAPS, made)
    frames = (made.starts[:, None] + np.arange(5)).ravel()
    position = decode_numpy(noisy["input_heatmaps"][frames])
    points = noisy["target_points"][frames].astype(np.float64)
    torso = torso_by_hand(points)
    for target, pck in ((cells_by_hand(noisy, frames), scores.pck), (points, scores.pck_point)):
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


def test_the_acceleration_error_by_hand(noisy: Store, windows: Make) -> None:
    made = windows(noisy, "train", most=40)
    scores = evaluate(identity, HEATMAPS, made)
    position = decode_numpy(noisy["input_heatmaps"][: made.frames.max() + 1])
    points = noisy["target_points"][: made.frames.max() + 1].astype(np.float64)
    off = (position - points) / torso_by_hand(points)[:, None, None]
    bends = [off[w[i]] - 2 * off[w[i + 1]] + off[w[i + 2]] for w in made.frames for i in range(3)]
    assert scores.acceleration == pytest.approx(np.nanmean(np.linalg.norm(bends, axis=-1)))


def test_without_three_frames_there_is_no_acceleration(noisy: Store) -> None:
    made = Windows(noisy, noisy.windows("train")[:3], 2, 1, torch.device("cpu"), "auto")
    assert evaluate(identity, HEATMAPS, made).acceleration is None


def test_a_torso_without_length_has_no_acceleration_error(noisy: Store, windows: Make) -> None:
    """The middle one of 5 frames is in each of its 3 accelerations; nothing that is told is infinite."""
    made = windows(noisy, "test", most=2)
    before = evaluate(identity, HEATMAPS, Windows(noisy, made.starts[:1], 5, 1, torch.device("cpu"), "auto"))
    made.torso[made.frames[1, 2]] = 0.0
    scores = evaluate(identity, HEATMAPS, made)
    assert scores.acceleration == before.acceleration
    assert scores.window_errors[1] == np.inf
    json.dumps(scores.as_dict(), allow_nan=False)


def test_window_errors_by_hand(noisy: Store, windows: Make) -> None:
    made = windows(noisy, "train", most=40)
    scores = evaluate(identity, HEATMAPS, made)
    frames = made.frames.ravel()
    position = decode_numpy(noisy["input_heatmaps"][: frames.max() + 1])[frames]
    torso = torso_by_hand(noisy["target_points"][frames].astype(np.float64))
    off = np.linalg.norm(position - cells_by_hand(noisy, frames), axis=-1) / torso[:, None]
    assert len(made) > 32  # more than one batch, so their order is tried too
    np.testing.assert_allclose(scores.window_errors, np.nanmean(off.reshape(40, -1), axis=1))


def test_a_window_without_a_torso_has_no_error(noisy: Store, windows: Make) -> None:
    made = windows(noisy, "test", most=3)
    made.torso[made.frames[1]] = np.nan
    made.torso[made.frames[2, :4]] = np.nan
    scores = evaluate(identity, HEATMAPS, made)
    assert np.isnan(scores.window_errors).tolist() == [False, True, False]
    assert scores.frames_unscored >= 9


def test_a_window_in_which_a_keypoint_was_not_found_is_infinitely_wrong(noisy: Store, windows: Make) -> None:
    made = windows(noisy, "test", most=2)
    found = cells_by_hand(noisy, made.frames)
    nose = noisy["annotated"][made.frames[0], 0]
    assert nose.any()
    found[0, :, 0] = np.nan
    tally = Tally(made)
    tally.add(made.frames, torch.from_numpy(found))
    assert tally.scores(0.0).window_errors.tolist() == [np.inf, 0.0]


def test_it_does_not_matter_how_many_windows_are_judged_together(
    noisy: Store, windows: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = windows(noisy, "all", most=10)
    found = torch.from_numpy(cells_by_hand(noisy, made.frames))
    told = []
    for most in (1, 4, 1000):
        monkeypatch.setattr("posetrain.evaluation._AT_ONCE", most)
        tally = Tally(made)
        for first in range(0, 10, 3):
            tally.add(made.frames[first : first + 3], found[first : first + 3])
        told.append(tally.scores(0.0))
    for other in told[1:]:
        assert other.as_dict() == {**told[0].as_dict(), "acceleration": pytest.approx(told[0].acceleration)}
        np.testing.assert_array_equal(other.window_errors, told[0].window_errors)


def test_videos_are_counted_apart_and_sum_to_the_whole(noisy: Store, windows: Make) -> None:
    made = windows(noisy, "all", most=1000)
    scores = evaluate(identity, HEATMAPS, made)
    assert scores.by_video.counted.sum() == scores.keypoints
    assert scores.by_video.percent() == scores.pck
    names = np.asarray(noisy["sequence_video"])[noisy.frame_sequence]
    assert len(set(names)) > 2
    for name in sorted(set(names)):
        lone = Windows(noisy, made.starts[names[made.starts] == name], 5, 1, torch.device("cpu"), "auto")
        alone = evaluate(identity, HEATMAPS, lone).by_video
        number = noisy.frame_video[lone.starts[0]]
        np.testing.assert_array_equal(alone.correct[number], scores.by_video.correct[number])
        np.testing.assert_array_equal(alone.counted.sum(axis=0), scores.by_video.counted[number])


def test_as_dict_goes_into_json_and_holds_no_arrays(noisy: Store, windows: Make) -> None:
    scores = evaluate(identity, HEATMAPS, windows(noisy, "test", most=3))
    told = scores.as_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    figures = {"windows", "keypoints", "frames_scored", "frames_unscored", "pck", "pck_point", "per_joint", "loss"}
    assert told.keys() == figures | {"acceleration"}


def test_a_perfect_refiner_scores_everything(noisy: Store, windows: Make) -> None:
    made = windows(noisy, "test", most=4)
    (batch,) = made.batches(np.arange(4), 4)
    scores = evaluate(lambda heatmaps: batch.target, HEATMAPS, made)
    assert scores.pck == {"0.05": 100.0, "0.1": 100.0, "0.2": 100.0}
    assert scores.loss == 0
    assert not scores.window_errors.any()


@pytest.mark.parametrize("feed", ["store", "render"])
def test_given_the_clean_target_identity_scores_everything(noisy: Store, feed: str) -> None:
    made = Windows(noisy, noisy.windows("test"), 5, 1, torch.device("cpu"), feed, "clean")  # type: ignore[arg-type]
    scores = evaluate(identity, HEATMAPS, made)
    everything = {"0.05": 100.0, "0.1": 100.0, "0.2": 100.0}
    assert scores.pck == everything
    assert all(score == everything for score in scores.per_joint.values())
    assert (scores.by_video.correct == scores.by_video.counted[:, None]).all()
    assert scores.loss == 0


def test_scores_do_not_depend_on_the_feed(noisy: Store, windows: Make) -> None:
    decoded, looked_up = (
        evaluate(identity, HEATMAPS, windows(noisy, "test", feed=f, most=3)) for f in ("store", "render")
    )
    assert decoded == looked_up
    np.testing.assert_array_equal(decoded.window_errors, looked_up.window_errors)
