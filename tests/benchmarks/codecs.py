"""What other codecs and chunks would make of heatmaps: size and speed, each beside the project's choice. Prints JSON.

python tests/benchmarks/codecs.py [STORE] [--frames 4096] [--rounds 3]

Blocks of 128 frames from all over the store (without one, a synthetic BRACE's) are cut into chunks, encoded and decoded
in one thread, input and target, all ways turn about within every block. `zstd L, N` is zstd of level L in chunks of N
frames; the others have the project's chunks. `blosc` shuffles bits before zstd 3, `keypoints first` puts all frames
of a keypoint side by side. Speeds are of the codec alone: no look-up, no crc32c, no disk. Ratios are to the project's
choice in the same round, their medians.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numcodecs.blosc import Blosc
from numcodecs.gzip import GZip
from numcodecs.lz4 import LZ4
from numcodecs.zstd import Zstd
from numpy.typing import NDArray

from posedata import Noise, Recipe, Selection, build_store, open_store
from posedata.samples import write_sample
from posedata.store.reader import Store
from posedata.store.schema import CHUNK_FRAMES, ZSTD_LEVEL

Heatmaps = NDArray[np.float16]
_BLOCK = 128
_NAMES = ("input_heatmaps", "target_heatmaps")


@dataclass(frozen=True)
class Way:
    """One codec with one length of chunks, and whether keypoints come before frames."""

    codec: Any
    frames: int = CHUNK_FRAMES
    keypoints_first: bool = False

    def encode(self, block: Heatmaps) -> list[bytes]:
        """The chunks of a block."""
        return [self.codec.encode(self._ordered(block[i : i + self.frames])) for i in range(0, _BLOCK, self.frames)]

    def decode(self, chunks: list[bytes], out: Heatmaps) -> list[Heatmaps]:
        """Undo it, within memory that is there already."""
        shape = (25, self.frames, 56, 56) if self.keypoints_first else (self.frames, 25, 56, 56)
        parts = [out[i : i + self.frames].reshape(shape) for i in range(0, _BLOCK, self.frames)]
        for chunk, part in zip(chunks, parts, strict=True):
            self.codec.decode(chunk, part)
        return [self._ordered(part) for part in parts]

    def _ordered(self, heatmaps: Heatmaps) -> Heatmaps:
        return np.ascontiguousarray(heatmaps.swapaxes(0, 1)) if self.keypoints_first else heatmaps


CHOSEN = f"zstd {ZSTD_LEVEL}, {CHUNK_FRAMES}"
WAYS = {
    **{f"zstd {level}, {frames}": Way(Zstd(level), frames) for frames in (16, 32, 64, 128) for level in (1, 3, 5, 9)},
    "lz4": Way(LZ4()),
    "gzip 4": Way(GZip(4)),
    "blosc": Way(Blosc("zstd", 3, Blosc.BITSHUFFLE)),
    "keypoints first": Way(Zstd(ZSTD_LEVEL), keypoints_first=True),
}


def blocks(store: Store, frames: int) -> Iterator[Heatmaps]:
    """Blocks from all over a store, whole chunks each."""
    for first in np.linspace(0, len(store) // _BLOCK - 1, max(frames // _BLOCK, 1)).astype(np.int64) * _BLOCK:
        for name in _NAMES:
            yield store.frames(name, np.arange(first, first + _BLOCK))


def measure(store: Store, frames: int) -> dict[str, tuple[float, float, float]]:
    """Bytes, seconds of encoding and seconds of decoding of every way."""
    found = {name: np.zeros(3) for name in WAYS}
    buffer = np.empty((_BLOCK, 25, 56, 56), np.float16)
    for block in blocks(store, frames):
        for name, way in WAYS.items():
            begin = time.perf_counter()
            chunks = way.encode(block)
            middle = time.perf_counter()
            decoded = way.decode(chunks, buffer)
            end = time.perf_counter()
            if np.concatenate(decoded).tobytes() != block.tobytes():
                raise ValueError(f"{name}: expected what was encoded, found something else")
            found[name] += sum(map(len, chunks)), middle - begin, end - middle
    return {name: (float(size), float(encoding), float(decoding)) for name, (size, encoding, decoding) in found.items()}


def summary(rounds: list[dict[str, tuple[float, float, float]]], frames: int) -> dict[str, dict[str, float]]:
    """The figures of every way."""

    def figures(name: str) -> dict[str, float]:
        (size, *_), chosen = rounds[0][name], rounds[0][CHOSEN][0]
        found = {"bytes_a_frame": round(size / frames, 1), "bytes_ratio": round(size / chosen, 3)}
        for key, which in (("encode", 1), ("decode", 2)):
            seconds = statistics.median(one[name][which] for one in rounds)
            ratio = statistics.median(one[CHOSEN][which] / one[name][which] for one in rounds)
            found |= {f"{key}_frames_per_second": round(frames / seconds), f"{key}_ratio": round(ratio, 3)}
        return found

    return {name: figures(name) for name in WAYS}


def synthetic(folder: Path) -> Path:
    """A store of synthetic BRACE."""
    write_sample("brace", folder / "raw", sequences=16, frames=600)
    recipe = Recipe(datasets=(Selection(dataset="brace"),), noise=Noise())
    build_store(recipe, {"brace": folder / "raw"}, folder / "a.zarr")
    return folder / "a.zarr"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path, nargs="?", help="without one, synthetic BRACE")
    parser.add_argument("--frames", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="posedata-codecs-") as folder:
        store = open_store(options.store or synthetic(Path(folder)))
        frames = min(options.frames, len(store)) // _BLOCK * _BLOCK
        if not frames:
            parser.error(f"{store.path}: expected at least {_BLOCK} frames, found {len(store)}")
        rounds = [measure(store, frames) for _ in range(options.rounds)]
    found = {"frames": frames, "chosen": CHOSEN, "ways": summary(rounds, frames)}
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
