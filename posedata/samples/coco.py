"""A synthetic tree in COCO's layout, with its quirks: see `posedata.crops.annotations`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from posedata.crops.joints import LIMBS
from posedata.samples.base import Floats, motion
from posedata.samples.scene import Pixels, coco_joints, figure, wall
from posedata.skeleton import COCO_NAMES

_WIDTH, _HEIGHT = 480, 360
_TRAINING, _VALIDATION = "train2017", "val2017"


def write(root: Path, rng: np.random.Generator, sequences: int, frames: int) -> Iterator[int]:
    """Fill an empty folder with `sequences` photographs of nobody; `frames` means nothing here.

    Every fourth photograph is for validation. One shows one to three people, some of whom reach beyond it; every third
    has a person without labelled keypoints, every fifth a crowd, every sixth nobody, and every seventh is grey.
    """
    del frames
    content: dict[str, dict[str, Any]] = {name: _empty() for name in (_TRAINING, _VALIDATION)}
    for name in content:
        (root / name).mkdir()
    for i in range(sequences):
        name = _VALIDATION if i % 4 == 3 else _TRAINING
        people = [] if i % 6 == 5 else [_person(rng) for _ in range(int(rng.integers(1, 4)))]
        _write_image(root / name / f"{i + 1:012d}.jpg", _photograph(rng, people), grey=i % 7 == 6)
        _annotate(content[name], rng, i, people)
        yield 1
    (root / "annotations").mkdir()
    for name, told in content.items():
        (root / "annotations" / f"person_keypoints_{name}.json").write_text(json.dumps(told), encoding="utf-8")


def _empty() -> dict[str, Any]:
    person = {"id": 1, "name": "person", "keypoints": COCO_NAMES, "skeleton": [[a + 1, b + 1] for a, b in LIMBS]}
    return {"images": [], "annotations": [], "categories": [person]}


def _person(rng: np.random.Generator) -> Floats:
    """(17, 2) pixels of somebody who stands anywhere."""
    points = motion(rng, 1, _HEIGHT, _HEIGHT)[0] + (rng.uniform(-90, _WIDTH - _HEIGHT + 90), 0)
    return coco_joints(points).round()


def _photograph(rng: np.random.Generator, people: list[Floats]) -> Pixels:
    """(360, 480, 3), blue green red."""
    pixels = wall(rng, _WIDTH, _HEIGHT)
    for points in people:
        figure(pixels, points, rng.integers(0, 255, 3))
    return pixels


def _write_image(path: Path, pixels: Pixels, grey: bool) -> None:
    import cv2

    shown = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY) if grey else pixels
    _, encoded = cv2.imencode(".jpg", shown)
    path.write_bytes(encoded.tobytes())


def _annotate(content: dict[str, Any], rng: np.random.Generator, i: int, people: list[Floats]) -> None:
    image = i + 1
    content["images"].append({"id": image, "file_name": f"{image:012d}.jpg", "width": _WIDTH, "height": _HEIGHT})
    told = [_labels(rng, points) for points in people]
    nobody = {"num_keypoints": 0, "keypoints": [0] * 3 * len(COCO_NAMES)}
    if people and i % 3 == 0:
        told.append({"iscrowd": 0, **nobody, "bbox": [10.5, 20.25, 30.0, 60.5]})
    if people and i % 5 == 0:
        told.append({"iscrowd": 1, **nobody, "bbox": [0.0, 0.0, float(_WIDTH), 80.0]})
    for j, labels in enumerate(told):
        content["annotations"].append({"id": 100 * image + j, "image_id": image, "category_id": 1, **labels})


def _labels(rng: np.random.Generator, points: Floats) -> dict[str, Any]:
    """Box and keypoints; what lies beyond the photograph is not labelled, and some more are not, or hidden."""
    inside = np.asarray(((points >= 0) & (points <= (_WIDTH, _HEIGHT))).all(axis=1))
    visibility = np.where(inside, rng.choice([0, 1, 2], len(COCO_NAMES), p=[0.1, 0.15, 0.75]), 0)
    visibility[0] = 2 * inside[0]
    keypoints = np.where(np.expand_dims(visibility, 1) > 0, np.column_stack([points, visibility]), 0).astype(int)
    low = np.clip(points.min(axis=0) - 12, 0, (_WIDTH - 20, _HEIGHT - 20))
    high = np.clip(points.max(axis=0) + 12, low + 20, (_WIDTH, _HEIGHT))
    return {
        "iscrowd": 0,
        "num_keypoints": int((visibility > 0).sum()),
        "keypoints": keypoints.ravel().tolist(),
        "bbox": [*low.tolist(), *(high - low).tolist()],
    }
