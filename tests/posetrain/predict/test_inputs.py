"""Whose joints a detector's file has that does not name them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from posedata.errors import BadInputError
from posedata.skeleton import COCO_NAMES, INDEX, KEYPOINTS
from posetrain.predict.inputs import Given, open_input

CPU = torch.device("cpu")

HALPE = {20: "left_foot_index", 21: "right_foot_index", 24: "left_heel", 25: "right_heel"}
"""As Halpe numbers them: LBigToe, RBigToe, LHeel, RHeel."""

WHOLEBODY = {17: "left_foot_index", 19: "left_heel", 20: "right_foot_index", 22: "right_heel"}
"""As COCO-WholeBody numbers them: the big toe, the small toe and the heel of either foot."""

SKELETONS: dict[int, dict[int, str]] = {17: {}, 26: HALPE, 133: WHOLEBODY, 136: HALPE}
FEET = ["left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"]


def pose(count: int) -> list[float]:
    """Joint i at 100 + i, 200 + i."""
    return [number for i in range(count) for number in (100.0 + i, 200.0 + i, 0.9)]


def results(count: int) -> Any:
    return [{"image_id": f"{n}.jpg", "category_id": 1, "keypoints": pose(count), "idx": [0.0]} for n in range(3)]


def demo(count: int, names: list[str]) -> Any:
    points = np.reshape(pose(count), (count, 3))
    instance = {"keypoints": points[:, :2].tolist(), "keypoint_scores": points[:, 2].tolist()}
    meta = {"keypoint_id2name": {str(i): name for i, name in enumerate(names)}}
    return {"meta_info": meta, "instance_info": [{"frame_id": n, "instances": [instance]} for n in (1, 2, 3)]}


def opened(content: Any, folder: Path) -> Given:
    (folder / "in.json").write_text(json.dumps(content))
    return open_input(folder / "in.json", (), CPU)


def joints_of(given: Given) -> dict[str, int]:
    """Keypoint -> number of the joint that it was."""
    (person,) = given.people
    assert person.points is not None
    assert len(person.frame_number) == 3
    x = person.points[0, :, 0]
    return {KEYPOINTS[i]: round(x[i]) - 100 for i in np.flatnonzero(~np.isnan(x))}


def expected(count: int) -> dict[str, int]:
    of_coco = {name: i for i, name in enumerate(COCO_NAMES) if name in INDEX}
    return of_coco | {name: i for i, name in SKELETONS[count].items()}


@pytest.mark.parametrize("count", SKELETONS)
def test_joints_without_names_are_those_of_the_skeleton_that_has_so_many(count: int, tmp_path: Path) -> None:
    assert joints_of(opened(results(count), tmp_path)) == expected(count)
    points = np.reshape(pose(count), (1, count, 3))[..., :2].repeat(3, axis=0)
    np.savez(tmp_path / "in.npz", points=points)
    assert joints_of(open_input(tmp_path / "in.npz", (), CPU)) == expected(count)


@pytest.mark.parametrize(
    ("count", "more"), [(17, []), (133, [*FEET, *(f"face-{i}" for i in range(68)), *(f"hand{i}" for i in range(42))])]
)
def test_joints_that_mmpose_names_as_coco_does_are_known(count: int, more: list[str], tmp_path: Path) -> None:
    assert joints_of(opened(demo(count, [*COCO_NAMES, *more]), tmp_path)) == expected(count)


def test_names_go_before_their_number(tmp_path: Path) -> None:
    own = ["left_heel", "right_heel", "left_foot_index", "right_foot_index", "left_pinky", "right_pinky"]
    own += ["left_index", "right_index", "left_thumb"]
    assert joints_of(opened(demo(26, [*COCO_NAMES, *own]), tmp_path)) == expected(17) | {
        name: 17 + i for i, name in enumerate(own)
    }


def test_frames_are_called_and_shown_as_the_file_numbers_them(tmp_path: Path) -> None:
    (of_demo,), (of_list,) = (opened(content, tmp_path).people for content in (demo(17, [*COCO_NAMES]), results(17)))
    assert (of_demo.first, of_demo.frame_number.tolist()) == (1, [1, 2, 3])
    assert (of_list.first, of_list.frame_number.tolist()) == (0, [0, 1, 2])


def test_a_joint_map_in_or_beside_a_folder_of_openpose_is_heeded(tmp_path: Path) -> None:
    folder = tmp_path / "film"
    folder.mkdir()
    for n in range(3):
        content = {"people": [{"pose_keypoints_2d": pose(25)}]}
        (folder / f"a_{n}_keypoints.json").write_text(json.dumps(content))
    assert np.isnan(open_input(folder, (), CPU).people[0].fps)
    (tmp_path / "keypoints.json").write_text(json.dumps({"fps": 50}))
    assert open_input(folder, (), CPU).people[0].fps == 50
    (folder / "keypoints.json").write_text(json.dumps({"fps": 25, "width": 640}))
    found = open_input(folder, (), CPU)
    assert (found.people[0].fps, found.width) == (25, 640)


def test_an_input_of_that_name_is_no_joint_map(tmp_path: Path) -> None:
    (tmp_path / "keypoints.json").write_text(json.dumps(results(17)))
    assert joints_of(open_input(tmp_path / "keypoints.json", (), CPU)) == expected(17)


@pytest.mark.parametrize(
    "keypoints", [[[1.0, 2.0, 0.5]] * 17, [[1.0, 2.0]] * 17, [1.0] * 34, [1.0] * 50, [], None], ids=str
)
def test_what_is_no_row_of_joints_is_told_so(keypoints: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"\[0\]\.keypoints: expected x, y, confidence of 17 joints, found [^;]*$"):
        opened([{"image_id": 1, "keypoints": keypoints}], tmp_path)


def test_joints_that_mmpose_names_otherwise_are_taken_by_their_names(tmp_path: Path) -> None:
    assert joints_of(opened(demo(2, ["right_hip", "nose"]), tmp_path)) == {"right_hip": 0, "nose": 1}
    with pytest.raises(BadInputError, match=r"in\.json: meta_info\.keypoint_id2name: .* found root; keypoints\.json"):
        opened(demo(2, ["root", "nose"]), tmp_path)
    (tmp_path / "keypoints.json").write_text(json.dumps({"joints": {"root": None, "nose": "nose"}}))
    assert joints_of(opened(demo(2, ["root", "nose"]), tmp_path)) == {"nose": 1}


def test_a_skeleton_that_nobody_knows_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"in\.json: expected poses of 17 .*, found 19; name yours") as caught:
        opened(results(19), tmp_path)
    assert len(caught.value.faults) == 1
    (tmp_path / "keypoints.json").write_text(json.dumps({"joints": {f"{i}": None for i in range(18)} | {"n": "nose"}}))
    assert joints_of(opened(results(19), tmp_path)) == {"nose": 18}


def test_a_list_of_frames_without_anybody_names_no_skeleton(tmp_path: Path) -> None:
    for content in ([{"frame_id": 0, "instances": []}], [{"image_id": 1, "instances": 3}, 7], demo(17, [])):
        if isinstance(content, dict):
            content["instance_info"] = []
        with pytest.raises(BadInputError, match=r"in\.json: "):
            opened(content, tmp_path)
