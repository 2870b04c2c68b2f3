"""What a store holds: names, dimensions, dtypes, fill values, chunks. `docs/store-format.md` is its prose.

Fill values are, where the dtype has room for one, no value that means something (NaN, the ends of the integers), so
that a chunk that went missing cannot pass for data; that none is missing is proved before anything is read
(`opened.open_any`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from posedata.geometry import GRID
from posedata.skeleton import K

FORMAT_VERSION = 1
KIND = "temporal-heatmaps"

CHUNK_FRAMES = 32
"""Frames in a chunk of heatmaps: what is decoded at once."""

SHARD_FRAMES = 4096
"""Frames in a file of any array."""

ZSTD_LEVEL = 3

DIMENSIONS: Mapping[str, int] = {"keypoint": K, "y": GRID, "x": GRID, "xy": 2, "corner": 4}
"""Sizes of the dimensions that are the same in every store of temporal heatmaps."""


@dataclass(frozen=True)
class ArraySpec:
    """One array of the store.

    Attributes:
        name: in the group.
        dims: names of its dimensions; the first is `frame`, or what a table has a row of, like `sequence`.
        dtype: numpy's name, or "string".
        fill: what zarr-python would invent for a missing chunk.
        sizes: of the dimensions that are the same in every store of its kind.
    """

    name: str
    dims: tuple[str, ...]
    dtype: str
    fill: Any
    sizes: Mapping[str, int] = field(default_factory=lambda: DIMENSIONS, hash=False)

    @property
    def inner(self) -> tuple[int, ...]:
        """Sizes of the dimensions after the first."""
        return tuple(self.sizes[d] for d in self.dims[1:])

    @property
    def along_frames(self) -> bool:
        """Whether it has a row a frame; the others are tables, and written whole."""
        return self.dims[0] == "frame"

    @property
    def sharded(self) -> bool:
        """Whether a file holds many chunks of few frames: those of heatmaps and pixels do."""
        return self.dims[-2:] == ("y", "x") or "row" in self.dims

    def file(self, number: int) -> str:
        """Path in the store of its frames `number * SHARD_FRAMES` onwards; other arrays have one file."""
        return "/".join([self.name, "c", str(number), *("0" for _ in self.inner)])


_NAN = float("nan")
_INT32_MIN = int(np.iinfo(np.int32).min)

TABLE = (
    ArraySpec("keypoint", ("keypoint",), "string", ""),
    ArraySpec("sequence_name", ("sequence",), "string", ""),
    ArraySpec("sequence_dataset", ("sequence",), "string", ""),
    ArraySpec("sequence_video", ("sequence",), "string", ""),
    ArraySpec("sequence_action", ("sequence",), "string", ""),
    ArraySpec("sequence_start", ("sequence",), "int64", -1),
    ArraySpec("sequence_length", ("sequence",), "int64", -1),
    ArraySpec("sequence_fps", ("sequence",), "float64", _NAN),
)
"""Arrays that do not run along frames: written whole."""


def frame_arrays(noisy: bool, sigma_per_keypoint: bool = False) -> tuple[ArraySpec, ...]:
    """The arrays along frames.

    Args:
        noisy: whether the input is rendered noise, which has cells and sigmas; otherwise a detector's output.
        sigma_per_keypoint: whether `input_sigma` has a value a keypoint.
    """
    heatmaps, cells = ("frame", "keypoint", "y", "x"), ("frame", "keypoint", "xy")
    sigma = ("frame", "keypoint") if sigma_per_keypoint else ("frame",)
    noise = (ArraySpec("input_cells", cells, "int8", -128), ArraySpec("input_sigma", sigma, "float32", _NAN))
    return (
        ArraySpec("input_heatmaps", heatmaps, "float16", _NAN),
        ArraySpec("target_heatmaps", heatmaps, "float16", _NAN),
        *(noise if noisy else ()),
        ArraySpec("target_cells", cells, "int8", -128),
        ArraySpec("target_points", cells, "float32", _NAN),
        ArraySpec("annotated", ("frame", "keypoint"), "bool", False),
        ArraySpec("box", ("frame", "corner"), "float32", _NAN),
        ArraySpec("frame_number", ("frame",), "int32", _INT32_MIN),
        ArraySpec("shot", ("frame",), "int32", _INT32_MIN),
        ArraySpec("split", ("frame",), "uint8", 254),
    )


def all_arrays(noisy: bool, sigma_per_keypoint: bool = False) -> tuple[ArraySpec, ...]:
    """Every array of a store."""
    return *TABLE, *frame_arrays(noisy, sigma_per_keypoint)


def lengths(frames: int, sequences: int) -> dict[str, int]:
    """Lengths of the first dimensions of all arrays."""
    return {"frame": frames, "sequence": sequences, "keypoint": K}


def described(attributes: Mapping[str, Any]) -> tuple[tuple[ArraySpec, ...], dict[str, int]]:
    """Arrays and their lengths, as the attributes of a store's root have them; raises KeyError or TypeError."""
    noise, counts = attributes["recipe"]["noise"], attributes["counts"]
    specs = all_arrays(noise is not None, noise is not None and noise["sigma_per"] == "keypoint")
    return specs, lengths(counts["frames"], counts["sequences"])


def shards_of(frames: int) -> int:
    """How many files an array of so many frames has."""
    return -(-frames // SHARD_FRAMES)


def files_of_shard(specs: Iterable[ArraySpec], shard: int) -> set[str]:
    """Paths of the files of a shard, one of every array along frames."""
    return {spec.file(shard) for spec in specs}


def frames_of_shard(shard: int, frames: int) -> int:
    """How many of all frames stand in a shard."""
    return min(SHARD_FRAMES, frames - shard * SHARD_FRAMES)


def least_bytes(frames: int) -> int:
    """What a store of so many frames takes up at the very least; 0.7 kB a frame is usual."""
    return 400 * frames
