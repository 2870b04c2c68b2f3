"""A synthetic folder of somebody's own annotations, with their quirks: see `posedata.formats.keypoints`.

COCO and CSV files, with one and with two people; no netCDF, which takes packages that not everybody has.
"""

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posedata.formats.keypoints.jointmap import MAP_NAME
from posedata.formats.keypoints.tracks import Joints
from posedata.samples.base import Floats, motion, some
from posedata.skeleton import COCO_17, INDEX

_WIDTH, _HEIGHT = 1280, 720
_EYES: Joints = {"left_eye": None, "right_eye": None}
_JOINTS: Joints = {"nose": "nose", **_EYES, **{name: name for name in COCO_17[3:] if name}}
_ACTIONS = ("squat", "walk")
_RATES = (30, 25)

People = Mapping[str, tuple[Sequence[int], Floats]]
"""Name -> frame numbers (T,), and (T, 17, 3) x y confidence; NaN = missing. "" = nobody else is there."""


def write(root: Path, rng: np.random.Generator, sequences: int, frames: int) -> Iterator[int]:
    """Fill an empty folder with `sequences` people of about `frames` frames, in files of one or two."""
    files: dict[str, dict[str, Any]] = {}
    made = 0
    while made < sequences:
        write_file, ending, names = _FILES[len(files) % len(_FILES)]
        fps = _RATES[len(files) // 2 % len(_RATES)]
        names = names[: sequences - made]
        name = f"video{len(files) + 1:02d}.{ending}"
        people = {person: _person(rng, made + i, frames, fps) for i, person in enumerate(names)}
        write_file(root / name, people)
        files[name] = {"fps": fps, "action": _ACTIONS[len(files) % len(_ACTIONS)]}
        made += len(names)
        yield len(names)
    about = {"width": _WIDTH, "height": _HEIGHT, "confidence": 0.2, "licence": "synthetic: nobody's data"}
    content = {"joints": _JOINTS, **about, "files": files}
    (root / MAP_NAME).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _person(rng: np.random.Generator, i: int, frames: int, fps: int) -> tuple[list[int], Floats]:
    points = motion(rng, frames, _WIDTH, _HEIGHT, fps=float(fps))
    joints = np.stack([points[:, INDEX[keypoint or "nose"]] for keypoint in _JOINTS.values()], axis=1)
    poses = np.concatenate([joints, rng.uniform(0.5, 1, (frames, len(_JOINTS), 1))], axis=-1).round(3)
    hidden = int(rng.integers(5, len(_JOINTS)))
    poses[some(rng, frames, 0.2), hidden] = np.nan
    poses[some(rng, frames, 0.1), hidden - 1, 2] = 0.1
    numbers = list(range(frames))
    if i % 3 == 0 and frames > 20:
        at = frames // 2
        del numbers[at : at + 3]
        poses = np.delete(poses, slice(at, at + 3), axis=0)
    if i % 3 == 1 and frames > 10:
        poses[[2, frames - 1]] = np.nan
    if i % 3 == 2:
        poses[frames // 3, 9, 0] = _WIDTH + 30
    return numbers, poses


def _write_coco(path: Path, people: People) -> None:
    """Images in falling order; what is missing has x = y = v = 0."""
    frames = sorted({number for numbers, _ in people.values() for number in numbers}, reverse=True)
    size = {"width": _WIDTH, "height": _HEIGHT}
    images = [{"id": 1000 + n, "file_name": f"{path.stem}/img_{n:06d}.jpg", **size} for n in frames]
    annotations: list[dict[str, Any]] = []
    for track, (person, (numbers, poses)) in enumerate(people.items(), start=1):
        for number, pose in zip(numbers, np.nan_to_num(poses).tolist(), strict=True):
            keypoints = [value for joint in pose for value in joint]
            who = {"track_id": track} if person else {}
            annotation = {"id": len(annotations), "image_id": 1000 + number, "category_id": 1, **who}
            annotations.append({**annotation, "keypoints": keypoints})
    categories = [{"id": 1, "name": "person", "keypoints": list(_JOINTS)}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(content), encoding="utf-8")


def _write_table(path: Path, people: People) -> None:
    """A row a joint; what is missing is empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        named = [] if "" in people else ["person"]
        rows.writerow(["frame", *named, "joint", "x", "y", "confidence"])
        for person, (numbers, poses) in people.items():
            for number, pose in zip(numbers, poses.tolist(), strict=True):
                for joint, values in zip(_JOINTS, pose, strict=True):
                    cells = ["" if value != value else value for value in values]
                    rows.writerow([number, *([person] if named else []), joint, *cells])


_FILES: tuple[tuple[Callable[[Path, People], None], str, tuple[str, ...]], ...] = (
    (_write_coco, "json", ("ann", "bob")),
    (_write_table, "csv", ("",)),
    (_write_coco, "json", ("",)),
    (_write_table, "csv", ("ann", "bob")),
)
"""How each file is written, one after the other: by what, its ending, who is in it."""
