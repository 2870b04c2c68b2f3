"""Scratch files of a build: frames laid down in one row, so that memory does not grow with the data."""

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.geometry import GRID
from posedata.skeleton import K

FIELDS: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "points": ("<f8", (K, 2)),
    "boxes": ("<f8", (4,)),
    "torso": ("<f8", ()),
    "frame_number": ("<i4", ()),
    "shot": ("<i4", ()),
    "heatmaps": ("<f2", (K, GRID, GRID)),
}
"""Scratch file -> dtype and shape of a frame in it."""

_BLOCK = 65536


class Spool:
    """Files in `folder`, one a field, to which frames are appended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def append(self, name: str, blocks: Iterable[NDArray[Any]]) -> None:
        """Append frames of one field, block by block."""
        with (self._folder / name).open("ab") as file:
            for block in blocks:
                file.write(np.ascontiguousarray(block, FIELDS[name][0]).data)

    def rewind(self, frames: int) -> None:
        """Forget what was appended beyond the first `frames` frames."""
        for name, (dtype, shape) in FIELDS.items():
            path, size = self._folder / name, frames * np.dtype(dtype).itemsize * math.prod(shape)
            if path.exists() and path.stat().st_size > size:
                os.truncate(path, size)

    def read(self, name: str, start: int, stop: int) -> NDArray[Any]:
        """Frames start to stop of one field: (stop - start, *shape)."""
        dtype, shape = FIELDS[name]
        size = math.prod(shape)
        offset = start * size * np.dtype(dtype).itemsize
        flat = np.fromfile(self._folder / name, dtype, count=(stop - start) * size, offset=offset)
        return flat.reshape(stop - start, *shape)

    def blocks(self, name: str, frames: int) -> Iterator[NDArray[Any]]:
        """The first `frames` frames of one field, in blocks."""
        for start in range(0, frames, _BLOCK):
            yield self.read(name, start, min(start + _BLOCK, frames))
