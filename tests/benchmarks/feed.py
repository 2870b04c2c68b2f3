"""How fast windows come: five ways to keep heatmaps, the same shuffled windows, turn about in one run. Prints JSON.

python tests/benchmarks/feed.py STORE [--frames 26000] [--windows 1600] [--rounds 3] [--cold]

Every way delivers what a training step takes: batches of 16 windows of 5 frames, input and target, float32, on the
CPU, made in a thread ahead of the one that asks (`render`: in that one). `render` looks heatmaps up from cells and
sigma, `store` decodes the store's files; `zarr-python` is the library on the same store; `memmap` is float16 in one
file an array, `hdf5` the same with gzip and a chunk a frame, `frames` a file of torch.save a frame and array. `zeros`
holds nothing: it is as fast as memory that was just taken can be filled. With --cold all is done once more with
the page cache dropped before each round, for which one has to be root.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
import zarr
from numpy.typing import NDArray
from torch import Tensor

from posedata import open_store
from posedata.ahead import ahead
from posedata.store.reader import Store
from posedata.windows import window_starts
from posetrain.data import Windows, epoch_order
from posetrain.devices import pick_device

_BATCH = 16
_NAMES = ("input_heatmaps", "target_heatmaps")
Frames = Callable[[str, NDArray[np.int64]], Tensor]
Ints = NDArray[np.int64]


def memmap(store: Store, frames: int, folder: Path) -> Frames:
    """float16, one file an array."""
    shape = (frames, 25, 56, 56)
    for name in _NAMES:
        kept = np.memmap(folder / name, np.float16, "w+", shape=shape)
        for start in range(0, frames, 4096):
            stop = min(start + 4096, frames)
            kept[start:stop] = store.frames(name, np.arange(start, stop))
        kept.flush()
    opened = {name: np.memmap(folder / name, np.float16, "r", shape=shape) for name in _NAMES}
    return lambda name, at: torch.from_numpy(opened[name][at]).float()


def hdf5(store: Store, frames: int, folder: Path) -> Frames:
    """gzip level 4, a chunk a frame."""
    with h5py.File(folder / "all.h5", "w") as file:
        for name in _NAMES:
            made = file.create_dataset(name, (frames, 25, 56, 56), "f2", chunks=(1, 25, 56, 56), compression="gzip")
            for start in range(0, frames, 4096):
                stop = min(start + 4096, frames)
                made[start:stop] = store.frames(name, np.arange(start, stop))
    opened = h5py.File(folder / "all.h5")

    def read(name: str, at: Ints) -> Tensor:
        unique, where = np.unique(at, return_inverse=True)
        return torch.from_numpy(opened[name][unique][where]).float()

    return read


def files(store: Store, frames: int, folder: Path) -> Frames:
    """A file a frame and array, as the published code keeps them."""
    for name in _NAMES:
        for start in range(0, frames, 1024):
            block = torch.from_numpy(store.frames(name, np.arange(start, min(start + 1024, frames))))
            for i, frame in enumerate(block):
                torch.save(frame.clone(), folder / f"{name}-{start + i}.pt")
    return lambda name, at: (
        torch.stack([torch.load(folder / f"{name}-{i}.pt", weights_only=True) for i in at.ravel().tolist()])
        .float()
        .view(*at.shape, 25, 56, 56)
    )


def zarr_python(store: Store, frames: int, folder: Path) -> Frames:
    """The library on the store itself."""
    group: Any = zarr.open_group(store.path, mode="r")

    def read(name: str, at: Ints) -> Tensor:
        unique, where = np.unique(at, return_inverse=True)
        return torch.from_numpy(group[name].get_orthogonal_selection((unique,))[where]).float()

    return read


def zeros(store: Store, frames: int, folder: Path) -> Frames:
    """Heatmaps without anything in them."""
    return lambda name, at: torch.zeros(*at.shape, 25, 56, 56)


WAYS: dict[str, Callable[[Store, int, Path], Frames]] = {
    "memmap": memmap,
    "hdf5": hdf5,
    "frames": files,
    "zarr-python": zarr_python,
    "zeros": zeros,
}


def batches(read: Frames, starts: Ints, order: Ints) -> Iterator[tuple[Tensor, ...]]:
    """Like `posetrain.data.Windows.batches`, from any way of keeping heatmaps."""

    def make() -> Iterator[tuple[Tensor, ...]]:
        for i in range(0, len(order), _BATCH):
            frames = starts[order[i : i + _BATCH]][:, None] + np.arange(5)
            yield tuple(read(name, frames) for name in _NAMES)

    return ahead(make())


def own(store: Store, starts: Ints, order: Ints, feed: Any) -> Iterator[tuple[Tensor, ...]]:
    """The project's."""
    windows = Windows(store, starts, 5, 1, pick_device("cpu"), feed)
    return ((batch.input, batch.target) for batch in windows.batches(order, _BATCH, ("input", "target")))


def drop_cache() -> None:
    """Forget what was read from the disk."""
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--frames", type=int, default=26_000)
    parser.add_argument("--windows", type=int, default=1600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--ways", default=",".join(["render", "store", *WAYS]))
    options = parser.parse_args()
    store = open_store(options.store)
    frames = min(options.frames, len(store))
    starts = window_starts(store.frame_sequence, store["frame_number"], store["shot"])
    starts = starts[starts < frames - 4]
    ways = options.ways.split(",")
    with tempfile.TemporaryDirectory(prefix="posedata-feed-") as root:
        readers = {}
        for way in (way for way in ways if way in WAYS):
            folder = Path(root) / way
            folder.mkdir()
            readers[way] = WAYS[way](store, frames, folder)

        def rate(way: str, order: Ints, cold: bool) -> float:
            """Windows a second."""
            if cold:
                drop_cache()
            made = batches(readers[way], starts, order) if way in readers else own(store, starts, order, way)
            begin = time.perf_counter()
            return sum(len(given) for given, _ in made) / (time.perf_counter() - begin)

        found = {}
        for state in ("warm", "cold") if options.cold else ("warm",):
            for shuffle in ("windows", "blocks"):
                orders = [epoch_order(starts, shuffle, 0, 1 + i)[: options.windows] for i in range(options.rounds)]  # type: ignore[arg-type]
                rates = [{way: rate(way, order, state == "cold") for way in ways} for order in orders]
                found[f"{shuffle}, {state}"] = {way: round(statistics.median(r[way] for r in rates), 1) for way in ways}
    sys.stdout.write(json.dumps({"frames": frames, "windows_per_second": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
