import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch

from posedata.crops.store import CropStore
from posedata.errors import BadInputError, ChoiceError
from posedata.progress import silent
from posetrain.config import TrainConfig
from posetrain.crops.data import all_crops
from posetrain.crops.scoring import CROP_JUDGE, mean_pose, score_mean_pose
from posetrain.exported import export_run
from posetrain.history import load_history
from posetrain.judging import score_what
from posetrain.report.collect import refiners
from posetrain.scoring import subject_of_run
from posetrain.trained import find_trained
from posetrain.training import train

CPU = torch.device("cpu")

Command = Callable[..., "CompletedProcess[str]"]


def test_the_mean_pose_is_that_of_the_labelled_keypoints_that_train(crops: CropStore) -> None:
    points = crops["points"][crops.positions("train")].astype(np.float64)
    nose = [point for point in points[:, 0] if not np.isnan(point).any()]
    found = mean_pose(crops)
    np.testing.assert_allclose(found[0], np.mean(nose, axis=0))
    assert found.shape == (17, 2)
    scores = score_mean_pose(crops, all_crops(crops, "train", CPU))
    assert scores.loss is None
    assert scores.crops == len(points)
    near = sum(np.linalg.norm(np.floor(point) + 0.5 - found[0]) < 3.2 for point in nose)
    assert scores.per_joint["nose"]["0.5"] == pytest.approx(100 * near / len(nose))


@pytest.fixture
def run(crops: CropStore, small: None, tmp_path: Path) -> Path:
    wanted = TrainConfig(model="hourglass", optimizer="rmsprop", epochs=1, batch_size=8)
    train(wanted, crops, tmp_path / "mine", device=CPU)
    return tmp_path / "mine"


def test_a_run_is_scored_by_its_best_epoch_as_its_validation_was(crops: CropStore, run: Path) -> None:
    found = score_what(CROP_JUDGE, str(run), None, "validation", CPU, silent)
    assert found.epoch is not None
    row = load_history(run)[found.epoch - 1]
    assert (found.model, found.store.path) == ("hourglass", crops.path)
    assert (found.scores.loss, found.scores.pck["0.5"]) == (row["val_loss"], row["val_pck@0.5"])


def test_a_detector_neither_refines_nor_is_exported(run: Path, other: Path, tmp_path: Path) -> None:
    words = r"mine: expected a model that refines windows, found hourglass"
    with pytest.raises(ChoiceError, match=words):
        find_trained(str(run), CPU)
    with pytest.raises(ChoiceError, match=words):
        subject_of_run(run, None, CPU)
    with pytest.raises(ChoiceError, match=words):
        export_run(run, tmp_path / "one.safetensors", False)
    assert refiners([run, tmp_path]) == [tmp_path]  # what is no run is told by whoever loads it
    with pytest.raises(BadInputError, match="image-crops for hourglass, found temporal-heatmaps"):
        score_what(CROP_JUDGE, str(run), other, "test", CPU, silent)


def test_a_run_and_the_mean_pose_through_the_commands(command: Command, crops: CropStore, other: Path) -> None:
    size = ("--width", 16, "--max-windows", 1, "--batch-size", 1, "--epochs", 1, "--device", "cpu")
    ran = command("posetrain", "run", crops.path, "--model", "hourglass", *size, "--out", "mine", "--json")
    assert ran.returncode == 0, ran.stderr
    summary = json.loads(ran.stdout)
    assert {"run", "model", "val_loss", "val_pck", "parameters", "crops_per_second"} <= summary.keys()
    for what in ("mine", "mean-pose"):
        scored = command("posetrain", "eval", what, "--store", crops.path, "--json", "--quiet")
        assert scored.returncode == 0, scored.stderr
        told = json.loads(scored.stdout)
        assert told.keys() >= {"model", "split", "epoch", "crops", "keypoints", "pck", "per_joint", "by_visibility"}
        assert (told["crops"], told["pck"].keys()) == (3, {"0.5"})
    table = command("posetrain", "eval", "mean-pose", "--store", crops.path, "--quiet").stdout.splitlines()
    assert [line.split()[0] for line in table[:6]] == ["model", "store", "split", "PCK", "visible", "occluded"]
    listed = command("posetrain", "runs", "mine").stdout
    assert "@0.5 " in listed
    assert "crops/s" in listed
    for code, words, line in (
        (2, "--window: ", ("run", crops.path, "--model", "hourglass", "--window", 5)),
        (2, "--input: ", ("eval", "mine", "--input", "clean")),
        (2, "mine: expected a model that refines", ("predict", "mine", other, "--out", "x.csv")),
        (2, "--model hourglass: expected a model that refines", ("sweep", "--model", "hourglass")),
        (3, "image-crops for mean-pose, found temporal", ("eval", "mean-pose", "--store", other)),
        (2, "expected one of train, validation, test", ("eval", "mine", "--split", "all")),
    ):
        failed = command("posetrain", *line)
        assert failed.returncode == code, failed.stderr
        assert words in failed.stderr
        assert "Traceback" not in failed.stderr
