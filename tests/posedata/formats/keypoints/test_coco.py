"""COCO files."""

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata.errors import BadInputError
from posedata.formats.keypoints.coco import coco_with, read_coco
from posedata.formats.keypoints.jointmap import read_map
from posedata.poses import PoseSequence
from posedata.skeleton import INDEX

Write = Callable[..., Path]
Read = Callable[[Path], dict[str, PoseSequence]]

NOSE, LEFT, RIGHT = INDEX["nose"], INDEX["left_hip"], INDEX["right_hip"]
POSE = [10, 20, 2, 1, 1, 2, 30, 40, 1, 50, 60, 2]
"""Of the joints nose, left_eye, left_hip, hip_r."""


def image(number: int, **other: Any) -> dict[str, Any]:
    return {"id": number, "file_name": f"v2/img_{number:06d}.jpg"} | other


def person(number: int, pose: list[Any] = POSE, **other: Any) -> dict[str, Any]:
    return {"image_id": number, "keypoints": pose} | other


def coco(images: list[Any], annotations: list[Any], **other: Any) -> dict[str, Any]:
    return {"images": images, "annotations": annotations} | other


def test_frames_come_from_the_names_of_the_images_in_any_order(write: Write, read_tree: Read) -> None:
    later = [n + 5 for n in POSE]
    content = coco([image(12), image(7), image(9)], [person(7), person(12, later)])
    found = read_tree(write({"a.json": content}))["a"]
    assert found.frame_number.tolist() == [7, 12]  # no person in image 9: a gap
    np.testing.assert_array_equal(found.points[0, [NOSE, LEFT, RIGHT]], [[10, 20], [30, 40], [50, 60]])
    np.testing.assert_array_equal(found.points[1, [NOSE, LEFT, RIGHT]], [[15, 25], [35, 45], [55, 65]])
    assert (~np.isnan(found.points[..., 0])).sum() == 6  # the eye is dropped


def test_frame_id_goes_before_the_name(write: Write, read_tree: Read) -> None:
    content = coco([image(7, frame_id=3), {"id": "x", "frame_id": 4}], [person(7), person("x")])  # type: ignore[arg-type]
    assert read_tree(write({"a.json": content}))["a"].frame_number.tolist() == [3, 4]


def test_people_are_told_apart_by_their_tracks(write: Write, read_tree: Read) -> None:
    moved = [n + 100 for n in POSE]
    annotations = [person(1, track_id=4), person(1, moved, track_id="b"), person(2, moved, track_id="b")]
    found = read_tree(write({"a.json": coco([image(1), image(2)], annotations)}))
    assert {name: s.frame_number.tolist() for name, s in found.items()} == {"a:4": [1], "a:b": [1, 2]}
    assert found["a:b"].points[0, NOSE].tolist() == [110, 120]
    assert {s.video for s in found.values()} == {"a"}


def test_v_0_and_numbers_that_are_not_finite_are_missing(write: Write, read_tree: Read) -> None:
    pose = [10, 20, 0, 0, 0, 0, math.inf, 40, 2, 50, 60, 0.3]
    found = read_tree(write({"a.json": coco([image(1)], [person(1, pose)])}))["a"]
    assert np.flatnonzero(~np.isnan(found.points[0, :, 0])).tolist() == [RIGHT]
    pose[6] = 10**400
    found = read_tree(write({"a.json": coco([image(1)], [person(1, pose)])}))["a"]
    assert np.flatnonzero(~np.isnan(found.points[0, :, 0])).tolist() == [RIGHT]


def test_the_least_confidence_may_ask_for_what_is_visible(write: Write, read_tree: Read) -> None:
    found = read_tree(write({"a.json": coco([image(1)], [person(1)])}, confidence=2))["a"]
    assert sorted(np.flatnonzero(~np.isnan(found.points[0, :, 0])).tolist()) == sorted([NOSE, RIGHT])


def test_names_of_the_category_decide_on_the_joints(write: Write, read_tree: Read) -> None:
    categories = [{"id": 3, "keypoints": ["hip_r", "nose"]}, {"id": 1, "name": "ball"}]
    content = coco(
        [image(1), image(2)], [person(1, [5, 6, 2, 7, 8, 2], category_id=3), person(2)], categories=categories
    )
    found = read_tree(write({"a.json": content}))["a"]
    assert (found.points[0, RIGHT].tolist(), found.points[0, NOSE].tolist()) == ([5, 6], [7, 8])
    assert found.points[1, RIGHT].tolist() == [50, 60]  # without a category: the map's order


