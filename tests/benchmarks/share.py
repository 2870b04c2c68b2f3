"""Pushing, pulling and reading from afar, against s3fs with the same files on the same server. Prints JSON.

python tests/benchmarks/share.py STORE [--rounds 5]

The server is SeaweedFS on this machine, so its work is in all figures alike. Ratios are medians within the rounds:
s3fs' seconds by ours, so more is better; reading: seconds from afar by those from the local store, so less is better.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "faults"))

from places import S3Server, web_server

from posedata import open_store
from posedata.home import find_store
from posedata.sharing.pull import pull
from posedata.sharing.push import push

_WINDOWS = 2000


def seconds(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def copied(store: Path, folder: Path) -> dict[str, float]:
    """Seconds of one round: ours and s3fs', turn about."""
    import s3fs

    name, files = store.name.removesuffix(".zarr"), s3fs.S3FileSystem(skip_instance_cache=True)
    ours, theirs = f"s3://pose/{uuid4().hex}", f"pose/{uuid4().hex}"
    return {
        "push": seconds(lambda: push(store, ours)),
        "s3fs put": seconds(lambda: files.put(str(store), theirs, recursive=True)),
        "pull": seconds(lambda: pull(f"{ours}/{name}", out=folder / "pulled.zarr")),
        "s3fs get": seconds(lambda: files.get(theirs, str(folder / "got"), recursive=True)),
    }


def read(place: Path | str) -> float:
    """Seconds until shuffled windows of both heatmap arrays have been read, opening included."""

    def work() -> None:
        store = open_store(find_store(place))
        starts = np.random.default_rng(0).permutation(store.windows("train"))[:_WINDOWS]
        for block in np.array_split(np.sort(starts), 50):
            frames = block[:, None] + np.arange(5)
            for array in ("input_heatmaps", "target_heatmaps"):
                store.frames(array, frames)

    return seconds(work)


def from_afar(store: Path, folder: Path) -> dict[str, float]:
    """Seconds of one round of reading, over S3 and HTTP, for the first time and again."""
    os.environ["POSEDATA_HOME"] = str(folder / "home")
    collection, name = folder / "collection", store.name.removesuffix(".zarr")
    remote = f"s3://pose/{uuid4().hex}"
    push(store, str(collection))
    push(store, remote)
    server = web_server(collection)
    times = {"local": read(store)}
    for kind, url in (("s3", f"{remote}/{name}"), ("http", f"{server.url}/{name}")):
        shutil.rmtree(folder / "home", ignore_errors=True)
        times |= {f"{kind}, first": read(url), f"{kind}, again": read(url)}
    server.close()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    size = sum(path.stat().st_size for path in options.store.rglob("*") if path.is_file())
    copies, reads = [], []
    with tempfile.TemporaryDirectory() as root:
        server = S3Server(Path(root))
        os.environ |= server.environment
        try:
            for _ in range(options.rounds + 1):  # the first warms up
                with tempfile.TemporaryDirectory() as folder:
                    os.environ["POSEDATA_HOME"] = f"{folder}/empty"
                    copies.append(copied(options.store, Path(folder)))
                    reads.append(from_afar(options.store, Path(folder)))
        finally:
            server.kill()
    copies, reads = copies[1:], reads[1:]
    middle = {key: statistics.median(each[key] for each in copies) for key in copies[0]}
    report = {
        "bytes": size,
        "megabytes_per_second": {key: round(size / 1e6 / value, 1) for key, value in middle.items()},
        "of_s3fs": {
            ours: round(statistics.median(each[theirs] / each[ours] for each in copies), 3)
            for ours, theirs in (("push", "s3fs put"), ("pull", "s3fs get"))
        },
        "reading_seconds": {key: round(statistics.median(each[key] for each in reads), 3) for key in reads[0]},
        "reading_of_local": {
            key: round(statistics.median(each[key] / each["local"] for each in reads), 3) for key in reads[0]
        },
    }
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
