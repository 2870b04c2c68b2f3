"""Poses as they come, and joints by name."""

from pathlib import Path

import numpy as np
import pytest

from posedata.errors import BadInputError
from posedata.formats.keypoints import tracks
from posedata.formats.keypoints.tracks import Faults, Poses, slots, told
from posedata.skeleton import INDEX

JOINTS = {"nose": "nose", "eye": None, "hip_l": "left_hip"}


def test_joints_become_numbers_of_keypoints_in_the_order_of_the_names() -> None:
    assert slots(["hip_l", "eye", "nose"], JOINTS) == [INDEX["left_hip"], None, INDEX["nose"]]


@pytest.mark.parametrize(
    ("names", "word"),
    [
        (["nose", "tail"], r"expected joints that are known \(nose, eye, hip_l\), found tail; keypoints"),
        (["nose", "eye", "nose"], "expected each joint once, found nose, eye, nose"),
    ],
)
def test_joints_that_are_strange_or_there_twice_are_refused(names: list[str], word: str) -> None:
    with pytest.raises(BadInputError, match=word):
        slots(names, JOINTS)


def test_poses_come_in_any_order_and_are_given_in_that_of_their_frames() -> None:
    poses = Poses(Path("a.csv"))
    for person, frame in (("bob", 7), ("ann", 3), ("bob", 2)):
        poses.add(person, frame)[0] = (frame, 10 * frame, 0.5)
    same = poses.find("bob", 7)
    assert same is not None
    same[1] = (1, 2, 3)
    assert poses.find("bob", 3) is poses.find("cat", 7) is None
    found = poses.tracks()
    assert list(found) == ["bob", "ann"]
    assert found["bob"].frame_number.tolist() == [2, 7]
    assert found["bob"].rows == {2: 0, 7: 1}
    assert found["bob"].points[:, 0].tolist() == [[2, 20], [7, 70]]
    assert found["bob"].points[1, 1].tolist() == [1, 2]
    assert found["bob"].confidence[:, 0].tolist() == [0.5, 0.5]
    assert np.isnan(found["ann"].points[0, 1:]).all()


def test_no_pose_and_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    poses = Poses(Path("a.csv"))
    with pytest.raises(BadInputError, match=r"a\.csv: expected at least one pose"):
        poses.tracks()
    monkeypatch.setattr(tracks, "MOST_POSES", 2)
    poses.add("", 0)
    poses.add("", 1)
    with pytest.raises(BadInputError, match=r"a\.csv: expected at most 2 poses"):
        poses.add("", 2)


def test_a_frame_has_room_for_some_people_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracks, "_MOST_UNNAMED", 2)
    poses = Poses(Path("a.json"), linked=True)
    for frame in (0, 0, 1):
        poses.add("", frame)
    with pytest.raises(BadInputError, match=r"a\.json: frame 0: expected at most 2 people without a number"):
        poses.add("", 0)


def test_a_hundred_faults_are_told_in_words_and_the_others_as_a_number() -> None:
    faults = Faults(Path("a.csv"))
    faults.check()
    for number in range(1102):
        faults.add(f"fault {number}")
    with pytest.raises(BadInputError) as caught:
        faults.check()
    assert len(caught.value.faults) == 101
    assert caught.value.faults[99:] == ("a.csv: fault 99", "a.csv: and 1,002 faults more")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "None"), (1.5, "1.5"), ("ü", "'ü'"), ("x" * 99, "'" + "x" * 59), ([1, 2], "list"), ({"a": 1}, "dict")],
)
def test_a_value_is_shown_in_short(value: object, text: str) -> None:
    assert told(value) == text
