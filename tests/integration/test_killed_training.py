"""A training that is killed, at any instant, goes on to the same bits."""

import csv
import hashlib
import json
import random
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from zygote import Process, Zygote

# SmoothNet draws at random as it trains, and its checkpoints are large enough to be hit while they are written.
TRAINING = ("--model", "smoothnet", "--epochs", 5, "--max-windows", 64, "--batch-size", 8, "--device", "cpu")


Start = Callable[..., Process]


@pytest.fixture
def training(start: Callable[..., Process]) -> Start:
    """`posetrain run`, begun."""
    # Threads that share a core with anything else spend their time waiting for each other.
    return partial(start, "posetrain", "run", OMP_NUM_THREADS="1")


def finish(process: Process) -> None:
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr


def stop(process: Process, number: signal.Signals, reached: Callable[[], bool]) -> tuple[int | None, str, float]:
    """Send a signal at the instant that `reached` tells of; the exit code, stderr, and how long the end took."""
    deadline = time.monotonic() + 60
    while process.poll() is None and not reached():
        assert time.monotonic() < deadline
        time.sleep(0.0002)
    process.send_signal(number)
    sent = time.monotonic()
    _, stderr = process.communicate(timeout=60)
    return process.returncode, stderr, time.monotonic() - sent


def outcome(run: Path) -> dict[str, Any]:
    """All that a training ends with, but for what a clock says."""
    last = max((run / "checkpoints").iterdir())
    with (run / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        del row["seconds"], row["windows_per_second"]
    return {
        "last": last.name,
        "weights": hashlib.sha256((last / "weights.safetensors").read_bytes()).hexdigest(),
        "curves": rows,
        "best": json.loads((run / "summary.json").read_bytes())["best_epoch"],
    }


@pytest.fixture(scope="module")
def unbroken(stores: dict[str, Path], zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The outcome of a training that nothing befell."""
    folder = tmp_path_factory.mktemp("runs")
    line = [Path(sys.executable).parent / "posetrain", "run", stores["brace"], *TRAINING, "--out", folder / "unbroken"]
    finish(zygote.start(list(map(str, line)), folder, OMP_NUM_THREADS="1"))
    return outcome(folder / "unbroken")


def test_a_training_killed_at_four_instants_ends_as_if_it_had_not_been(
    stores: dict[str, Path], training: Start, unbroken: dict[str, Any], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    checkpoints = run / "checkpoints"
    delay = random.Random(0).uniform(0.05, 0.3)  # noqa: S311

    def some_time_after_the_third() -> bool:
        third = checkpoints / "0003"
        return third.exists() and time.time() > third.stat().st_mtime + delay

    instants: list[Callable[[], bool]] = [
        (run / "run.json").exists,
        (checkpoints / ".writing").exists,
        (checkpoints / "0002").exists,
        some_time_after_the_third,
    ]
    codes = []
    arguments: tuple[object, ...] = (stores["brace"], *TRAINING, "--out", run)
    for reached in instants:
        codes.append(stop(training(*arguments), signal.SIGKILL, reached)[0])
        arguments = ("--resume", "--out", run)
    assert codes.count(-signal.SIGKILL) >= 3
    finish(training(*arguments))
    assert outcome(run) == unbroken


def test_a_terminated_training_says_how_to_go_on_and_does(
    stores: dict[str, Path], training: Start, unbroken: dict[str, Any], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    process = training(stores["brace"], *TRAINING, "--out", run)
    code, stderr, seconds = stop(process, signal.SIGTERM, (run / "checkpoints" / "0002").exists)
    assert seconds < 5
    assert code == 143, stderr
    assert stderr.splitlines()[-1].endswith(f"posetrain run --resume --out {run} goes on")
    assert "Traceback" not in stderr
    finish(training("--resume", "--out", run))
    assert outcome(run) == unbroken
