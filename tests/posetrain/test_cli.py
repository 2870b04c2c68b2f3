import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch
from click.testing import CliRunner

from posedata import open_store
from posetrain.cli import cli
from posetrain.commands.options import MODEL_NAMES
from posetrain.config import TrainConfig
from posetrain.models import MODELS
from posetrain.training import train

Command = Callable[..., "CompletedProcess[str]"]


def test_run_and_eval_with_no_argument_but_their_subject(command: Command, tmp_path: Path) -> None:
    assert command("posedata", "sample", "brace", "--frames", 20).returncode == 0
    assert command("posedata", "build", "--dataset", "brace").returncode == 0
    ran = command("posetrain", "run", "--epochs", 1, "--max-windows", 8, "--json")
    assert ran.returncode == 0, ran.stderr
    summary = json.loads(ran.stdout)
    wanted = {"run", "model", "epochs", "best_epoch", "val_loss", "val_pck", "parameters", "windows_per_second"}
    assert wanted <= summary.keys()
    assert "brace-k1-random.zarr" in ran.stderr
    assert (tmp_path / "home" / "runs" / "conv3d-brace-k1-random" / "summary.json").is_file()
    for subject in ("identity", "conv3d-brace-k1-random"):
        scored = command("posetrain", "eval", subject, "--json", "--quiet")
        assert scored.returncode == 0, scored.stderr
        assert scored.stderr == ""
        report = json.loads(scored.stdout)
        keys = {"model", "split", "windows", "keypoints", "frames_scored", "frames_unscored", "pck", "pck_point"}
        assert keys | {"per_joint", "loss", "pck_interval"} <= report.keys()
        assert report["pck"].keys() == {"0.05", "0.1", "0.2"}
        assert report["input"] == "noisy"
    whole = command("posetrain", "eval", "conv3d-brace-k1-random", "--span", "sequence", "--json")
    assert json.loads(whole.stdout)["span"] == "sequence", whole.stderr
    refused = command("posetrain", "eval", "conv3d-brace-k1-random", "--window", 9)
    assert refused.returncode == 2
    assert "conv3d has its own" in refused.stderr


def scored(*arguments: object) -> str:
    """What `posetrain eval` prints."""
    done = CliRunner().invoke(cli, ["eval", *map(str, arguments), "--split", "all", "--quiet"])
    assert done.exit_code == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_eval_tells_the_interval_about_every_percent(stores: dict[str, Path]) -> None:
    told = json.loads(scored("identity", "--store", stores["brace"], "--json"))
    assert (told["window"], told["frame_step"]) == (5, 1)
    assert told["content_digest"] == open_store(stores["brace"]).manifest.content_digest
    assert told["pck_interval"].keys() == told["pck"].keys() == {"0.05", "0.1", "0.2"}
    for threshold, (low, high) in told["pck_interval"].items():
        assert low <= told["pck"][threshold] <= high
    low, high = told["pck_interval"]["0.2"]
    table = scored("identity", "--store", stores["brace"]).splitlines()
    assert [f"@0.2 {low:.1f} to {high:.1f} %" in line for line in table if line.startswith("95 %")] == [True]
    assert not any(line.startswith("input") for line in table)


def test_eval_names_the_keypoints_that_it_hands_through(stores: dict[str, Path]) -> None:
    for dataset, missing in (("brace", ["left_ear", "right_ear"]), ("penn_action", [])):
        told = json.loads(scored("default", "--store", stores[dataset], "--window", "5", "--json"))
        assert told["keypoints_not_refined"] == missing
        table = scored("default", "--store", stores[dataset], "--window", "5").splitlines()
        row = [f"{', '.join(missing)}: the model was not trained on these"] if missing else []
        assert [line.removeprefix("as given").strip() for line in table if line.startswith("as given")] == row


def test_what_a_model_knows_may_not_be_known(stores: dict[str, Path], tmp_path: Path) -> None:
    config = TrainConfig(model="smoothnet", epochs=1, max_windows=4, batch_size=4)
    train(config, open_store(stores["penn_action"]), tmp_path / "run", device=torch.device("cpu"))
    info = tmp_path / "run" / "run.json"
    info.write_text(info.read_text().replace(str(stores["penn_action"]), "gone.zarr"))
    told = json.loads(scored(tmp_path / "run", "--store", stores["brace"], "--json"))
    assert told["keypoints_not_refined"] is None
    table = scored(tmp_path / "run", "--store", stores["brace"])
    assert "not known: the store that the run was trained on is not at hand" in table


@pytest.mark.parametrize("what", ["identity", "gaussian"])
def test_scores_on_the_clean_target_are_marked(what: str, stores: dict[str, Path]) -> None:
    table = scored(what, "--store", stores["brace"], "--input", "clean").splitlines()
    assert ["CLEAN" in line for line in table if line.startswith("input")] == [True]
    told = json.loads(scored(what, "--store", stores["brace"], "--input", "clean", "--json"))
    assert told["input"] == "clean"
    assert told["pck"]["0.2"] > 90


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run"], 3, "posedata build"),
        (["run", "STORE", "--model", "conv4d"], 2, "conv3d"),
        (["run", "STORE", "--epochs", "0"], 2, "--epochs"),
        (["run", "STORE", "--device", "quantum"], 2, "--device"),
        (["run", "STORE", "--out", "STORE"], 6, "--resume"),
        (["run", "--resume"], 3, "unfinished"),
        (["run", "DETECTED", "--feed", "render"], 2, "detector"),
        (["eval", "nothing"], 3, "no runs"),
        (["eval", "identity", "--store", "STORE", "--split", "exam"], 2, "held_out"),
        (["eval", "identity", "--store", "STORE", "--split", "held_out"], 3, "held_out"),
        (["eval", "identity", "--store", "STORE", "--input", "dirty"], 2, "clean"),
        (["run", "STORE", "--precision", "float16"], 2, "bfloat16"),
    ],
)
def test_faults_have_their_code_and_one_clear_line(
    command: Command, stores: dict[str, Path], arguments: list[str], code: int, words: str
) -> None:
    places = {"STORE": str(stores["brace"]), "DETECTED": str(stores["climbalong"])}
    failed = command("posetrain", *(places.get(a, a) for a in arguments))
    assert failed.returncode == code, failed.stderr
    assert words in failed.stderr
    assert "Traceback" not in failed.stderr
    assert failed.stderr.splitlines()[-1].startswith("error: ")


def test_help_names_every_model() -> None:
    assert tuple(MODELS) == MODEL_NAMES
