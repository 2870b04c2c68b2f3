"""A folder of annotations, and what is read of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from posedata.formats import FORMATS
from posedata.poses import PoseSequence

JOINTS = {"nose": "nose", "left_eye": None, "left_hip": "left_hip", "hip_r": "right_hip"}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes keypoints.json and files beside it: `write({"a.csv": "frame,..."}, fps=30)`; objects become JSON."""

    def write_tree(files: dict[str, Any], /, **fields: Any) -> Path:
        content = {"joints": JOINTS} | fields
        for name, text in ({"keypoints.json": content} | files).items():
            path = tmp_path / "raw" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
        return tmp_path / "raw"

    return write_tree


def read(root: Path) -> dict[str, PoseSequence]:
    dataset = FORMATS["keypoints"].open(root)
    return {item: dataset.read(item) for item in dataset.items()}


@pytest.fixture
def read_tree() -> Callable[[Path], dict[str, PoseSequence]]:
    """Reads every sequence of a folder, by name."""
    return read
