"""keypoints.json: its faults, and what goes before what."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from posedata.errors import BadInputError
from posedata.formats import FORMATS
from posedata.formats.keypoints.jointmap import About, read_map
from posedata.formats.keypoints.tracks import Recording

Write = Callable[..., Path]

TABLE = "frame,person,joint,x,y,confidence\n0,ann,nose,100,50,1.0\n0,ann,left_hip,90,200,1\n"


MAPS: dict[str, tuple[dict[str, Any], str]] = {
    "no joints": ({"joints": {}}, "joints: "),
    "unknown keypoint": ({"joints": {"nose": "beak"}}, "joints: .*expected null or one of nose, .*not beak"),
    "keypoint twice": ({"joints": {"a": "nose", "b": "nose"}}, "joints: .*each keypoint once, not nose again"),
    "all dropped": ({"joints": {"a": None}}, "joints: .*at least one keypoint"),
    "list": ({"joints": ["nose"]}, "joints: "),
    "many": ({"joints": {f"j{i}": None for i in range(1001)}}, "joints: "),
    "unknown field": ({"frame_rate": 30}, "frame_rate: "),
    "fps text": ({"fps": "30"}, "fps: "),
    "fps 0": ({"fps": 0}, "fps: "),
    "fps nan": ({"fps": math.nan}, "fps: "),
    "width": ({"width": -1}, "width: "),
    "height": ({"height": 1e6}, "height: "),
    "confidence": ({"confidence": -0.1}, "confidence: "),
    "file": ({"files": {"a.csv": {"joints": {}}}}, r"files\.a\.csv\.joints: "),
    "file fps": ({"files": {"a.csv": {"fps": -1}}}, r"files\.a\.csv\.fps: "),
    "video of all": ({"video": "v"}, "video: "),
}


@pytest.mark.parametrize("kind", MAPS)
def test_a_bad_joint_map_is_refused(kind: str, write: Write) -> None:
    fields, word = MAPS[kind]
    with pytest.raises(BadInputError, match=rf"keypoints\.json: {word}"):
        FORMATS["keypoints"].open(write({"a.csv": TABLE}, **fields))


def test_all_faults_of_a_joint_map_are_told(write: Write) -> None:
    with pytest.raises(BadInputError) as caught:
        FORMATS["keypoints"].open(write({}, fps=-1, width=0, joints={"nose": "beak"}))
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("about", [{}, {"joints": None, "width": 640, "height": 480}])
@pytest.mark.parametrize("name", ["a.csv", "a.json"])
def test_a_file_whose_joints_are_not_known_needs_them(name: str, about: dict[str, Any], write: Write) -> None:
    root = write({"keypoints.json": about, name: TABLE if name == "a.csv" else {"images": [], "annotations": []}})
    dataset = FORMATS["keypoints"].open(root)
    with pytest.raises(BadInputError, match=rf"keypoints\.json: joints: expected those of {name}, each with"):
        dataset.read(*dataset.items())


@pytest.mark.parametrize(
    "text", ["", "[]", '{"joints": {"a": "nose"}, "joints": {"a": "nose"}}', '{"joints": {"a": "nose", "a": null}}']
)
def test_a_joint_map_that_is_no_json_object_or_has_a_key_twice_is_refused(text: str, write: Write) -> None:
    with pytest.raises(BadInputError, match=r"keypoints\.json: expected"):
        FORMATS["keypoints"].open(write({"keypoints.json": text}))


def test_what_is_said_of_a_file_goes_before_the_file_and_that_before_what_is_said_of_all(write: Write) -> None:
    one = {"width": 100, "video": "cam"}
    root = write({}, width=300, height=400, fps=30, action="squat", files={"a.csv": one})
    joint_map, recording = read_map(root / "keypoints.json"), Recording({}, width=200, fps=25)
    assert joint_map.about("a.csv", recording) == About(100, 400, 25, "squat", "cam")
    assert joint_map.about("b.csv", recording) == About(200, 400, 25, "squat", "b")


def test_what_nobody_says_is_unknown(write: Write) -> None:
    found = read_map(write({}) / "keypoints.json").about("a.b.csv", Recording({}))
    assert (found.width, found.height, found.action, found.video) == (math.inf, math.inf, "", "a.b")
    assert math.isnan(found.fps)
