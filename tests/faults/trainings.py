"""Trainings that are killed, and checkpoints that are damaged."""

import csv
import random
import shutil
import signal
import time
from pathlib import Path

from harness import Bench, Instants, Outcome, check, posetrain, run, zygote

_VARIES = ("seconds", "windows_per_second")


def killed_trainings(bench: Bench, work: Path, tries: int, seed: int = 0) -> Outcome:
    """SIGKILL at random instants until a training gets through; its weights are those of one never killed."""
    outcome = Outcome("SIGKILL at a random instant of a training")
    whole = work / "whole"
    process = zygote().start(_command(bench, whole), work)
    begin = time.monotonic()
    outcome.expect(process.wait() == 0, f"a training that is not killed: exit {process.returncode}")
    instants = Instants(time.monotonic() - begin, 0.3, seed)
    landed = number = 0
    while landed < tries:
        target = work / f"cut{number}"
        number += 1
        process, begun = zygote().start(_command(bench, target), work), False
        while True:
            instants.strike(process, signal.SIGKILL, whole=not begun)
            if process.wait() == 0:
                break
            outcome.expect(process.returncode == -signal.SIGKILL, f"training {number}: exit {process.returncode}")
            landed += 1
            begun = (target / "run.json").exists()
            process = zygote().start([*_command(bench, target), "--resume"], work)
            if landed >= tries:
                outcome.expect(process.wait() == 0, f"training {number}: the last exit was {process.returncode}")
                break
        outcome.expect(_result(target) == _result(whole), f"training {number}: other weights or figures")
        shutil.rmtree(target)
    outcome.tries = landed
    outcome.note = f"{number} trainings"
    return outcome


def damaged_checkpoints(bench: Bench, work: Path, tries: int, seed: int = 0) -> Outcome:
    """A bit of a checkpoint flipped: refused by eval, gone round by --resume, to the same weights."""
    outcome = Outcome("bit flipped in the last checkpoint")
    chosen = random.Random(seed)
    whole = work / "sound"
    check(_command(bench, whole))
    figures = run([posetrain(), "eval", str(whole), "--split", "validation", "--quiet", "--json"]).stdout
    outcome.expect(bool(figures), "a sound run is not scored")
    for i in range(tries):
        target = work / f"flipped{i}"
        shutil.copytree(whole, target)
        (target / "summary.json").unlink()
        last = max((target / "checkpoints").iterdir())
        path = chosen.choice(sorted(last.iterdir()))
        content = bytearray(path.read_bytes())
        at = chosen.randrange(len(content))
        content[at] ^= 1 << chosen.randrange(8)
        path.write_bytes(content)
        scored = run([posetrain(), "eval", str(target), "--split", "validation", "--quiet", "--json"])
        # It reads the history of the last checkpoint and the weights of the best one, and may need neither's damage.
        right = scored.returncode == 4 or scored.stdout.replace(str(target), str(whole)) == figures
        outcome.expect(right, f"try {i}, {path.name} at {at}: eval: {scored.returncode}, {scored.stderr}")
        again = run([posetrain(), "run", "--resume", "--out", str(target)])
        outcome.tries += 1
        outcome.expect(again.returncode == 0, f"try {i}, {path.name} at {at}: {again.stderr}")
        outcome.expect("warning" in again.stderr, f"try {i}, {path.name} at {at}: no warning")
        outcome.expect(_result(target) == _result(whole), f"try {i}, {path.name} at {at}: other weights or figures")
        shutil.rmtree(target)
    return outcome


def _command(bench: Bench, out: Path) -> list[str]:
    regime = ["--model", "deciwatch", "--epochs", "6", "--max-windows", "24", "--batch-size", "8"]
    return [posetrain(), "run", str(bench.new), *regime, "--out", str(out)]


def _result(run_folder: Path) -> tuple[bytes, list[dict[str, str]]]:
    """Weights of the last epoch, and all figures but times."""
    last = max((run_folder / "checkpoints").iterdir())
    with (run_folder / "curves.csv").open() as file:
        rows = [{k: v for k, v in row.items() if k not in _VARIES} for row in csv.DictReader(file)]
    return (last / "weights.safetensors").read_bytes(), rows
