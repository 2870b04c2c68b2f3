"""Reports on detectors: what is drawn, and the page."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import torch

from posedata.crops.store import CropStore
from posedata.progress import silent
from posetrain.config import TrainConfig
from posetrain.crops.data import all_crops
from posetrain.crops.scoring import CROP_JUDGE, score_mean_pose
from posetrain.crops.shown import CROPS_SHOWN, draw
from posetrain.explain.pictures import labelled
from posetrain.judging import score_what
from posetrain.report.poses import report_poses
from posetrain.training import train

CPU = torch.device("cpu")
Command = Callable[..., "CompletedProcess[str]"]


def test_labels_stand_left_and_what_was_predicted_right(crops: CropStore) -> None:
    positions = np.array([2, 0])
    points = crops.frames("points", positions)
    known, wrong = draw(crops, positions, points), draw(crops, positions, np.zeros((2, 17, 2)))
    for right, other, label in zip(known, wrong, labelled(crops, positions, 192), strict=True):
        assert right.shape == (192 + 22 + 8, 2 * 192 + 8, 3)
        for tile in (right, other):
            np.testing.assert_array_equal(tile[4:196, 4:196], label)
        np.testing.assert_array_equal(right[4:196, 196:388], label)
        assert (other[4:196, 196:388] != label).any()
        assert (other[196:218] != right[196:218]).any()  # the words: 0 of so many right


@pytest.fixture
def runs(crops: CropStore, small: None, tmp_path: Path) -> list[Path]:
    """Two detectors that differ, and one of which no epoch is finished."""
    for name, epochs in (("first", 1), ("second", 2)):
        config = TrainConfig(model="hourglass", optimizer="rmsprop", epochs=epochs, batch_size=8, max_windows=16)
        train(config, crops, tmp_path / name, device=CPU)
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "run.json").write_bytes((tmp_path / "first" / "run.json").read_bytes())
    return [tmp_path / name for name in ("first", "begun", "second")]


def test_runs_stand_beside_the_mean_pose_as_eval_scores_them(crops: CropStore, runs: list[Path]) -> None:
    made = report_poses(CROPS_SHOWN, runs, {}, CPU, silent)
    (block,) = made.told["blocks"]
    lines = {line["name"]: line for line in block["lines"]}
    assert list(lines) == ["mean-pose", "first", "second"]
    assert (block["split"], block["counted"][:7], made.left_out) == ("test", "3 crops", [runs[1]])
    test = all_crops(crops, "test", CPU)
    assert lines["mean-pose"]["scores"] == score_mean_pose(crops, test).parts
    for run in (runs[0], runs[2]):
        found = score_what(CROP_JUDGE, str(run), None, "test", CPU, silent)
        line = lines[run.name]
        assert (line["scores"], line["loss"], line["epoch"]) == (found.scores.parts, found.scores.loss, found.epoch)
        assert {"all", "visible", "occluded", "nose"} <= line["scores"].keys()
    assert lines["second"]["training"] == "2 x 2 steps of 8; rmsprop at 0.001, plateau; seed 0"
    table = list(csv.DictReader(made.files["scores.csv"].decode().splitlines()))
    assert [row["name"] for row in table] == list(lines)


def test_the_page_holds_everything_and_is_the_same_again(crops: CropStore, runs: list[Path]) -> None:
    made = report_poses(CROPS_SHOWN, runs, {}, CPU, silent)
    assert made.files.keys() == {
        "report.html",
        "scores.csv",
        "curves.svg",
        "predictions-first.png",
        "predictions-second.png",
    }
    page = made.files["report.html"].decode()
    assert page.count('<img alt="Best, middle and worst predictions of ') == 2
    assert page.count('src="data:image/png;base64,') == 2
    assert "hourglass: validation PCK@0.5, %" in page
    assert crops.manifest.content_digest in page
    assert "Left out, no epoch is finished: " in page
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page)
    assert made.files == report_poses(CROPS_SHOWN, runs, {}, CPU, silent).files


def test_without_test_crops_validation_is_scored(
    runs: list[Path], crops: CropStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {**crops.attributes["counts"], "splits": {"train": 21, "validation": 6, "test": 0}}
    original = CropStore.__init__

    def without_test(self: CropStore, **fields: object) -> None:
        original(self, **{**fields, "attributes": {**crops.attributes, "counts": counts}})

    monkeypatch.setattr(CropStore, "__init__", without_test)
    (block,) = report_poses(CROPS_SHOWN, runs[:1], {}, CPU, silent).told["blocks"]
    assert (block["split"], block["counted"][:7]) == ("validation", "6 crops")


def test_the_command_reports_on_a_detector_and_its_autoencoder(
    command: Command, crops: CropStore, tmp_path: Path
) -> None:
    size = ("--max-windows", 1, "--batch-size", 1, "--epochs", 1, "--device", "cpu", "--quiet")
    for line in (("hourglass", "--width", 16, "--out", "one"), ("hourglass-ae", "--init", "one", "--out", "code")):
        ran = command("posetrain", "run", crops.path, *size, "--model", *line)
        assert ran.returncode == 0, ran.stderr
    done = command("posetrain", "report", "code", "--out", "code.html", "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["measure"], told["unit"]) == ("PCK@0.5", "%")
    assert [line["name"] for line in told["blocks"][0]["lines"]] == ["mean-pose", "code"]
    page = (tmp_path / "code.html").read_text("utf-8")
    assert "None of these runs says a pose." in page
    assert "hourglass-ae: validation loss" in page
    both = command("posetrain", "report", "one", "code", "--out", "both")
    assert both.returncode == 0, both.stderr
    rows = [line.split()[0] for line in both.stdout.splitlines()]
    assert rows == ["page", "runs", "table", "mean-pose", "one", "code"]
    assert "one, test: " in both.stderr
    assert (tmp_path / "both" / "predictions-one.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "both" / "predictions-code.png").exists()
    again = command("posetrain", "report", "one", "--out", "both", "--feed", "render")
    assert (again.returncode, len(again.stderr.splitlines())) == (6, 1)
    refused = command("posetrain", "report", "one", "--out", "new", "--feed", "render")
    assert refused.returncode == 2
    assert "--feed: expected with models of other stores, found with runs on image-crops" in refused.stderr
    assert not (tmp_path / "new").exists()
