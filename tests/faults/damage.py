"""Stores with a bit, a file or its place changed: verify names it, and no wrong number is ever read."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from harness import Bench, Outcome

from posedata import open_store
from posedata.errors import PoseDataError
from posedata.store.opened import verify

Damage = Callable[[random.Random, Path, list[Path]], str]


def flip(chosen: random.Random, store: Path, files: list[Path]) -> str:
    path = chosen.choice(files)
    content = bytearray(path.read_bytes())
    at = chosen.randrange(len(content))
    content[at] ^= 1 << chosen.randrange(8)
    path.write_bytes(content)
    return f"bit at {at} of {path.relative_to(store)}"


def delete(chosen: random.Random, store: Path, files: list[Path]) -> str:
    path = chosen.choice(files)
    path.unlink()
    return f"without {path.relative_to(store)}"


def empty(chosen: random.Random, store: Path, files: list[Path]) -> str:
    path = chosen.choice(files)
    path.write_bytes(b"")
    return f"empty {path.relative_to(store)}"


def truncate(chosen: random.Random, store: Path, files: list[Path]) -> str:
    path = chosen.choice(files)
    content = path.read_bytes()
    path.write_bytes(content[: chosen.randrange(len(content))])
    return f"cut {path.relative_to(store)}"


def swap(chosen: random.Random, store: Path, files: list[Path]) -> str:
    while True:
        a, b = chosen.sample(files, 2)
        if a.read_bytes() != b.read_bytes():
            break
    middle = a.with_name("swapped")
    a.rename(middle)
    b.rename(a)
    middle.rename(b)
    return f"swapped {a.relative_to(store)} and {b.relative_to(store)}"


def add(chosen: random.Random, store: Path, files: list[Path]) -> str:
    path = chosen.choice(files).with_name(str(chosen.randrange(100, 999)))
    path.write_bytes(chosen.randbytes(50))
    return f"one more, {path.relative_to(store)}"


def scramble(chosen: random.Random, store: Path, files: list[Path]) -> str:
    """Same size, other bytes: what a bad disk block leaves."""
    path = chosen.choice(files)
    content = bytearray(path.read_bytes())
    start = chosen.randrange(len(content))
    block = chosen.randbytes(min(64, len(content) - start))
    if block == content[start : start + len(block)]:
        block = bytes(b ^ 1 for b in block)
    content[start : start + len(block)] = block
    path.write_bytes(content)
    return f"block at {start} of {path.relative_to(store)}"


KINDS: tuple[Damage, ...] = (flip, delete, empty, truncate, swap, add, scramble)


def damages(bench: Bench, work: Path, tries: int, damage: Damage, seed: int = 0) -> Outcome:
    """Damage a store, one file at a time; the files are those of all arrays, metadata and the manifest."""
    outcome = Outcome(f"{damage.__name__} in a store")
    chosen = random.Random(f"{seed} {damage.__name__}")
    right = _read(bench.new)
    store = work / "damaged.zarr"
    refused = 0
    for _ in range(tries):
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(bench.new, store)
        files = sorted(path for path in store.rglob("*") if path.is_file())
        done = damage(chosen, store, files)
        outcome.tries += 1
        try:
            problems = verify(store)[1]
        except PoseDataError:
            problems = ["refused"]  # type: ignore[list-item]
        outcome.expect(bool(problems), f"{done}: verify found nothing")
        try:
            wrong = [name for name, values in _read(store).items() if not np.array_equal(values, right[name], True)]
            outcome.expect(not wrong, f"{done}: {wrong} were read wrong")
        except PoseDataError as error:
            refused += 1
            outcome.expect(error.exit_code == 4, f"{done}: exit code {error.exit_code}")
    shutil.rmtree(store, ignore_errors=True)
    outcome.note = f"{refused} were refused at open or read, the others were read right"
    return outcome


def _read(path: Path) -> dict[str, Any]:
    """All that training reads: every small array, and frames of both kinds of heatmaps from every file."""
    store = open_store(path)
    names = ("input_cells", "target_cells", "target_points", "annotated", "frame_number", "shot", "split")
    arrays: dict[str, Any] = {name: store[name] for name in names}
    arrays["sigma"] = store["input_sigma"]
    arrays["windows"] = store.windows("train")
    frames = np.arange(0, len(store), 96)
    for name in ("input_heatmaps", "target_heatmaps"):
        arrays[name] = store.frames(name, frames).astype(np.float32)
    return arrays
