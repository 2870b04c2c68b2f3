"""Processes of one training: what each of them does, and `posetrain` as a fork that need not import torch again."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from safetensors.torch import save_file

from posedata.store.reader import Store, open_store
from posetrain import team as teams
from posetrain.config import TrainConfig
from posetrain.data import Windows
from posetrain.epoch import train_epoch
from posetrain.models import find_model, make_model
from posetrain.team import Team, joined

ENVIRONMENT = {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
"""Of every process."""

_FORKS = multiprocessing.get_context("forkserver")
_IMPORTED = ["posetrain.cli", "posetrain.training", "ranks", "torch._dynamo"]
"""What takes long to import; the last by any optimizer."""


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


def step_together() -> None:
    """The program of a process: gradients of a step, saved by name and rank, and what else a team does, checked.

    Its arguments: a store, and NAME:WINDOWS of batches.
    """
    with joined("cpu") as (team, _):

        def load() -> dict[str, object]:
            assert team.leads
            return {"tensor": torch.arange(3), "list": [{"number": 0.5}]}

        for words in sys.argv[2:]:
            name, _, windows = words.partition(":")
            found = gradients(open_store(Path(sys.argv[1])), name, int(windows), team)
            save_file(found, f"{name}-{team.rank}.safetensors")
        said = team.told({"rank": team.rank, "words": "ü"} if team.leads else None)
        assert said == {"rank": 0, "words": "ü"}, said
        lent: Any = team.lent(load)
        assert (lent["tensor"].tolist(), lent["list"]) == ([0, 1, 2], [{"number": 0.5}]), lent
    threads = [file.read_text() for file in Path("/proc/self/task").glob("*/comm")]  # none where there is no Linux
    assert not any("gloo" in name for name in threads), threads


def posetrain() -> None:
    """The installed command."""
    from posetrain.cli import main

    main()


class Forked:
    """A program in a folder, as `subprocess.Popen` with pipes; `patience` is that of `posetrain.team` in seconds."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        patience: int,
        said: Path,
        program: Callable[[], None] = posetrain,
    ) -> None:
        self._files = [said.with_suffix(suffix) for suffix in (".out", ".err")]
        # As `posetrain run` sets it before torch is imported.
        with mock.patch.dict(os.environ, ENVIRONMENT | {"TORCH_CPP_LOG_LEVEL": "FATAL"}):
            _FORKS.set_forkserver_preload(_IMPORTED)
            known = dict(environment)
            self._process = _FORKS.Process(target=_be, args=(program, arguments, folder, known, patience, self._files))
            self._process.start()

    @property
    def returncode(self) -> int | None:
        """None as long as it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Likewise."""
        assert self._process.pid
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """Likewise."""
        self._process.kill()

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Likewise."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("posetrain", timeout or 0)
        out, err = (file.read_text() for file in self._files)
        return out, err


def _be(
    program: Callable[[], None],
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    patience: int,
    out: list[Path],
) -> None:
    """Become that program."""
    for number, file in enumerate(out, start=1):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    teams._PATIENCE = timedelta(seconds=patience)
    sys.argv = ["posetrain", *arguments]
    program()
