"""Two processes that train as one: the same gradients, one set of files."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import ranks
import torch
from safetensors.torch import load_file

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.errors import ChoiceError, RemoteError
from posedata.store.reader import Store
from posetrain.config import TrainConfig
from posetrain.team import ALONE, Team, joined
from posetrain.training import train

pytestmark = pytest.mark.usefixtures("one_thread")


def together(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Two processes as torchrun starts them."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *arguments]
    known = os.environ | ranks.ENVIRONMENT
    return subprocess.run(command, cwd=cwd, env=known, capture_output=True, text=True, check=False, timeout=300)


HERE = "/proc/self/cwd/"
"""A path that means another disk to every process with another working directory."""

WITH_PATIENCE = """
import sys
from datetime import timedelta
from posetrain import team
from posetrain.cli import main
team._PATIENCE = timedelta(seconds=int(sys.argv.pop(1)))
main()
"""


Process = subprocess.Popen[str] | ranks.Forked


@contextmanager
def started(
    *arguments: object,
    folders: Sequence[Path],
    ranked: Sequence[int] = (0, 1),
    patience: int = 120,
    anew: bool = False,
    program: Callable[[], None] = ranks.posetrain,
) -> Iterator[list[Process]]:
    """`posetrain run` in processes that must find each other themselves, each in its own folder.

    They are forks of one that has imported torch, and may be another program; or they import it `anew`.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    options = [*map(str, arguments)]
    if program is ranks.posetrain:
        options = ["run", *options, "--quiet"]
    both = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port} | ranks.ENVIRONMENT
    processes: list[Process] = []
    with tempfile.TemporaryDirectory() as said:
        for rank, folder in zip(ranked, folders, strict=True):
            known = os.environ | both | {"RANK": str(rank)}
            if anew:
                command = [sys.executable, "-c", WITH_PATIENCE, str(patience), *options]
                pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
                processes.append(subprocess.Popen(command, cwd=folder, env=known, text=True, **pipes))
            else:
                processes.append(ranks.Forked(options, folder, known, patience, Path(said, str(rank)), program))
        try:
            yield processes
        finally:
            for process in processes:
                process.kill()
                process.communicate()


def end(process: Process) -> tuple[int | None, str, str]:
    """Its exit code, and what it has said."""
    told, said = process.communicate(timeout=240)
    return process.returncode, told, said


@pytest.fixture
def machines(noisy: Store, tmp_path: Path) -> tuple[Path, Path]:
    """Folders of two machines that share no disk; on each lies the store."""
    folders = tmp_path / "first", tmp_path / "second"
    for folder in folders:
        shutil.copytree(noisy.path, folder / "a.zarr")
    return folders


def test_gradients_are_those_of_one_process_with_the_whole_batch(noisy: Store, tmp_path: Path) -> None:
    batches = {"conv3d": 3, "convlstm-sum": 2}
    words = [f"{name}:{windows}" for name, windows in batches.items()]
    with started(noisy.path, *words, folders=[tmp_path, tmp_path], program=ranks.step_together) as processes:
        for code, _, said in map(end, processes):
            assert code == 0, said
    for name, windows in batches.items():
        alone = ranks.gradients(noisy, name, windows, ALONE)
        for rank in range(2):
            found = load_file(tmp_path / f"{name}-{rank}.safetensors")
            assert found.keys() == alone.keys()
            for key, expected in alone.items():
                torch.testing.assert_close(
                    found[key].to(expected.dtype), expected, rtol=1e-3, atol=1e-5 * float(expected.abs().max())
                )


QUICK = TrainConfig(epochs=2, max_windows=9, batch_size=4)
OPTIONS = ("--epochs", "2", "--max-windows", "9", "--batch-size", "4", "--json")


def test_a_run_of_two_processes_is_written_once(noisy: Store, tmp_path: Path) -> None:
    arguments = ["-m", "posetrain", "run", str(noisy.path), *OPTIONS, "--quiet", "--out", str(tmp_path / "both")]
    both = together(*arguments, cwd=tmp_path)
    assert both.returncode == 0, both.stderr
    told = json.loads(both.stdout)  # one of them speaks
    one = train(QUICK, noisy, tmp_path / "one", device=torch.device("cpu"))
    assert told["val_loss"] == pytest.approx(one["val_loss"], rel=0.02)
    assert sorted(path.name for path in (tmp_path / "both" / "checkpoints").iterdir()) == ["0001", "0002"]


