"""The examples of docs/source-formats.md are what the reader reads."""

import re
import subprocess
import sys
from collections.abc import Callable
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
        "keypoints.json",
        "monday.json",
        "tuesday.csv",
        "wednesday.nc",
    ]
    found = read_tree(examples)
    told = {name: (s.frame_number.tolist(), s.fps, s.action, s.video) for name, s in found.items()}
    assert told == {
        "monday:1": ([1, 2], 30.0, "", "monday"),
        "monday:2": ([2], 30.0, "", "monday"),
        "tuesday:ann": ([0, 1], 25.0, "squat", "camera 2"),
        "wednesday:ann": ([0, 1, 2, 3], 30.0, "", "wednesday"),
    }
    seen = {name: (~np.isnan(s.points[..., 0])).sum(axis=1).tolist() for name, s in found.items()}
    assert seen == {"monday:1": [3, 3], "monday:2": [2], "tuesday:ann": [3, 1], "wednesday:ann": [3, 3, 3, 3]}
    assert found["tuesday:ann"].points[1, INDEX["left_shoulder"]].tolist() == [281, 150]


def test_the_page_names_every_keypoint() -> None:
    text = PAGE.read_text(encoding="utf-8")
    (names,) = re.findall(r"^The keypoints are (.*?);", text, re.MULTILINE | re.DOTALL)
    first, *others = names.replace("\n", " ").split(", ")
    assert {first} | {f"{side}_{name}" for name in others for side in ("left", "right")} == INDEX.keys()
