"""The trained model of the package."""

from pathlib import Path

import numpy as np
import pytest
import torch

from posedata import open_store
from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.progress import silent
from posedata.skeleton import INDEX
from posedata.store.reader import Store
from posetrain import scoring
from posetrain.baselines import Span
from posetrain.evaluation import Scores
from posetrain.exported import DEFAULT, find_export, read_export
from posetrain.trained import find_trained

CPU = torch.device("cpu")


def test_it_is_small_and_knows_the_joints_of_penn_action() -> None:
    path = find_export(DEFAULT)
    assert path is not None
    assert path.stat().st_size < 5e6
    info, weights = read_export(path)
    assert (info.config.model, info.epoch) == ("mixer-few", 12)
    assert info.keypoints is not None
    assert len(info.keypoints) == 13
    assert {"nose", "left_wrist", "right_ankle"} <= set(info.keypoints)
    assert all(tensor.dtype == torch.float16 for tensor in weights.values())
    assert (path.parent / "README.md").is_file()


def test_it_is_found_by_its_name() -> None:
    found = find_trained(DEFAULT, CPU)
    assert (found.model, found.shortest, found.frame_step) == ("mixer-few", 1, 1)
    assert found.seen is not None
    assert found.seen[INDEX["nose"]]
    assert found.seen.sum() == 13


def test_it_says_what_it_has_always_said() -> None:
    """So that no change of the network goes unseen that its weights do not show."""
    frames, numbers = torch.arange(9.0)[:, None], torch.arange(25.0)
    tracks = torch.stack([0.3 * torch.sin(numbers + 0.1 * frames), 0.4 * torch.cos(1.7 * numbers + frames)], dim=-1)
    tracks[4, 7] = torch.nan
    corners = torch.tensor([[-0.4, -0.4], [0.4, 0.4]]).expand(9, 2, 2)
    refine, found = find_trained(DEFAULT, CPU).refine, []
    for frames_seen in (9, 5):
        for known in (corners, corners * torch.nan):
            with torch.inference_mode():
                found.append(refine(torch.cat([tracks, known], dim=1)[None, :frames_seen])[0, [0, 4], 7])
    expected = torch.tensor(
        [
            [[0.21139, 0.18617], [0.24942, 0.07992]],
            [[0.21143, 0.18687], [0.25013, 0.08004]],
            [[0.19446, 0.16316], [0.20817, 0.08162]],
            [[0.1928, 0.21436], [0.22368, 0.02797]],
        ]
    )
    torch.testing.assert_close(torch.stack(found), expected, rtol=0, atol=1e-4)


@pytest.fixture(scope="module")
def pitches(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Pitches of Penn Action; of the videos that test, the model has seen none."""
    out = tmp_path_factory.mktemp("real") / "pitches.zarr"
    actions = ("baseball_pitch", "bench_press")
    recipe = Recipe(datasets=(Selection(dataset="penn_action", actions=actions),), noise=Noise(k=2.0))
    build_store(recipe, {"penn_action": shared / "penn_action"}, out)
    return open_store(out)


@pytest.fixture(scope="module")
def climbs(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Speed climbing; of the videos that test, the model has seen none."""
    out = tmp_path_factory.mktemp("real") / "climbs.zarr"
    recipe = Recipe(datasets=(Selection(dataset="speed21"),), noise=Noise(k=1.0))
    build_store(recipe, {"speed21": shared / "speed21"}, out)
    return open_store(out)


@pytest.mark.real
def test_it_beats_the_best_filter_on_real_motion(pitches: Store) -> None:
    scores = both_scored(pitches, "window")
    for threshold, least in (("0.05", 5.0), ("0.1", 14.0), ("0.2", 20.0)):
        assert scores[DEFAULT].pck[threshold] > scores["gaussian"].pck[threshold] + least
    assert np.isfinite(scores[DEFAULT].loss)


@pytest.mark.real
def test_it_beats_the_best_filter_on_climbing(climbs: Store) -> None:
    scores = both_scored(climbs, "sequence")
    for threshold, least in (("0.05", 10.0), ("0.1", 20.0), ("0.2", 12.0)):
        assert scores[DEFAULT].pck[threshold] > scores["gaussian"].pck[threshold] + least


def both_scored(store: Store, span: Span) -> dict[str, Scores]:
    """Of the model and of the filter, on the test split."""
    subjects = {what: scoring.eval_subject(what, store.path, 5, None, CPU, span) for what in (DEFAULT, "gaussian")}
    return {what: scoring.score(subject, "test", CPU, "auto", silent)[0] for what, subject in subjects.items()}