def test_the_folder_of_a_run_is_needed_by_the_first_process_alone(noisy: Store, machines: tuple[Path, Path]) -> None:
    first, second = machines
    began = train(QUICK, noisy, first / "a", device=torch.device("cpu"))

    def run(*arguments: str) -> dict[str, object]:
        with started(*arguments, "--out", HERE + "b", folders=machines) as processes:
            (code, told, said), other = map(end, processes)
        assert (code, other) == (0, (0, "", "")), said + other[2]
        return dict(json.loads(told))

    whole = run(HERE + "a.zarr", *OPTIONS, "--init", HERE + "a")
    assert whole["val_loss"] < began["val_loss"]  # type: ignore[operator]
    shutil.rmtree(first / "b" / "checkpoints" / "0002")
    (first / "b" / "summary.json").unlink()
    assert run(HERE + "a.zarr", "--resume", "--json")["val_loss"] == whole["val_loss"]
    assert [path.name for path in second.iterdir()] == ["a.zarr"]


@pytest.mark.parametrize("other", [None, "fixed"])
def test_a_machine_without_the_store_is_told(
    other: str | None, machines: tuple[Path, Path], raw_trees: dict[str, Path]
) -> None:
    first, second = machines
    shutil.rmtree(second / "a.zarr")
    if other:
        recipe = Recipe(datasets=(Selection(dataset="brace"),), noise=Noise(sigmas=(1.0,)))
        build_store(recipe, raw_trees, second / "a.zarr")
    with started(HERE + "a.zarr", "--out", HERE + "a", folders=machines) as processes:
        leader, follower = map(end, processes)
    assert (leader[0], leader[1]) == (7, "")
    assert leader[2].startswith("error: another process of this training has ended, or does not answer; see what it")
    here = re.escape(socket.gethostname())
    digests = f"content digest: expected [0-9a-f]{{64}} on {here} too, found [0-9a-f]{{64}}"
    expected = digests if other else f"expected the store on {here} too, found none"
    assert follower[0] == 3
    assert re.fullmatch(f"error: {HERE}a.zarr: {expected}; copy it here from the machine of .*\n", follower[2])
    assert not (first / "a").exists()


def test_nothing_is_written_before_all_can_begin(noisy: Store, tmp_path: Path) -> None:
    class Missing(Team):
        def meet(self) -> None:
            raise RemoteError("another process has ended")

    with pytest.raises(RemoteError):
        train(TrainConfig(epochs=1), noisy, tmp_path / "a", device=torch.device("cpu"), team=Missing())
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(("victim", "sent", "patience"), [(1, signal.SIGKILL, 120), (1, signal.SIGSTOP, 8)])
def test_a_lost_process_ends_the_other(
    victim: int, sent: signal.Signals, patience: int, machines: tuple[Path, Path]
) -> None:
    options = ("--out", HERE + "a", "--epochs", "500", "--max-windows", "9")
    anew = sent == signal.SIGKILL  # what torch itself would say is silenced as it is imported
    with started(HERE + "a.zarr", *options, folders=machines, patience=patience, anew=anew) as processes:
        latest = time.monotonic() + 240
        while not (machines[0] / "a" / "checkpoints" / "0002").exists():
            assert time.monotonic() < latest
            time.sleep(0.01)
        processes[victim].send_signal(sent)
        code, told, said = end(processes[1 - victim])
    assert (code, told) == (7, "")
    assert re.fullmatch("error: another process of this training has ended, or does not answer; .* --resume\n", said)


def test_processes_that_do_not_come_are_told(tmp_path: Path) -> None:
    with started("a.zarr", folders=[tmp_path], ranked=[0], patience=2) as processes:
        code, _, said = end(processes[0])
    assert code == 7
    last = said.splitlines()[-1]
    assert re.match(r"error: 127\.0\.0\.1:\d+: expected 2 processes of torchrun to meet there, each with a RANK", last)


