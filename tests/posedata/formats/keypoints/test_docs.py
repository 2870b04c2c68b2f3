"""The examples of docs/source-formats.md are what the reader reads."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from posedata.poses import PoseSequence
from posedata.skeleton import INDEX

PAGE = Path(__file__).parents[4] / "docs" / "source-formats.md"
BLOCK = re.compile(r'^```(\w+) title="([\w.]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A folder with the files of the page; Python blocks are run there."""
    for language, name, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if language == "python":
            subprocess.run([sys.executable, "-c", text], cwd=tmp_path, check=True, timeout=300)
        else:
            (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_examples_of_the_page_are_read(
    examples: Path, read_tree: Callable[[Path], dict[str, PoseSequence]]
) -> None:
    assert sorted(p.name for p in examples.iterdir()) == [
        "friday.json",
        "keypoints.json",
        "monday.json",
        "thursday.npz",
        "tuesday.csv",
        "wednesday.nc",
    ]
    found = read_tree(examples)
    told = {name: (s.frame_number.tolist(), s.fps, s.action, s.video) for name, s in found.items()}
    assert told == {
        "friday:1": ([0, 1], 30.0, "", "friday"),
        "monday:1": ([1, 2], 30.0, "", "monday"),
        "monday:2": ([2], 30.0, "", "monday"),
        "thursday:ann": ([0, 1, 2], 30.0, "", "thursday"),
        "thursday:bob": ([0, 1, 2], 30.0, "", "thursday"),
        "tuesday:ann": ([0, 1], 25.0, "squat", "camera 2"),
        "wednesday:ann": ([0, 1, 2, 3], 30.0, "", "wednesday"),
    }
    seen = {name: (~np.isnan(s.points[..., 0])).sum(axis=1).tolist() for name, s in found.items()}
    assert seen == {
        "friday:1": [3, 2],
        "monday:1": [3, 3],
        "monday:2": [2],
        "thursday:ann": [3, 3, 3],
        "thursday:bob": [3, 3, 3],
        "tuesday:ann": [3, 1],
        "wednesday:ann": [3, 3, 3, 3],
    }
    assert found["tuesday:ann"].points[1, INDEX["left_shoulder"]].tolist() == [281, 150]


@dataclass
class Landmark:
    """As MediaPipe has it."""

    x: float
    y: float
    z: float = 0.5
    visibility: float | None = 0.75
    presence: float | None = 0.9
    name: str | None = None


@dataclass
class Result:
    """What MediaPipe's PoseLandmarker gives."""

    pose_landmarks: list[list[Landmark]]
    pose_world_landmarks: list[list[Landmark]]
    segmentation_masks: None = None


def test_what_the_page_writes_of_mediapipe_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_tree: Callable[[Path], dict[str, PoseSequence]]
) -> None:
    (section,) = re.findall(r"^### MediaPipe.*?(?=^### )", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (code,) = re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    (about,) = re.findall(r'`(\{"width.*?\})`', section)
    person = [Landmark(i / 50, i / 100) for i in range(33)]
    monkeypatch.chdir(tmp_path)
    exec(code, {"results": [Result([person], [person]), Result([], []), Result([person], [person])]})  # noqa: S102
    (tmp_path / "keypoints.json").write_text(about)
    (sequence,) = read_tree(tmp_path).values()
    assert (sequence.name, sequence.frame_number.tolist()) == ("thursday", [0, 2])
    np.testing.assert_allclose(sequence.points[1, INDEX["left_hip"]], [23 / 50 * 640, 23 / 100 * 480])


def test_the_page_names_every_keypoint() -> None:
    text = PAGE.read_text(encoding="utf-8")
    (names,) = re.findall(r"^The keypoints are (.*?);", text, re.MULTILINE | re.DOTALL)
    first, *others = names.replace("\n", " ").split(", ")
    assert {first} | {f"{side}_{name}" for name in others for side in ("left", "right")} == INDEX.keys()
