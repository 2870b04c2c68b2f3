"""A synthetic tree in Penn Action's layout, with its quirks: see `posedata.formats.penn_action`."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.io import savemat

from posedata.samples.base import motion, some
from posedata.skeleton import INDEX, PENN_13

_ACTIONS = ("baseball_pitch", "bench_press", "situp")
_WIDTH, _HEIGHT = 480, 270
_HEADER = b"MATLAB 5.0 MAT-file, synthetic"


def write(root: Path, rng: np.random.Generator, sequences: int, frames: int) -> Iterator[int]:
    """Fill an empty folder with `sequences` label files of `frames` frames."""
    folder = root / "labels"
    folder.mkdir()
    for i in range(sequences):
        _write_video(folder / f"{i + 1:04d}.mat", rng, i, frames)
        yield 1


def _write_video(path: Path, rng: np.random.Generator, i: int, frames: int) -> None:
    # Every fourth file is small enough for uint8 coordinates, as some real ones are.
    small = i % 4 == 3
    width, height = (240, 180) if small else (_WIDTH, _HEIGHT)
    points = motion(rng, frames, width, height)
    joints = np.stack([points[:, INDEX[name]] for name in PENN_13 if name is not None], axis=1)
    visibility = np.ones((frames, len(PENN_13)), np.uint8)
    hidden = int(rng.integers(1, len(PENN_13)))
    visibility[some(rng, frames, 0.3), hidden] = 0
    if i % 3 == 1 and frames > 4:
        visibility[frames - 2 :] = 0
        visibility[frames - 1, 0] = 1
    joints[visibility == 0] = 1
    if i % 3 == 2:
        joints[frames // 2, 5, 0] = width + 40
    low, high = joints.min(axis=1), joints.max(axis=1)
    bbox = np.concatenate([low, high], axis=1)[: frames - 1 if i % 5 == 4 else frames]
    coordinates = joints.round().astype(np.uint8) if small else joints
    savemat(
        path,
        {
            "action": _ACTIONS[i % len(_ACTIONS)],
            "pose": "front",
            "x": coordinates[..., 0],
            "y": coordinates[..., 1],
            "visibility": visibility,
            "train": 1 if i % 4 else -1,
            "bbox": bbox,
            "dimensions": np.asarray([[height, width, frames]], np.uint16),
            "nframes": np.asarray([[frames]], np.uint16 if frames > 255 else np.uint8),
        },
        do_compression=True,
    )
    # scipy writes the time of day into the file's header text; the same seed is to give the same bytes.
    with path.open("r+b") as file:
        file.write(_HEADER.ljust(116))