def test_crowds_and_what_is_no_person_are_left_out_and_counted(write: Write, read_tree: Read) -> None:
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "dog", "keypoints": ["tail"]}, {"name": "?", "id": []}]
    others = [{"image_id": 1, "category_id": 2, "bbox": [0, 0, 5, 5]}, {"image_id": 1, "iscrowd": 1}]
    annotations = [person(1, track_id=n, category_id=1) for n in (5, 6)]
    found = read_tree(write({"a.json": coco([image(1)], [*others, *annotations], categories=categories)}))
    assert {name: tuple(map(str, s.notes)) for name, s in found.items()} == {
        "a:5": ("2 annotations of crowds, or of no person: left out",),
        "a:6": (),
    }
    with pytest.raises(BadInputError, match=r"pose of a person, found none; 2 annotations of crowds, or of no person"):
        read_tree(write({"a.json": coco([image(1)], others, categories=categories)}))
    with pytest.raises(BadInputError, match=r"annotations\[0\]\.keypoints: expected"):  # where nobody is called person
        read_tree(write({"a.json": coco([image(1)], others, categories=[{"id": 2, "name": "dog"}])}))


def test_points_below_the_confidence_are_counted(write: Write, read_tree: Read) -> None:
    pose = [10, 20, 0.5, 1, 1, 0.2, 30, 40, 0.1, 50, 60, 0.9]  # the eye is no keypoint
    found = read_tree(write({"a.json": coco([image(1)], [person(1, pose)])}, confidence=0.4))["a"]
    told = "1 points below the least confidence: taken as not annotated"
    assert tuple(map(str, found.notes)) == (told,)
    assert sorted(np.flatnonzero(~np.isnan(found.points[0, :, 0])).tolist()) == sorted([NOSE, RIGHT])


def test_a_mark_of_byte_order_is_passed_over_and_a_track_may_be_a_whole_float(write: Write, read_tree: Read) -> None:
    text = "\ufeff" + json.dumps(coco([image(1)], [person(1, track_id=7.0)]))
    assert list(read_tree(write({"a.json": text}))) == ["a:7"]


def test_num_keypoints_counts_what_is_left(write: Write) -> None:
    root = write({"a.json": coco([image(1)], [person(1, num_keypoints=4), {"image_id": 1, "iscrowd": 1}])})
    about = read_map(root / "keypoints.json")
    track = read_coco(root / "a.json", about).tracks[""]
    points = track.points.copy()
    points[0, NOSE] = np.nan
    (moved, crowd) = coco_with(root / "a.json", about, {"": replace(track, points=points)})["annotations"]
    assert (moved["num_keypoints"], moved["keypoints"][:3]) == (3, [0, 0, 0])
    assert crowd == {"image_id": 1, "iscrowd": 1}


