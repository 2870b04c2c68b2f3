"""What integrity costs: builds and reads with it, and with it switched off, turn about in one run. Prints JSON.

python tests/benchmarks/integrity.py [--raw data/raw/penn_action] [--rounds 7]

Off means: no fsync, no sha256 of files, no crc32c, no check of metadata. Nothing but this file can switch it off.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
from stages import Stages

from posedata import Noise, Recipe, Selection, build_store, open_store
from posedata.progress import silent
from posedata.samples import write_sample
from posedata.store.opened import verify

ACTIONS = ("baseball_pitch", "bench_press")


class NoHash:
    """Takes bytes, and time for nothing."""

    def update(self, data: bytes) -> None:
        """Forget."""

    def hexdigest(self) -> str:
        """A hash of nothing."""
        return "0" * 64


@contextmanager
def without_integrity() -> Iterator[None]:
    """Write and read as if nothing could go wrong."""
    no_hashes = SimpleNamespace(sha256=NoHash, file_digest=lambda file, name: NoHash())
    with ExitStack() as stack:
        for what, instead in {
            "posedata.files.os.fsync": lambda handle: None,
            "posedata.files.hashlib": no_hashes,
            "google_crc32c.value": lambda data: 0,
            "posedata.store.opened.hash_problems": lambda path, files, progress: [],
            "posedata.store.opened.metadata_problems": lambda path, manifest: [],
            "posedata.store.codecs.without_crc": lambda data: data[:-4],
            "posedata.store.arrays.without_crc": lambda data: data[:-4],
        }.items():
            stack.enter_context(patch(what, instead))
        yield


def build(raw: Path, out: Path) -> dict[str, float]:
    """Seconds of a build and of its writing."""
    real = (raw / "labels").is_dir()
    name = "penn_action" if real else "brace"
    recipe = Recipe(datasets=(Selection(dataset=name, actions=ACTIONS if real else None),), noise=Noise())
    stages = Stages()
    begin = time.perf_counter()
    build_store(recipe, {name: raw}, out, overwrite=True, progress=stages)
    return {"build": time.perf_counter() - begin, "write": stages.seconds["writing"]}


def feed(path: Path, frames: np.ndarray[Any, Any]) -> dict[str, float]:
    """Seconds of opening a store and of decoding shuffled blocks of its heatmaps."""
    begin = time.perf_counter()
    store = open_store(path)
    opened = time.perf_counter()
    for block in np.split(frames, len(frames) // 32):
        store.frames("input_heatmaps", block)
    return {"open": opened - begin, "feed": time.perf_counter() - opened}


def compare(rounds: int, work: Callable[[], dict[str, float]]) -> dict[str, dict[str, float]]:
    """Medians of both ways, and of the ratio within each round."""
    on, off = [], []
    for _ in range(rounds):
        for kept, how in ((on, nullcontext), (off, without_integrity)):
            with how():
                kept.append(work())
    return {
        key: {
            "seconds": statistics.median(times[key] for times in on),
            "seconds_without": statistics.median(times[key] for times in off),
            "ratio": statistics.median(a[key] / b[key] for a, b in zip(on, off, strict=True)),
        }
        for key in on[0]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, help="a Penn Action tree; without one, synthetic BRACE")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="posedata-integrity-") as folder:
        root = Path(folder)
        raw = options.raw or root / "raw"
        if not options.raw:
            write_sample("brace", raw, sequences=16, frames=1200)
        build(raw, root / "a.zarr")  # warm
        blocks = np.arange(len(open_store(root / "a.zarr")) // 32)
        chosen = np.random.default_rng(0).permutation(blocks)[:100]
        frames = (chosen[:, None] * 32 + np.arange(32)).ravel()
        found = compare(options.rounds, lambda: build(raw, root / "b.zarr"))
        found |= compare(options.rounds, lambda: feed(root / "a.zarr", frames))
        size = sum(path.stat().st_size for path in (root / "a.zarr").rglob("*") if path.is_file())
        begin = time.perf_counter()
        verify(root / "a.zarr", progress=silent)
        verified = size / (time.perf_counter() - begin) / 1e6
    sys.stdout.write(json.dumps({**found, "verify": {"megabytes_per_second": verified}}, indent=2) + "\n")


if __name__ == "__main__":
    main()
