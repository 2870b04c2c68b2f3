"""Detectors' results over the frames of a video."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata.errors import BadInputError
from posedata.formats.keypoints.jointmap import JointMap, read_map
from posedata.formats.keypoints.results import read_results, results_with
from posedata.poses import PoseSequence
from posedata.skeleton import INDEX

Write = Callable[..., Path]
Read = Callable[[Path], dict[str, PoseSequence]]


class Linking(JointMap):
    """Of files that do not tell who is who."""

    linked = True


NOSE, LEFT, RIGHT = INDEX["nose"], INDEX["left_hip"], INDEX["right_hip"]
POSE = [10, 20, 0.9, 1, 1, 0.8, 30, 40, 0.7, 50, 60, 0]
"""Of the joints nose, left_eye, left_hip, hip_r; the last is missing."""


def person(frame: object, pose: list[Any] = POSE, **other: Any) -> dict[str, Any]:
    return {"image_id": frame, "category_id": 1, "keypoints": pose, "score": 0.5} | other


def mmpose(frame: int, *poses: list[Any]) -> dict[str, Any]:
    people = [
        {
            "keypoints": [[x, y] for x, y in zip(pose[::3], pose[1::3], strict=True)],
            "keypoint_scores": pose[2::3],
            "bbox": [[0, 0, 5, 5]],
            "bbox_score": 0.5,
        }
        for pose in poses
    ]
    return {"frame_id": frame, "instances": people}


def demo(entries: list[Any], names: list[str] | None = None) -> dict[str, Any]:
    meta: dict[str, Any] = {"dataset_name": "coco", "dataset_keypoint_weights": {"__ndarray__": [1.0]}}
    if names:
        meta["keypoint_id2name"] = {str(i): name for i, name in enumerate(names)}
    return {"meta_info": meta, "instance_info": entries}


KINDS: dict[str, Any] = {
    "COCO": [person(9), person(7)],
    "AlphaPose, a person": [person("7.jpg", box=[1, 2, 3, 4]), person("9.jpg")],
    "MMPose": [mmpose(7, POSE), mmpose(8), mmpose(9, POSE)],
    "MMPose's demo": demo([mmpose(7, POSE), mmpose(8), mmpose(9, POSE)]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_joints_go_to_their_keypoints_and_frames_rise(kind: str, write: Write, read_tree: Read) -> None:
    (found,) = read_tree(write({"a.json": KINDS[kind]})).values()
    assert (found.name, found.frame_number.tolist()) == ("a", [7, 9])
    np.testing.assert_array_equal(found.points[0, [NOSE, LEFT]], [[10, 20], [30, 40]])
    assert np.flatnonzero(~np.isnan(found.points[1, :, 0])).tolist() == sorted([NOSE, LEFT])


@pytest.mark.parametrize("kind", KINDS)
def test_confidence_is_the_detectors(kind: str, write: Write) -> None:
    root = write({"a.json": KINDS[kind]})
    track = read_results(root / "a.json", read_map(root / "keypoints.json")).tracks[""]
    assert track.confidence[1, [NOSE, LEFT]].tolist() == [0.9, 0.7]
    assert np.isnan(track.confidence[1, RIGHT])


def test_people_are_told_apart_by_track_id_or_idx(write: Write, read_tree: Read) -> None:
    entries = [person(1, track_id=2.0), person(1, track_id="b"), person(2, idx=3, track_id="b")]
    found = read_tree(write({"a.json": entries}))
    assert {name: s.frame_number.tolist() for name, s in found.items()} == {"a:2": [1], "a:b": [1, 2]}
    entries = [person("1.jpg", idx=4), person("2.jpg", idx=[4.0]), person("3.jpg", idx=[[4.0], [9.0]])]
    assert {name: s.frame_number.tolist() for name, s in read_tree(write({"a.json": entries})).items()} == {
        "a:4": [1, 2, 3]
    }


def test_where_alphapose_followed_nobody_an_idx_tells_nothing(write: Write, read_tree: Read) -> None:
    alone = [person("1.jpg", idx=[0.0]), person("2.jpg", idx=[[0.0], [0.0]])]
    assert list(read_tree(write({"a.json": alone}))) == ["a"]
    far = [number + 500 * (i % 3 == 0) for i, number in enumerate(POSE)]
    several = [person("1.jpg", idx=[0.0]), person("1.jpg", far, idx=[[0.0], [0.0]]), person("2.jpg", idx=[0.0])]
    root = write({"a.json": several})
    about = read_map(root / "keypoints.json", Linking)
    tracks = read_results(root / "a.json", about).tracks
    assert {name: track.frame_number.tolist() for name, track in tracks.items()} == {"1": [1, 2], "2": [1]}
    assert [entry["track_id"] for entry in results_with(root / "a.json", about, tracks)] == [1, 2, 1]


def test_one_idx_that_is_not_0_shows_that_people_were_followed(write: Write, read_tree: Read) -> None:
    entries = [person("1.jpg", idx=[0.0]), person("1.jpg", idx=[1.0]), person("2.jpg", idx=[0.0])]
    found = read_tree(write({"a.json": entries}))
    assert {name: s.frame_number.tolist() for name, s in found.items()} == {"a:0": [1, 2], "a:1": [1]}


@pytest.mark.parametrize(("numbers", "first"), [([1, 2, 3], 1), ([6, 7], 1), ([0, 1, 2], 0)])
def test_a_demo_of_mmpose_counts_frames_from_1_unless_one_is_0(numbers: list[int], first: int, write: Write) -> None:
    root = write({"a.json": demo([mmpose(number, POSE) for number in numbers])})
    found = read_results(root / "a.json", read_map(root / "keypoints.json"))
    assert (found.first, found.tracks[""].frame_number.tolist()) == (first, numbers)
    root = write({"a.json": [mmpose(number, POSE) for number in numbers]})
    assert read_results(root / "a.json", read_map(root / "keypoints.json")).first == 0


def test_joints_that_mmpose_names_are_those(write: Write, read_tree: Read) -> None:
    names = ["left_hip", "nose", "hip_r", "left_eye"]
    found = read_tree(write({"a.json": demo([mmpose(1, POSE)], names)}))["a"]
    np.testing.assert_array_equal(found.points[0, [LEFT, NOSE]], [[10, 20], [1, 1]])
    with pytest.raises(BadInputError, match=r"a\.json: meta_info\.keypoint_id2name: expected joints .* found tail"):
        read_tree(write({"a.json": demo([mmpose(1, POSE)], [*names[:3], "tail"])}))


@pytest.mark.parametrize("meta", [None, 3, {}, {"keypoint_id2name": {"1": "nose"}}, {"keypoint_id2name": {"0": 7}}])
def test_where_mmpose_names_no_joints_they_are_those_of_the_map(meta: Any, write: Write, read_tree: Read) -> None:
    content = {"meta_info": meta, "instance_info": [mmpose(1, POSE)]}
    found = read_tree(write({"a.json": content}))["a"]
    np.testing.assert_array_equal(found.points[0, [NOSE, LEFT]], [[10, 20], [30, 40]])


@pytest.mark.parametrize("nothing", [None, [], [[]], -1])
def test_whom_nobody_followed_has_no_name(nothing: Any, write: Write, read_tree: Read) -> None:
    entries = [person("1.jpg", idx=nothing), person("2.jpg", idx=0), person("3.jpg", track_id=-1)]
    assert read_tree(write({"a.json": entries}))["a"].frame_number.tolist() == [1, 2, 3]


def test_a_pose_without_joints_needs_no_name(write: Write, read_tree: Read) -> None:
    """As `results_with` leaves it where people were linked."""
    entries = [person(1, track_id=1), person(1, [0] * 12), person(2, track_id=1), person(2, [0] * 12)]
    root = write({"a.json": entries})
    assert {name: s.frame_number.tolist() for name, s in read_tree(root).items()} == {"a:1": [1, 2]}
    for kind in (JointMap, Linking):
        tracks = read_results(root / "a.json", read_map(root / "keypoints.json", kind)).tracks
        assert {name: track.frame_number.tolist() for name, track in tracks.items()} == {"1": [1, 2]}


def test_an_idx_of_instances_is_heeded(write: Write, read_tree: Read) -> None:
    both = mmpose(3, POSE, POSE)
    for number, instance in enumerate(both["instances"], start=1):
        instance["idx"] = number
    assert list(read_tree(write({"a.json": [both]}))) == ["a:1", "a:2"]


def test_instances_with_a_track_id_are_several_people(write: Write, read_tree: Read) -> None:
    both = mmpose(3, POSE, POSE)
    for number, instance in enumerate(both["instances"]):
        instance["track_id"] = number
    found = read_tree(write({"a.json": [both, mmpose(4)]}))
    assert {name: s.frame_number.tolist() for name, s in found.items()} == {"a:0": [3], "a:1": [3]}


def test_a_frame_is_the_last_number_of_a_name_but_for_its_ending(write: Write, read_tree: Read) -> None:
    entries = [person("cam1/take2_0012.jp2"), person("take2.0013"), person(14.0), person(15, frame_id=None)]
    assert read_tree(write({"a.json": entries}))["a"].frame_number.tolist() == [12, 13, 14, 15]


FAULTS: dict[str, tuple[Any, str]] = {
    "no object": ([person(1), 7], r"\[1\]: expected an object, found 7"),
    "no frame": ([person(None)], r"\[0\]\.image_id: expected a frame from 0 to .*, found None"),
    "frame true": ([person(True)], r"\[0\]\.image_id: expected a frame"),
    "frame negative": ([person(1), mmpose(-1)], r"\[1\]\.frame_id: expected a frame .*found -1"),
    "no digits": ([person("a.jpg")], r"\[0\]\.image_id: .* digits in a name, found 'a.jpg'"),
    "track": ([person(1, track_id=1.5)], r"\[0\]\.track_id: expected a number or text, found 1\.5"),
    "track empty": ([person(1, track_id="")], r"\[0\]\.track_id: "),
    "idx": ([person(1, idx=[[{}]])], r"\[0\]\.idx: expected a number or text, found dict"),
    "joints": ([person(1, POSE[:9])], r"\[0\]\.keypoints: expected x, y, confidence of 4 joints, found 9 numbers; key"),
    "text": ([person(1, ["1", *POSE[1:]])], r"\[0\]\.keypoints: expected numbers"),
    "no keypoints": ([{"image_id": 1}], r"\[0\]\.keypoints: .* found None"),
    "two people": ([person(1), person(1)], r"\[1\]: expected one person .* frame 1; track them first"),
    "twice": ([person(1, idx=2), person(1, idx=2)], r"\[1\]: expected each person once in a frame, found '2' again"),
    "not followed": ([person(1, idx=0), person(1, idx=0)], r"\[1\]: expected one person in a frame without track_id"),
    "demo, no list": ({"meta_info": {}, "instance_info": 3}, "instance_info: expected a list, found 3"),
    "demo, of an image": (demo(mmpose(1, POSE)["instances"]), r"instance_info\[0\]\.image_id: expected a frame from 0"),
    "times": (
        [person("12_04_17.738.jpg"), person("12_04_18.102.jpg")],
        "image_id: expected names that number the frames, found '12_04_18.102.jpg' before '12_04_17.738.jpg'",
    ),
    "pairs alone": (
        [person(1, [[1, 2]] * 4)],
        r"\[0\]\.keypoints: .* of 4 joints, found 4 lists$",
    ),
    "some tracked": ([person(1, track_id=1), person(2)], "track_id, idx: expected one for all people or for none"),
    "two instances": (
        [mmpose(3, POSE, POSE)],
        r"\[0\]\.instances\[1\]: expected one person .*, found another in frame 3",
    ),
    "two cameras": (
        [person("cam1_12.jpg", idx=1), person("cam2_12.jpg", idx=2)],
        r"\[1\]\.image_id: expected 'cam1_12.jpg' for this frame, found 'cam2_12.jpg'; a file is one video",
    ),
    "one image": ([{"keypoints": [[1, 2]] * 4, "keypoint_scores": [1] * 4}], r"\[0\]\.image_id: expected a frame"),
    "instances": ([person(1), {"frame_id": 0, "instances": [3]}], r"\[1\]\.instances: expected a list of objects"),
    "pairs": (
        [{"frame_id": 0, "instances": [{"keypoints": [[1, 2, 3]] * 4, "keypoint_scores": [1] * 4}]}],
        r"\[0\]\.instances\[0\]\.keypoints: expected pairs of x and y, and as many keypoint_scores",
    ),
    "scores": (
        [{"frame_id": 0, "instances": [{"keypoints": [[1, 2]] * 4, "keypoint_scores": [1] * 3}]}],
        r"\[0\]\.instances\[0\]\.keypoints: expected pairs",
    ),
    "nobody": ([mmpose(3)], "expected at least one pose, found none"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_told_by_its_place(kind: str, write: Write, read_tree: Read) -> None:
    content, word = FAULTS[kind]
    with pytest.raises(BadInputError, match=rf"a\.json: {word}") as caught:
        read_tree(write({"a.json": content}))
    assert len(caught.value.faults) == 1


def test_all_faults_are_listed_and_other_json_is_refused(write: Write, read_tree: Read, tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as caught:
        read_tree(write({"a.json": [person(1), 3, person(None), person(1)]}))
    assert len(caught.value.faults) == 3
    with pytest.raises(BadInputError, match=r"a\.json: expected JSON with unique keys"):
        read_tree(write({"a.json": '[{"image_id": 1, "image_id": 2}]'}))
    (tmp_path / "b.json").write_text("7")
    with pytest.raises(BadInputError, match=r"b\.json: expected a list, found 7"):
        read_results(tmp_path / "b.json", JointMap(joints={"nose": "nose"}))


@pytest.mark.parametrize("kind", KINDS)
def test_other_points_are_all_that_changes(kind: str, write: Write) -> None:
    root = write({"a.json": KINDS[kind]})
    path, about = root / "a.json", read_map(root / "keypoints.json")
    track = read_results(path, about).tracks[""]
    points = track.points + np.asarray([0.25, 0.5])
    points[1, NOSE] = np.nan
    found = results_with(path, about, {"": replace(track, points=points)})
    moved = [10.25, 20.5, 0.9, 1, 1, 0.8, 30.25, 40.5, 0.7, 50, 60, 0]
    lost = [0, 0, 0, *moved[3:]]
    assert (
        found
        == {
            "COCO": [person(9, lost), person(7, moved)],
            "AlphaPose, a person": [person("7.jpg", moved, box=[1, 2, 3, 4]), person("9.jpg", lost)],
            "MMPose": [mmpose(7, moved), mmpose(8), mmpose(9, lost)],
            "MMPose's demo": demo([mmpose(7, moved), mmpose(8), mmpose(9, lost)]),
        }[kind]
    )
