import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata.errors import BadInputError
from posedata.formats.keypoints.openpose import openpose_frames, read_openpose
from posedata.skeleton import BODY_25, INDEX


def person(name: int | None = None, x: int = 100, **fields: Any) -> dict[str, Any]:
    joints = [value for i in range(25) for value in (x + i, 200 + i, 0.5)]
    return {"pose_keypoints_2d": joints} | ({} if name is None else {"person_id": [name]}) | fields


def write(folder: Path, *frames: Any, name: str = "cam2_{:012d}_keypoints.json") -> Path:
    for i, people in enumerate(frames):
        content = {"version": 1.3, "people": people}
        (folder / name.format(i)).write_text(json.dumps(content))
    return folder


def test_joints_go_where_body_25_has_them(tmp_path: Path) -> None:
    one = person()
    one["pose_keypoints_2d"][3 * 7 : 3 * 7 + 3] = [0, 0, 0]
    recording = read_openpose(write(tmp_path, [person(-1)], [], [one]))
    (track,) = recording.tracks.values()
    assert list(recording.tracks) == [""]
    assert track.frame_number.tolist() == [0, 2]
    assert track.points[0, INDEX["nose"]].tolist() == [100, 200]
    assert track.points[0, INDEX["right_shoulder"]].tolist() == [102, 202]
    assert track.points[0, INDEX["left_foot_index"]].tolist() == [119, 219]
    assert track.points[0, INDEX["right_heel"]].tolist() == [124, 224]
    assert np.isnan(track.points[1, INDEX["left_wrist"]]).all()
    assert track.confidence[0, INDEX["nose"]] == 0.5
    assert set(np.flatnonzero(~np.isnan(track.points[0, :, 0])).tolist()) == {INDEX[name] for name in BODY_25 if name}


def test_the_model_coco_has_a_neck_and_eyes_of_its_own(tmp_path: Path) -> None:
    """As its documentation numbers them."""
    of_coco = person(pose_keypoints_2d=[value for i in range(18) for value in (100 + i, 200 + i, 0.5)])
    (track,) = read_openpose(write(tmp_path, [of_coco])).tracks.values()
    found = {name: track.points[0, place, 0] - 100 for name, place in INDEX.items()}
    limbs = ["shoulder", "elbow", "wrist"], ["hip", "knee", "ankle"]
    assert {name: number for name, number in found.items() if not np.isnan(number)} == {
        "nose": 0,
        **{f"right_{name}": 2 + i for i, name in enumerate(limbs[0])},
        **{f"left_{name}": 5 + i for i, name in enumerate(limbs[0])},
        **{f"right_{name}": 8 + i for i, name in enumerate(limbs[1])},
        **{f"left_{name}": 11 + i for i, name in enumerate(limbs[1])},
        "right_ear": 16,
        "left_ear": 17,
    }


def test_what_the_first_versions_wrote_is_read(tmp_path: Path) -> None:
    old = {"pose_keypoints": person()["pose_keypoints_2d"]}
    (track,) = read_openpose(write(tmp_path, [old])).tracks.values()
    assert track.points[0, INDEX["nose"]].tolist() == [100, 200]


def test_people_are_told_apart_by_their_numbers_in_any_order(tmp_path: Path) -> None:
    recording = read_openpose(write(tmp_path, [person(4), person(0)], [person(0), person(4)], [person(4)]))
    assert {name: track.frame_number.tolist() for name, track in recording.tracks.items()} == {
        "4": [0, 1, 2],
        "0": [0, 1],
    }


def test_people_without_numbers_are_linked_from_frame_to_frame(tmp_path: Path) -> None:
    near, far = person(-1), person(-1, x=400)
    recording = read_openpose(write(tmp_path, [near, far], [far], [far, near, person(-1, x=900)]))
    assert {
        name: (track.points[:, INDEX["nose"], 0].tolist(), track.frame_number.tolist(), track.turn.tolist())
        for name, track in recording.tracks.items()
        if track.turn is not None
    } == {"1": ([100, 100], [0, 2], [0, 1]), "2": ([400, 400, 400], [0, 1, 2], [1, 0, 0]), "3": ([900], [2], [2])}
    assert list(map(str, recording.notes)) == [
        "3 people without a number: linked from frame to frame by their poses: 3 of them in fewer than 5 frames"
    ]


def test_frames_are_numbered_by_the_names_of_files(tmp_path: Path) -> None:
    for name in ("a_000000000010_keypoints.json", "a_000000000002_keypoints.json", "notes.json", "x_keypoints.json"):
        (tmp_path / name).write_text("{}")
    assert list(openpose_frames(tmp_path)) == [2, 10]
    (tmp_path / "b_2_keypoints.json").write_text("{}")
    with pytest.raises(BadInputError, match=r"b_2_keypoints.*each frame once.*found 2"):
        openpose_frames(tmp_path)


BAD = {
    "another model": (
        [person(pose_keypoints_2d=[1.0] * 45)],
        r"people\[0\].*25 joints of BODY_25, or of 18 of COCO, found 45 numbers",
    ),
    "no joints": ([{}], r"people\[0\]\.pose_keypoints_2d: .* found None"),
    "words": ([person(pose_keypoints_2d=["1"] * 75)], "expected numbers, found others"),
    "twice": ([person(3), person(3)], r"people\[1\]\.person_id: expected each person once in a frame, found 3 again"),
    "no list": ({}, "people: expected a list, found dict"),
    "no object": ([7], "found None"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named(name: str, tmp_path: Path) -> None:
    people, words = BAD[name]
    with pytest.raises(BadInputError, match=words) as raised:
        read_openpose(write(tmp_path, [person(1)], people))
    assert "cam2_000000000001_keypoints.json" in str(raised.value)


def test_people_with_and_without_numbers_are_not_mixed(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="for all people or for none"):
        read_openpose(write(tmp_path, [person(1)], [person(-1)]))
    with pytest.raises(BadInputError, match="expected at least one pose, found none"):
        read_openpose(write(tmp_path, [], []))
