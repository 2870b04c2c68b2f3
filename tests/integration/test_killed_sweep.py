"""A sweep that is killed again and again ends with the weights of one that never was."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from zygote import Process

RUNS = ("conv3d-1.1", "smoothnet-1.1", "conv3d-1.1-finetuned", "smoothnet-1.1-finetuned")
INSTANTS = (
    ("conv3d-1.1/summary.json",),  # between two runs
    ("smoothnet-1.1/checkpoints/.writing", "smoothnet-1.1/checkpoints/0001"),  # while a checkpoint is written
    ("conv3d-1.1-finetuned/checkpoints/0001",),  # between two epochs of a finetuning
)

Sweep = Callable[[Path], Process]


@pytest.fixture
def sweep(stores: dict[str, Path], start: Callable[..., Process]) -> Sweep:
    """The installed command with a small sweep, begun."""

    def begin(out: Path) -> Process:
        words = "--model conv3d --model smoothnet --experiment 1.1 --epochs 2 --max-windows 4 --batch-size 2"
        places = (stores["brace"], "--finetune", stores["climbalong"], "--out", out)
        # Where the machine has other work, two threads mostly wait for each other.
        return start("posetrain", "sweep", *places, *words.split(), "--device", "cpu", "--json", OMP_NUM_THREADS="1")

    return begin


def kill_at(process: Process, paths: list[Path]) -> None:
    """SIGKILL as soon as one of the paths is there."""
    end = time.monotonic() + 120
    while not any(path.exists() for path in paths):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.001)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def end(process: Process) -> list[dict[str, object]]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    rows: list[dict[str, object]] = json.loads(out)["runs"]
    return rows


def weights(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.safetensors"))}


def test_a_killed_sweep_ends_with_the_same_weights(sweep: Sweep, tmp_path: Path) -> None:
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    never_killed = sweep(whole)
    for names in INSTANTS:
        kill_at(sweep(cut), [cut / name for name in names])
        assert not (cut / RUNS[-1]).exists()
    done = (cut / RUNS[0] / "summary.json").stat().st_mtime_ns
    rows = end(sweep(cut))
    assert [(row["name"], row["state"]) for row in rows] == [(name, "finished") for name in RUNS]
    assert (cut / RUNS[0] / "summary.json").stat().st_mtime_ns == done  # not trained again
    end(never_killed)
    assert len(weights(whole)) == 8
    assert weights(cut) == weights(whole)
