"""The .npy files that clips come in: four of them, read a few frames at a time.

    videoframes_clips_train.npy   videoframes_clips_valid.npy   (clips, 8, 224, 224, 3) uint8, RGB
    joint_3d_clips_train.npy      joint_3d_clips_valid.npy      (clips, 8, 17, 3) float32 or float64, metres

Values are read with seeks, not mapped into memory: a file of many gigabytes that somebody cuts short meanwhile would
end the process, and all that was ever read of it would count as its memory.
"""

import math
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.clips.joints import JOINTS
from posedata.clips.schema import CLIP_FRAMES, DEALT, SIDE
from posedata.errors import BadInputError, bad_file
from posedata.formats.base import NPZ_FAULTS, need_regular, read_npy_header

Array = NDArray[Any]

_NAMES = dict(zip(DEALT, ("train", "valid"), strict=True))
"""Split -> how the files spell it."""

_FRAMES, _JOINTS = (CLIP_FRAMES, SIDE, SIDE, 3), (CLIP_FRAMES, len(JOINTS), 3)
_PIXELS, _METRES = ("uint8",), ("float32", "float64")
_ADVICE = {
    _PIXELS: "pixels are whole numbers from 0 to 255, so scale and round them, and save them as uint8",
    _METRES: "save metres as float32",
}


class Npy(NamedTuple):
    """An .npy file with an array of clips.

    Attributes:
        path: the file.
        dtype: of its values.
        shape: clips, frames, and what a frame has.
        offset: bytes before the first value.
        stamp: tells the file from another that takes its place.
    """

    path: Path
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    offset: int
    stamp: tuple[int, ...]

    @property
    def frames(self) -> int:
        """Of all clips."""
        return self.shape[0] * self.shape[1]

    def read(self, start: int, stop: int) -> Array:
        """Some of its frames, (stop - start, ...); raises BadInputError if the file is not what it was."""
        inner = self.shape[2:]
        with self.path.open("rb") as file:
            at = self.offset + start * math.prod(inner) * self.dtype.itemsize
            values = np.fromfile(file, self.dtype, (stop - start) * math.prod(inner), offset=at)
            if _stamp(file.fileno()) != self.stamp:
                raise bad_file(self.path, ["expected the file that was read before, found another; build again"])
        return values.reshape(stop - start, *inner)


class Part(NamedTuple):
    """The clips of one split.

    Attributes:
        split: "train" or "validation".
        frames: (clips, 8, 224, 224, 3) uint8.
        joints: (clips, 8, 17, 3) metres.
    """

    split: str
    frames: Npy
    joints: Npy

    @property
    def files(self) -> tuple[Npy, Npy]:
        """Both."""
        return self.frames, self.joints


def find_parts(root: Path, source: str) -> list[Part]:
    """The clips that train, and those that validate; no value is read.

    Args:
        root: the folder with the four files.
        source: where the data comes from, for whoever lacks it.

    Raises:
        BadInputError: if one is missing, holds no such array, is cut short, or does not go with its other.
    """
    names = {split: (f"videoframes_clips_{name}.npy", f"joint_3d_clips_{name}.npy") for split, name in _NAMES.items()}
    missing = [name for pair in names.values() for name in pair if not (root / name).exists()]
    if missing:
        raise BadInputError(f"{root}: expected {', '.join(missing)}, found no such file; {source}")
    faults: list[str] = []
    parts = []
    for split, (frames, joints) in names.items():
        images = _opened(root / frames, _FRAMES, _PIXELS, faults)
        metres = _opened(root / joints, _JOINTS, _METRES, faults)
        if images and metres:
            parts.append(Part(split, images, metres))
    faults += [
        f"{part.frames.path}: clips: expected {part.joints.shape[0]:,} as in {part.joints.path.name}, found "
        f"{part.frames.shape[0]:,}; the two are not of one making, get both anew"
        for part in parts
        if part.frames.shape[0] != part.joints.shape[0]
    ]
    if faults:
        raise BadInputError(*faults)
    return parts


def _opened(path: Path, inner: tuple[int, ...], dtypes: tuple[str, ...], faults: list[str]) -> Npy | None:
    """The file, or what is wrong with it among the faults."""
    try:
        need_regular(path)
        with path.open("rb") as file:
            stamp = _stamp(file.fileno())
            shape, columns_first, dtype = read_npy_header(file)
            offset = file.tell()
    except BadInputError as error:
        faults += error.faults
        return None
    except NPZ_FAULTS as error:
        faults.append(f"{path}: expected an .npy file with one array, found {error}")
        return None
    wrong = []
    if len(shape) != 1 + len(inner) or shape[1:] != inner or shape[0] < 1:
        wrong.append(f"shape: expected (clips, {', '.join(map(str, inner))}), found {shape}")
    if dtype.newbyteorder("=").name not in dtypes:
        wrong.append(f"dtype: expected {' or '.join(dtypes)}, found {dtype.name}; {_ADVICE[dtypes]}")
    if columns_first:
        wrong.append("order: expected that of C, found that of Fortran; save np.ascontiguousarray of it")
    size, needed = path.stat().st_size, offset + math.prod(shape) * dtype.itemsize
    if not wrong and size != needed:
        what = "it was cut short, get it anew" if size < needed else "something follows the array"
        wrong.append(f"size: expected {needed:,} bytes for {dtype.name} {shape}, found {size:,}; {what}")
    faults += [f"{path}: {fault}" for fault in wrong]
    return None if wrong else Npy(path, dtype, shape, offset, stamp)


def _stamp(descriptor: int) -> tuple[int, ...]:
    state = os.fstat(descriptor)
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
