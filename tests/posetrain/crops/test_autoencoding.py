"""An autoencoder in a trained hourglass: trained alone, then with it."""

import shutil
from pathlib import Path

import pytest
import torch

from posedata.crops.store import CropStore
from posedata.errors import ChoiceError, IntegrityError
from posedata.progress import silent
from posetrain import checkpoints, request
from posetrain.config import TrainConfig
from posetrain.crops.scoring import CROP_JUDGE
from posetrain.judging import score_what
from posetrain.training import train

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
SMALL = {**TrainConfig().model_dump(), "epochs": 1, "max_windows": 1, "batch_size": 1}


def wanted(model: str, init: Path | None, **typed: object) -> TrainConfig:
    given = {"model", "epochs", "max_windows", "batch_size", *typed}
    return request.wanted_config({**SMALL, "model": model, **typed}, given=given, experiment=None, init=init)


@pytest.fixture(scope="module")
def runs(crops: CropStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of each model, after each other; the last one's rate is next to nothing."""
    folder = tmp_path_factory.mktemp("runs")
    train(wanted("hourglass", None), crops, folder / "plain", device=CPU)
    train(wanted("hourglass-ae", folder / "plain"), crops, folder / "alone", device=CPU)
    coded = wanted("hourglass-coded", folder / "alone", learning_rate=1e-30)
    train(coded, crops, folder / "coded", device=CPU)
    return folder


def test_each_takes_the_weights_of_the_one_before(runs: Path) -> None:
    plain, alone, coded = (checkpoints.load_weights(runs / name, 1) for name in ("plain", "alone", "coded"))
    assert all(torch.equal(value, alone[name]) for name, value in plain.items())
    assert {name for name in alone if name not in plain} == {name for name in alone if ".code." in name}
    learnt = [name for name in alone if "running" not in name and "batches" not in name]
    assert all(torch.equal(alone[name], coded[name]) for name in learnt)


@pytest.mark.parametrize(
    ("before", "after", "missing", "words"),
    [
        ("plain", "hourglass-ae", "heatmaps", "this version's hourglass,"),
        ("alone", "hourglass-ae", ".code.", "this version's hourglass-ae,"),
        ("alone", "hourglass-coded", ".code.", "this version's hourglass-ae,"),
        ("coded", "hourglass-coded", ".code.", "this version's hourglass-coded,"),
    ],
)
def test_what_was_trained_does_not_begin_fresh(
    runs: Path, crops: CropStore, tmp_path: Path, before: str, after: str, missing: str, words: str
) -> None:
    run = Path(shutil.copytree(runs / before, tmp_path / before))
    weights, state = checkpoints.load_weights(run, 1), checkpoints.load_state(run, 1)
    del weights[next(name for name in weights if missing in name)]
    shutil.rmtree(run / "checkpoints")
    checkpoints.save_checkpoint(run, 1, weights, state)
    with pytest.raises(IntegrityError, match=words):
        train(wanted(after, run), crops, tmp_path / "after", device=CPU)


def test_each_has_its_own_regime_and_the_same_model_is_finetuned(runs: Path) -> None:
    alone = checkpoints.read_run(runs / "alone").config
    assert (alone.optimizer, alone.learning_rate, alone.schedule) == ("sgd", 5e-4, "steps")
    assert (alone.reduce_after, alone.reduce_factor) == (25, 0.5)
    coded = wanted("hourglass-coded", runs / "alone")
    assert (coded.optimizer, coded.learning_rate, coded.schedule) == ("rmsprop", 2.5e-4, "once")
    assert wanted("hourglass-ae", runs / "alone").learning_rate == 1e-4


def test_an_autoencoder_is_scored_by_its_loss_alone(runs: Path) -> None:
    found = score_what(CROP_JUDGE, str(runs / "alone"), None, "test", CPU, silent)
    assert (found.scores.pck, found.scores.keypoints, found.scores.crops) == ({}, 0, 3)
    assert (found.scores.parts, len(found.scores.errors)) == ({}, 0)
    assert found.scores.loss is not None
    assert found.scores.loss > 0


@pytest.mark.parametrize(
    ("model", "init", "words"),
    [
        ("hourglass-ae", None, "expected --init with a run of hourglass$"),
        ("hourglass-coded", None, "expected --init with a run of hourglass-ae"),
        ("hourglass-coded", "plain", "--init .*: expected a run of hourglass-ae with .*, found one of hourglass$"),
        ("hourglass", "alone", "model: expected model hourglass-ae as --init"),
    ],
)
def test_what_does_not_come_after_is_refused(runs: Path, model: str, init: str | None, words: str) -> None:
    with pytest.raises(ChoiceError, match=words):
        wanted(model, runs / init if init else None)
