"""Two processes that train as one: the same gradients, one set of files."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from posedata.store.reader import Store
from posetrain.config import TrainConfig
from posetrain.data import Windows
from posetrain.epoch import train_epoch
from posetrain.models import find_model, make_model
from posetrain.team import ALONE, Team

SCRIPT = """
import sys
from pathlib import Path
from safetensors.torch import save_file
from posedata import open_store
from posetrain.team import joined
from tests_team import gradients

with joined("cpu") as (team, _):
    found = gradients(open_store(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3]), team)
    said = team.told({"rank": team.rank, "words": "ü"} if team.leads else None)
    assert said == {"rank": 0, "words": "ü"}, said
    save_file(found, f"{sys.argv[4]}/{team.rank}.safetensors")
"""


class Still(torch.optim.SGD):
    """Takes no step, so that the gradients of the last one can be looked at."""

    def step(self, closure: object = None) -> None:
        """Nothing."""


def gradients(store: Store, name: str, windows: int, team: Team) -> dict[str, torch.Tensor]:
    """Of one step on some windows, the mean loss beside them."""
    torch.set_num_threads(1)
    config = TrainConfig(model=name, batch_size=windows)
    model = make_model(config)
    made = Windows(store, store.windows("train")[:windows], 5, 1, torch.device("cpu"), "auto")
    loss = train_epoch(model, find_model(name).task, Still(model.parameters(), lr=1), made, config, 1, team)
    found = {key: p.grad for key, p in model.named_parameters() if p.grad is not None}
    return found | {"loss": torch.tensor(loss)}


def together(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Two processes as torchrun starts them."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *arguments]
    path = os.pathsep.join([str(cwd), os.environ.get("PYTHONPATH", "")])
    extra = {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **extra}, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.parametrize(("name", "windows"), [("conv3d", 5), ("convlstm-sum", 2), ("conv3d", 1)])
def test_gradients_are_those_of_one_process_with_the_whole_batch(
    noisy: Store, tmp_path: Path, name: str, windows: int
) -> None:
    (tmp_path / "tests_team.py").write_text(Path(__file__).read_text())
    (tmp_path / "script.py").write_text(SCRIPT)
    done = together("script.py", str(noisy.path), name, str(windows), str(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    alone = gradients(noisy, name, windows, ALONE)
    for rank in range(2):
        found = load_file(tmp_path / f"{rank}.safetensors")
        assert found.keys() == alone.keys()
        for key, expected in alone.items():
            if key == "loss" and rank * windows == 1:
                continue  # the second process had no window
            torch.testing.assert_close(
                found[key].to(expected.dtype), expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max())
            )


def test_a_run_of_two_processes_is_written_once_and_goes_on(noisy: Store, tmp_path: Path) -> None:
    options = ["--epochs", "2", "--max-windows", "21", "--batch-size", "4", "--json", "--quiet"]
    both = together("-m", "posetrain", "run", str(noisy.path), *options, "--out", str(tmp_path / "both"), cwd=tmp_path)
    assert both.returncode == 0, both.stderr
    told = json.loads(both.stdout)  # one of them speaks
    command = [sys.executable, "-m", "posetrain", "run", str(noisy.path), *options, "--out", str(tmp_path / "one")]
    one = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert told["val_loss"] == pytest.approx(one["val_loss"], rel=0.02)
    assert sorted(path.name for path in (tmp_path / "both" / "checkpoints").iterdir()) == ["0001", "0002"]

    shutil.rmtree(tmp_path / "both" / "checkpoints" / "0002")
    (tmp_path / "both" / "summary.json").unlink()
    again = together("-m", "posetrain", "run", "--resume", "--out", str(tmp_path / "both"), "--json", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["val_loss"] == told["val_loss"]


def test_what_the_leader_refuses_is_told_once(tmp_path: Path) -> None:
    done = together("-m", "posetrain", "run", "nothere.zarr", "--quiet", cwd=tmp_path)
    assert done.returncode != 0
    assert done.stderr.count("nothere.zarr: expected a store") == 1
    assert "this is a bug" not in done.stderr


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        ({"WORLD_SIZE": "abc"}, 2, "WORLD_SIZE: expected the environment of torchrun"),
        ({"WORLD_SIZE": "2"}, 2, "WORLD_SIZE: expected the environment of torchrun"),
    ],
)
def test_an_environment_that_makes_no_sense_is_told(
    environment: dict[str, str], code: int, words: str, noisy: Store
) -> None:
    command = [sys.executable, "-m", "posetrain", "run", str(noisy.path)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


def test_parts_are_a_batch_dealt_out() -> None:
    batch = np.arange(7)
    parts = [Team(rank, 3).part(batch) for rank in range(3)]
    assert np.concatenate(parts).tolist() == batch.tolist()
    assert [len(part) for part in parts] == [3, 2, 2]
    assert len(Team(1, 2).part(batch[:1])) == 0
    assert ALONE.part(batch).tolist() == batch.tolist()
    assert ALONE.told({"a": 1}) == {"a": 1}
