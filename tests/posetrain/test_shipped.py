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
            [[0.20012, 0.14944], [0.23804, 0.10806]],
            [[0.20315, 0.14884], [0.23977, 0.10709]],
            [[0.16843, 0.1827], [0.19237, 0.01861]],
            [[0.17207, 0.183], [0.20635, 0.02599]],
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


@pytest.mark.real
def test_it_beats_the_best_filter_on_real_motion(pitches: Store) -> None:
    scores = {}
    for what in (DEFAULT, "gaussian"):
        subject = scoring.eval_subject(what, pitches.path, 5, None, CPU, "window")
        scores[what], _ = scoring.score(subject, "test", CPU, "auto", silent)
    for threshold, least in (("0.05", 5.0), ("0.1", 14.0), ("0.2", 20.0)):
        assert scores[DEFAULT].pck[threshold] > scores["gaussian"].pck[threshold] + least
    assert np.isfinite(scores[DEFAULT].loss)
