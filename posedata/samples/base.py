"""What all synthetic raw trees share: moving people, and the mark that says that they are nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from posedata.files import naming, need_empty
from posedata.formats.base import SYNTHETIC_MARK
from posedata.skeleton import INDEX, K

_MARK_TEXT = "Made by `{}`. No person moved like this; figures measured on it mean nothing.\n"

Floats = NDArray[np.float64]


@contextmanager
def empty_tree(root: Path, command: str) -> Iterator[Path]:
    """A folder to fill, with a mark that names the command, which takes the place of `root` once it is filled.

    Raises:
        ConflictError: if `root` holds anything already.
    """
    need_empty(root)
    root = root.absolute()  # "." has no parent to write beside
    root.parent.mkdir(parents=True, exist_ok=True)
    with naming(root), TemporaryDirectory(dir=root.parent, prefix=f".{root.name}.") as stage:
        tree = Path(stage, root.name)
        tree.mkdir()
        (tree / SYNTHETIC_MARK).write_text(_MARK_TEXT.format(command), encoding="utf-8")
        yield tree
        need_empty(root)  # somebody may have been faster
        tree.rename(root)


# A bone: (joint, parent, length in torsos, angle at rest in degrees, how far it swings in degrees).
# Angles are absolute; 0 points right, 90 down. "neck" and "pelvis" are helpers, not keypoints.
_BONES = (
    ("neck", "pelvis", 1.0, -90, 12),
    ("nose", "neck", 0.35, -90, 15),
    ("left_ear", "nose", 0.13, -20, 15),
    ("right_ear", "nose", 0.13, 200, 15),
    ("left_shoulder", "neck", 0.32, 5, 10),
    ("right_shoulder", "neck", 0.32, 175, 10),
    ("left_elbow", "left_shoulder", 0.55, 70, 70),
    ("right_elbow", "right_shoulder", 0.55, 110, 70),
    ("left_wrist", "left_elbow", 0.5, 60, 80),
    ("right_wrist", "right_elbow", 0.5, 120, 80),
    ("left_pinky", "left_wrist", 0.16, 80, 60),
    ("right_pinky", "right_wrist", 0.16, 100, 60),
    ("left_index", "left_wrist", 0.18, 60, 60),
    ("right_index", "right_wrist", 0.18, 120, 60),
    ("left_thumb", "left_wrist", 0.12, 30, 60),
    ("right_thumb", "right_wrist", 0.12, 150, 60),
    ("left_hip", "pelvis", 0.2, 0, 10),
    ("right_hip", "pelvis", 0.2, 180, 10),
    ("left_knee", "left_hip", 0.8, 80, 45),
    ("right_knee", "right_hip", 0.8, 100, 45),
    ("left_ankle", "left_knee", 0.75, 95, 40),
    ("right_ankle", "right_knee", 0.75, 85, 40),
    ("left_heel", "left_ankle", 0.12, 110, 25),
    ("right_heel", "right_ankle", 0.12, 70, 25),
    ("left_foot_index", "left_ankle", 0.3, 40, 25),
    ("right_foot_index", "right_ankle", 0.3, 140, 25),
)


def motion(rng: np.random.Generator, frames: int, width: float, height: float, fps: float = 30.0) -> Floats:
    """A person who swings every limb and wanders about.

    Args:
        rng: decides on everything.
        frames: T.
        width: of the image in pixels; the person stays inside.
        height: likewise.
        fps: frames a second.

    Returns:
        (T, 25, 2) pixels, x y.
    """
    seconds = np.arange(frames) / fps
    torso = rng.uniform(0.12, 0.16) * height
    # Two torsos to either side of the centre: an arm or a leg is shorter than that.
    pelvis = np.stack(
        [
            width * (0.5 + 0.5 * wander(rng, seconds, 0.3) * max(0.0, 1 - 4.4 * torso / width)),
            height * (0.5 + 0.5 * wander(rng, seconds, 0.3) * max(0.0, 1 - 4.4 * torso / height)),
        ],
        axis=-1,
    )
    places = {"pelvis": pelvis}
    for joint, parent, length, rest, swing in _BONES:
        angle = np.radians(rest + swing * wander(rng, seconds, 1.0))
        bone = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        places[joint] = places[parent] + torso * length * bone
    points = np.empty((frames, K, 2))
    for name, i in INDEX.items():
        points[:, i] = places[name]
    return np.clip(points, 0, (width, height))


def wander(rng: np.random.Generator, seconds: Floats, pace: float) -> Floats:
    """(T,) smooth values in -1..1: three sines of a few tenths of a hertz to two."""
    rates = pace * rng.uniform(0.2, 2.0, 3)
    phases = rng.uniform(0, 2 * np.pi, 3)
    weights = rng.dirichlet(np.ones(3))
    return np.asarray(np.sin(2 * np.pi * rates * seconds[:, None] + phases) @ weights)


def some(rng: np.random.Generator, count: int, share: float) -> list[int]:
    """About `share` of 0..count-1, at least one, never all; in rising order."""
    picked = rng.choice(count, min(max(1, round(share * count)), count - 1), replace=False)
    return [int(i) for i in np.sort(picked)]