def test_what_the_leader_refuses_is_told_once(tmp_path: Path) -> None:
    with started("nothere.zarr", folders=[tmp_path, tmp_path]) as processes:
        leader, follower = map(end, processes)
    assert (leader[0], follower[0]) == (3, 7)
    assert "nothere.zarr: expected a store" in leader[2]
    assert follower[2].startswith("error: another process of this training has ended, or does not answer; see what it")
    assert len((leader[2] + follower[2]).splitlines()) == 2


TORCHRUN = {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29400"}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"WORLD_SIZE": "abc"}, "WORLD_SIZE: expected a number as torchrun sets it, found abc"),
        ({"WORLD_SIZE": "0"}, "RANK: expected a number below WORLD_SIZE 0, found 0"),
        ({"RANK": ""}, "RANK: expected a number as torchrun sets it, found nothing"),
        ({"RANK": "2"}, "RANK: expected a number below WORLD_SIZE 2, found 2"),
        ({"MASTER_ADDR": ""}, "MASTER_ADDR: expected a host as torchrun sets it, found nothing"),
        ({"MASTER_PORT": "http"}, "MASTER_PORT: expected a number as torchrun sets it, found http"),
        ({"MASTER_PORT": "99999"}, "WORLD_SIZE: expected the environment of torchrun, found port must have value"),
    ],
)
def test_an_environment_that_makes_no_sense_is_told(
    changed: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**TORCHRUN, **changed}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ChoiceError, match=f"^{re.escape(words)}"), joined("cpu"):
        pass


def test_all_that_is_missing_of_an_environment_is_told_at_once(tmp_path: Path) -> None:
    known = {name: value for name, value in os.environ.items() if name not in TORCHRUN}
    process = ranks.Forked(["run"], tmp_path, known | {"WORLD_SIZE": "2"}, 120, tmp_path / "said")
    code, _, said = end(process)
    assert code == 2
    assert [line.split(":")[1] for line in said.splitlines()] == [" MASTER_ADDR", " MASTER_PORT", " RANK"]


@pytest.mark.parametrize("number", ["2", "", "first"])
def test_a_process_without_a_gpu_of_its_own_is_told(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    if number:
        monkeypatch.setenv("LOCAL_RANK", number)
    else:
        monkeypatch.delenv("LOCAL_RANK", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    told = f"LOCAL_RANK: expected a number below 2, the GPUs of this machine, found {number or 'nothing'}; start"
    with pytest.raises(ChoiceError, match=f"^{told}"), joined("auto"):
        pass


@pytest.mark.parametrize("device", ["cuda:0", "cuda:1", "mps", "nonsense"])
def test_a_device_that_all_processes_would_share_is_refused(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ChoiceError, match=f"^--device {device}: expected one of auto, cpu, cuda"), joined(device):
        pass


def test_gpus_add_gradients_and_the_leader_is_heard_on_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**TORCHRUN, "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    made: dict[str, object] = {}
    faked: dict[str, Callable[..., object]] = {
        "init_process_group": lambda backend, **known: made.update(gradients=backend),
        "new_group": lambda backend=None, **known: made.update(patient=backend),
        "get_rank": lambda: 0,
        "get_world_size": lambda: 2,
        "destroy_process_group": lambda: None,
    }
    for name, fake in faked.items():
        monkeypatch.setattr(torch.distributed, name, fake)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: made.update(device=device))
    with joined("auto") as (_, device):
        assert device == "cuda:1"
    assert made == {"gradients": "nccl", "patient": "gloo", "device": "cuda:1"}


def test_parts_are_a_batch_dealt_out() -> None:
    batch = np.arange(7)
    parts = [Team(rank, 3).part(batch) for rank in range(3)]
    assert np.concatenate(parts).tolist() == batch.tolist()
    assert [len(part) for part in parts] == [3, 2, 2]
    assert len(Team(1, 2).part(batch[:1])) == 0
    assert ALONE.part(batch).tolist() == batch.tolist()
    assert ALONE.told({"a": 1}) == {"a": 1}
