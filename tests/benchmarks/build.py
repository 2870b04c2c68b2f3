"""How fast a store is built: against the published way, and against the limit that rendering and zstd set. Prints JSON.

python tests/benchmarks/build.py [--raw shared/data/penn_action] [--rounds 3] [--reference-frames 400]

`published` is how the code of the report makes its data: per keypoint `skimage.filters.gaussian` of an impulse, for the
target and for inputs of k = 1 and k = 2, and a file of torch.save a frame and variant. `build` is `posedata build` as
a cold process from command to finished, flushed store (target and input of one k), `verify` is `posedata verify` after
it. `bare` is the writing stage without a store around it: the same blocks looked up, compressed with the same codec on
as many threads, and thrown away.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from skimage.filters import gaussian
from stages import Stages

from posedata import Noise, Recipe, Selection, build_store, open_store
from posedata.heatmaps import TARGET_SIGMA, render, row_table
from posedata.store.codecs import encode
from posedata.store.reader import Store
from posedata.store.schema import CHUNK_FRAMES

_POSEDATA = str(Path(sysconfig.get_path("scripts")) / "posedata")


def published(store: Store, frames: int, folder: Path) -> float:
    """Frames a second of the published way."""
    rng = np.random.default_rng(0)
    cells = store.frames("target_cells", np.linspace(0, len(store) - 1, frames).astype(np.int64))
    begin = time.perf_counter()
    for i, frame in enumerate(cells):
        for variant, k in (("target", 0), ("input-1", 1), ("input-2", 2)):
            sigma = rng.choice([1.0, 1.5, 2.0, 2.5, 3.0]) if k else 1.0
            heatmaps = np.zeros((25, 56, 56))
            for keypoint, (x, y) in enumerate(frame):
                if x >= 0:
                    shifted = np.clip(np.rint(np.add((x, y), rng.normal(0, 3.1 * k, 2))), 0, 55).astype(int)
                    heatmaps[keypoint, shifted[1], shifted[0]] = 255
                    heatmaps[keypoint] = gaussian(heatmaps[keypoint], sigma=sigma)
            torch.save(torch.from_numpy(heatmaps).half(), folder / f"{variant}-{i}.pt")
    return frames / (time.perf_counter() - begin)


def bare(store: Store, threads: int) -> float:
    """Seconds to look up and compress all heatmaps of a store."""
    cells, sigma, targets = store["input_cells"], store.sigma_numbers(), store["target_cells"]
    zeros = np.zeros(len(store), np.intp)
    work = (
        (store.input_table, cells, sigma),
        (row_table((TARGET_SIGMA,)), targets, zeros),
    )
    edges = np.linspace(0, -(-len(store) // CHUNK_FRAMES), threads + 1).astype(int) * CHUNK_FRAMES

    def run(start: int, stop: int) -> None:
        buffer = np.empty((CHUNK_FRAMES, 25, 56, 56), np.float16)
        for at in range(start, min(stop, len(store)), CHUNK_FRAMES):
            for table, impulses, which in work:
                part = slice(at, min(at + CHUNK_FRAMES, len(store)))
                encode(render(table, impulses[part], which[part], out=buffer[: len(impulses[part])]))

    begin = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, edges[:-1], edges[1:]))
    return time.perf_counter() - begin


def staged(raw: Path, out: Path, threads: int) -> dict[str, float]:
    """Seconds of the stages of a build in this process."""
    stages = Stages()
    recipe = Recipe(datasets=(Selection(dataset="penn_action"),), noise=Noise())
    build_store(recipe, {"penn_action": raw}, out, overwrite=True, workers=threads, progress=stages)
    return stages.seconds


def command(*arguments: str) -> float:
    """Seconds of a cold process."""
    begin = time.perf_counter()
    subprocess.run([_POSEDATA, *arguments, "--quiet"], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, default=Path("../shared/data/penn_action"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--reference-frames", type=int, default=400)
    options = parser.parse_args()
    threads = os.cpu_count() or 1
    rounds: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="posedata-build-") as folder:
        root = Path(folder)
        files = root / "files"
        files.mkdir()
        for i in range(options.rounds):
            out = root / f"{i}.zarr"
            built = command("build", "--dataset", "penn_action", "--raw", str(options.raw), "--out", str(out))
            verified = command("verify", str(out))
            store = open_store(out)
            stages = staged(options.raw, root / "b.zarr", threads)
            limit = bare(store, threads)
            frames = len(store)
            heatmaps = sum(f.size for f in store.manifest.files if "heatmaps/c/" in f.path)
            size = sum(f.size for f in store.manifest.files)
            rounds.append(
                {
                    "build": built,
                    "verify": verified,
                    "build_frames_per_second": frames / built,
                    "published_frames_per_second": published(store, options.reference_frames, files),
                    "reading": stages["reading penn_action"],
                    "writing": stages["writing"],
                    "bare": limit,
                    "bytes_a_frame_of_heatmaps": heatmaps / frames,
                    "bytes_a_frame": size / frames,
                    "published_bytes_a_frame": sum(f.stat().st_size for f in files.iterdir())
                    / options.reference_frames,
                    "times_published": 0.0,
                    "of_bare": limit / stages["writing"],
                }
            )
            last = rounds[-1]
            last["times_published"] = last["build_frames_per_second"] / last["published_frames_per_second"]
    found = {key: round(statistics.median(one[key] for one in rounds), 3) for key in rounds[0]}
    sys.stdout.write(json.dumps({"frames": frames, "threads": threads, **found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