def test_the_images_own_size_counts(write: Write, read_tree: Read) -> None:
    images = [image(n, width=45, height=100) for n in (1, 2)]
    found = read_tree(write({"a.json": coco(images, [person(1), person(2)])}, width=5000, height=5000))["a"]
    assert np.isnan(found.points[:, RIGHT]).all()
    assert tuple(map(str, found.notes)) == ("2 points outside the image: taken as not annotated",)


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no images": ({"annotations": []}, "images: expected a list, found None"),
    "no annotations": ({"images": []}, "annotations: expected a list, found None"),
    "nobody": (coco([image(1)], []), "expected at least one pose, found none"),
    "image no object": (coco([7], []), r"images\[0\]: expected an object, found 7"),
    "image id": (coco([{"file_name": "1.png"}], []), r"images\[0\]\.id: expected .*found None"),
    "image id a list": (coco([{"id": [1], "file_name": "1.png"}], []), r"images\[0\]\.id: expected .*found list"),
    "image id twice": (coco([image(1), image(1)], []), r"images\[1\]\.id: .*no other image has, found 1"),
    "no digits": (
        coco([{"id": 1, "file_name": "7/x.png"}], []),
        r"images\[0\]: expected frame_id .*None and '7/x.png'",
    ),
    "frame_id": (coco([image(1, frame_id=-1)], []), r"images\[0\]: expected frame_id from 0 to .*found -1"),
    "frame_id true": (coco([image(1, frame_id=True)], []), r"images\[0\]: expected frame_id"),
    "many digits": (coco([{"id": 1, "file_name": "9" * 5000}], []), r"images\[0\]: expected frame_id"),
    "two videos": (coco([image(1), image(2, frame_id=1)], []), r"images\[1\]: expected each frame once, found 1 again"),
    "size": (coco([image(1, width=0)], []), r"images\[0\]\.width: expected pixels, found 0"),
    "two sizes": (
        coco([image(1, width=9), image(2, width=8)], []),
        r"images\[1\]\.width: expected 9 as before, found 8",
    ),
    "annotation": (coco([image(1)], ["x"]), r"annotations\[0\]: expected an object, found 'x'"),
    "image_id": (coco([image(1)], [person(2)]), r"annotations\[0\]\.image_id: expected the id of an image, found 2"),
    "track_id": (coco([image(1)], [person(1, track_id=1.5)]), r"annotations\[0\]\.track_id: .*found 1\.5"),
    "track_id empty": (coco([image(1)], [person(1, track_id="")]), r"annotations\[0\]\.track_id: "),
    "no keypoints": (
        coco([image(1)], [{"image_id": 1}]),
        r"annotations\[0\]\.keypoints: expected .* 4 joints, found None",
    ),
    "too few": (coco([image(1)], [person(1, POSE[:9])]), r"annotations\[0\]\.keypoints: .*4 joints, found 9 numbers"),
    "text": (coco([image(1)], [person(1, ["1", *POSE[1:]])]), r"annotations\[0\]\.keypoints: expected numbers"),
    "true": (coco([image(1)], [person(1, [True, *POSE[1:]])]), r"annotations\[0\]\.keypoints: expected numbers"),
    "two people": (
        coco([image(1)], [person(1), person(1)]),
        r"annotations\[1\]\.image_id: expected one person .*frame 1",
    ),
    "person twice": (
        coco([image(1)], [person(1, track_id=3), person(1, track_id=3)]),
        r"annotations\[1\]\.track_id: expected each person once in an image, found 3 again in frame 1",
    ),
    "some tracks": (coco([image(1), image(2)], [person(1, track_id=3), person(2)]), "track_id: expected one for all"),
    "categories": (coco([image(1)], [person(1)], categories={}), "categories: expected a list, found dict"),
    "category names": (
        coco([image(1)], [], categories=[{"id": 1, "keypoints": "nose"}]),
        r"categories\[0\]\.keypoints: expected names, found 'nose'",
    ),
    "category unknown joint": (
        coco([image(1)], [], categories=[{"id": 1, "keypoints": ["nose", "beak"]}]),
        r"categories\[0\]\.keypoints: expected joints that are known .*found beak",
    ),
    "category joint twice": (
        coco([image(1)], [], categories=[{"id": 1, "keypoints": ["nose", "nose"]}]),
        r"categories\[0\]\.keypoints: expected each joint once",
    ),
    "category id": (coco([image(1)], [], categories=[{"keypoints": ["nose"]}]), r"categories\[0\]\.id: "),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_told_by_its_place(kind: str, write: Write, read_tree: Read) -> None:
    content, word = FAULTS[kind]
    with pytest.raises(BadInputError, match=rf"a\.json: {word}") as caught:
        read_tree(write({"a.json": content}))
    assert len(caught.value.faults) <= 2
    assert all(len(fault) < 500 for fault in caught.value.faults)


def test_all_faults_are_listed(write: Write, read_tree: Read) -> None:
    content = coco([image(1), 3, image(1)], [])
    with pytest.raises(BadInputError) as caught:
        read_tree(write({"a.json": content}))
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize("text", ["3", '{"images": [], "images": []}', "{", '{"a":' * 100_000])
def test_other_json_is_refused(text: str, write: Write, read_tree: Read) -> None:
    with pytest.raises(BadInputError, match=r"a\.json: expected"):
        read_tree(write({"a.json": text}))


def test_faults_of_an_image_come_in_one_order(tmp_path: Path) -> None:
    """Whatever order sets have, which is another in every process; a manifest lists them."""
    (tmp_path / "a.json").write_text(json.dumps(coco([image(1, height=0, width=0)], [])))
    code = f"""
from pathlib import Path
from posedata.errors import BadInputError
from posedata.formats.keypoints.coco import read_coco
from posedata.formats.keypoints.jointmap import JointMap
try:
    read_coco(Path({str(tmp_path / "a.json")!r}), JointMap(joints={{"nose": "nose"}}))
except BadInputError as error:
    print([fault.split("images[0].")[1][:6] for fault in error.faults])
"""
    for seed in ("0", "5"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        told = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
        assert told == "['width:', 'height']\n"


def test_frames_of_posetrack_are_those_of_its_file_names(write: Callable[..., Path], read_tree: Read) -> None:
    """Its frame_id is the number of the video before that of the frame."""
    images = [{"id": n, "frame_id": 10_003_420_000 + n, "file_name": f"val/000342_mpii/{n:06d}.jpg"} for n in (3, 4)]
    people = [{"image_id": n, "track_id": 0, "keypoints": [1, 2, 1] * 4} for n in (3, 4)]
    found = read_tree(write({"a.json": {"images": images, "annotations": people}}))
    assert found["a:0"].frame_number.tolist() == [3, 4]
