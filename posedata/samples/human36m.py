"""A synthetic folder of clips, laid out as `posedata.clips.arrays` tells: people who move before a fixed camera."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from posedata.clips.joints import JOINTS, LIMBS
from posedata.clips.schema import CLIP_FRAMES, SIDE
from posedata.samples.base import Floats, wander

_DISTANCE, _FOCAL = 4.5, 430.0
"""Metres from the camera to the pelvis; its focal length in pixels, so that somebody fills most of a frame."""

_FRAMES_PER_SECOND = 20.0


class _Bone(NamedTuple):
    """How the bone that ends in a joint is held; angles in degrees.

    Attributes:
        length: metres, as people of Human3.6M have it.
        rest: (3,) the direction at rest: to the person's left, down, to the front.
        flexion: lowest and highest, to the front, about the axis from right to left.
        abduction: likewise, sideways, to the person's left.
    """

    length: float
    rest: tuple[float, float, float]
    flexion: tuple[float, float] = (0, 0)
    abduction: tuple[float, float] = (0, 0)


_LEFT, _RIGHT, _UP, _DOWN = (1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0), (0.0, 1.0, 0.0)

_BONES = {
    "right_hip": _Bone(0.13, _RIGHT),
    "right_knee": _Bone(0.45, _DOWN, (-20, 60), (-25, 5)),
    "right_foot": _Bone(0.44, _DOWN, (-70, 0)),
    "left_hip": _Bone(0.13, _LEFT),
    "left_knee": _Bone(0.45, _DOWN, (-20, 60), (-5, 25)),
    "left_foot": _Bone(0.44, _DOWN, (-70, 0)),
    "spine": _Bone(0.23, _UP, (-25, 5), (-8, 8)),
    "thorax": _Bone(0.25, _UP, (-15, 5), (-8, 8)),
    "neck_base": _Bone(0.12, (0.0, -0.9, 0.4), (-15, 15), (-10, 10)),
    "head": _Bone(0.115, _UP, (-15, 15), (-10, 10)),
    "left_shoulder": _Bone(0.15, _LEFT),
    "left_elbow": _Bone(0.28, _DOWN, (-30, 120), (5, 90)),
    "left_wrist": _Bone(0.25, _DOWN, (5, 110)),
    "right_shoulder": _Bone(0.15, _RIGHT),
    "right_elbow": _Bone(0.28, _DOWN, (-30, 120), (-90, -5)),
    "right_wrist": _Bone(0.25, _DOWN, (5, 110)),
}
"""By the joint at the far end. A bone turns with the one that it hangs on: shins with thighs, arms with the trunk."""

_COLOURS = {"left": (70, 120, 235), "right": (240, 120, 40), "": (70, 190, 110)}
"""RGB of limbs; left and right differ, or nobody could tell one's front from one's back."""

_THICKNESS, _HEAD = 0.09, 0.1
"""Metres: of a limb, and the radius of a head."""


def write(root: Path, rng: np.random.Generator, sequences: int, frames: int) -> Iterator[int]:
    """Fill an empty folder with `sequences` clips, every fourth for validation, at least one each.

    Joints are metres in the camera's coordinates (x right, y down, z away) about the pelvis. `frames` means nothing
    here: a clip has 8.
    """
    del frames
    validation = max(1, sequences // 4)
    for name, count in (("train", max(1, sequences - validation)), ("valid", validation)):
        images = open_memmap(
            root / f"videoframes_clips_{name}.npy", "w+", np.uint8, (count, CLIP_FRAMES, SIDE, SIDE, 3)
        )
        joints = np.empty((count, CLIP_FRAMES, len(JOINTS), 3), np.float32)
        for i in range(count):
            moving = figure_motion(rng, CLIP_FRAMES)
            joints[i], images[i] = moving, _film(rng, moving)
            yield 1
        images.flush()
        np.save(root / f"joint_3d_clips_{name}.npy", joints)


def figure_motion(rng: np.random.Generator, frames: int) -> Floats:
    """(T, 17, 3) metres about the pelvis, x right, y down, z away: somebody who stands and moves every limb."""
    seconds = np.arange(frames) / _FRAMES_PER_SECOND
    turn = rng.uniform(0, 360) + 40 * wander(rng, seconds, 0.3)
    held = {"pelvis": _turn("y", turn) @ np.diag([1.0, 1.0, -1.0])}  # at rest one looks into the camera
    size = rng.uniform(0.92, 1.08)
    joints = np.zeros((frames, len(JOINTS), 3))
    for parent, joint in LIMBS:
        bone = _BONES[JOINTS[joint]]
        held[JOINTS[joint]] = (
            held[JOINTS[parent]]
            @ _turn("z", -_swing(rng, seconds, *bone.abduction))
            @ _turn("x", _swing(rng, seconds, *bone.flexion))
        )
        joints[:, joint] = joints[:, parent] + size * bone.length * (held[JOINTS[joint]] @ _unit(bone.rest))
    return joints


def _unit(direction: tuple[float, float, float]) -> Floats:
    vector = np.asarray(direction)
    return np.asarray(vector / np.linalg.norm(vector))


def _swing(rng: np.random.Generator, seconds: Floats, low: float, high: float) -> Floats:
    """(T,) degrees from low to high."""
    return low + (high - low) * (0.5 + 0.5 * wander(rng, seconds, 0.4))


def _turn(axis: str, degrees: Floats) -> Floats:
    """(T, 3, 3) rotations about an axis."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_euler(axis, degrees[:, None], degrees=True).as_matrix())


def _film(rng: np.random.Generator, joints: Floats) -> NDArray[np.uint8]:
    """(T, 224, 224, 3) RGB: a person of strokes before a wall with some texture."""
    import cv2

    coarse = (rng.integers(90, 190, (6, 6, 1)) + rng.integers(-20, 20, (6, 6, 3))).astype(np.float32)
    wall = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) + rng.normal(0, 6, (SIDE, SIDE, 1))
    ground = np.clip(wall, 0, 255).astype(np.uint8)
    return np.stack([_drawn(ground, pose) for pose in joints])


def _drawn(ground: NDArray[np.uint8], joints: Floats) -> NDArray[np.uint8]:
    """The wall with one pose before it, what is nearer drawn later."""
    from posedata.preview.draw import disc, stroke, subpixels

    picture, depth = ground.copy(), joints[:, 2] + _DISTANCE
    places = subpixels(joints[:, :2] * (_FOCAL / depth)[:, None] + SIDE / 2)
    for a, b in sorted(LIMBS, key=lambda limb: -float(depth[list(limb)].mean())):
        name = JOINTS[b].partition("_")[0]
        thickness = round(_THICKNESS * _FOCAL / float(depth[[a, b]].mean()))
        stroke(picture, places[a], places[b], _COLOURS.get(name, _COLOURS[""]), thickness)
        if JOINTS[b] == "head":
            disc(picture, places[b], _HEAD * _FOCAL / float(depth[b]), (215, 175, 145))
    return picture
