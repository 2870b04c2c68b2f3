"""Synthetic films of people, with what is known of them: boxes for `posetrain detect`, and keypoints for finetuning.

`film_01.mp4`            480 x 360 pixels, 30 frames a second
`boxes/film_01.csv`      frame, person where there are two, x, y, width, height; some frames have none
`target/film_01.npz`     the keypoints, as of ClimbAlong; one `film_03-ann.npz` for each person where there are two

With `input/`, which a detector writes there, the folder is a tree in ClimbAlong's layout.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from posedata.samples.base import Floats, motion
from posedata.samples.scene import coco_joints, figure, wall
from posedata.skeleton import K

_WIDTH, _HEIGHT = 480, 360
_FPS = 30.0
_MARGIN = 12
_TWO = ("ann", "bob")


def write(root: Path, rng: np.random.Generator, sequences: int, frames: int) -> Iterator[int]:
    """Fill an empty folder with `sequences` films; the first is half as long again as `frames`, every third shows two.

    In the middle of each film a detector of people has lost everybody for two frames.
    """
    for folder in ("boxes", "target"):
        (root / folder).mkdir()
    for i in range(sequences):
        people = _TWO if i % 3 == 2 else ("",)
        _write(root, f"film_{i + 1:02d}", rng, people, frames if i else frames * 3 // 2)
        yield 1


def _write(root: Path, name: str, rng: np.random.Generator, people: Sequence[str], frames: int) -> None:
    room = _WIDTH / len(people)
    poses = {who: motion(rng, frames, room, _HEIGHT) + np.asarray([i * room, 0.0]) for i, who in enumerate(people)}
    _film(root / f"{name}.mp4", rng, [*poses.values()])
    _boxes(root / "boxes" / f"{name}.csv", poses)
    for who, points in poses.items():
        target = np.concatenate([points, np.ones((frames, K, 1))], axis=-1).astype(np.float32)
        np.savez_compressed(root / "target" / f"{name}{who and '-' + who}.npz", keypoints=target)


def _film(path: Path, rng: np.random.Generator, people: Sequence[Floats]) -> None:
    from posedata.preview.films import open_mp4

    ground = wall(rng, _WIDTH, _HEIGHT)
    shirts = [rng.integers(0, 255, 3) for _ in people]
    with open_mp4(path, (_WIDTH, _HEIGHT), _FPS, "install another build of PyAV") as add:
        for poses in zip(*people, strict=True):
            picture = ground.copy()
            for points, shirt in zip(poses, shirts, strict=True):
                figure(picture, coco_joints(points).round(), shirt)
            add(picture[..., ::-1])


def _boxes(path: Path, poses: dict[str, Floats]) -> None:
    named = len(poses) > 1
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["frame", *(["person"] if named else []), "x", "y", "width", "height"])
        for who, points in poses.items():
            lost = len(points) // 2
            for frame, pose in enumerate(points):
                if frame not in (lost, lost + 1):
                    low, high = (
                        np.clip(side, 0, (_WIDTH, _HEIGHT)) for side in (pose.min(0) - _MARGIN, pose.max(0) + _MARGIN)
                    )
                    sides = np.concatenate([low, high - low]).round(1).tolist()
                    rows.writerow([frame, *([who] if named else []), *sides])
