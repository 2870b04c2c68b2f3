"""COCO's annotation files: what is read, what is left out, and every fault by its field."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata.crops.annotations import CROWD, NOBODY, OTHER, read_annotations
from posedata.errors import BadInputError
from posedata.skeleton import COCO_NAMES

Content = dict[str, Any]


def content() -> Content:
    """An image, a person with three labelled keypoints, a crowd, one without keypoints, and a dog."""
    keypoints = [0] * 51
    keypoints[0:3], keypoints[15:18], keypoints[48:51] = (100, 50, 2), (90, 80.5, 1), (110, 200, 2)
    person = {"id": 7, "image_id": 3, "category_id": 1, "iscrowd": 0, "bbox": [80, 40, 40, 170], "keypoints": keypoints}
    crowd = person | {"id": 8, "iscrowd": 1, "segmentation": {"counts": [1, 2], "size": [240, 320]}}
    return {
        "images": [{"id": 3, "file_name": "a.jpg", "width": 320, "height": 240}],
        "annotations": [
            person,
            crowd,
            person | {"id": 9, "keypoints": [0] * 51},
            person | {"id": 10, "category_id": 18},
        ],
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO_NAMES)}, {"id": 18, "name": "dog"}],
    }


def read(folder: Path, told: Content, skip_bad: bool = False) -> Any:
    path = folder / "person_keypoints_a.json"
    path.write_text(json.dumps(told))
    return read_annotations(path, skip_bad)


def test_people_and_what_is_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, content())
    (person,) = found.people
    assert (person.key, person.image) == (7, 3)
    np.testing.assert_array_equal(person.box, [80, 40, 40, 170])
    np.testing.assert_array_equal(np.flatnonzero(person.visibility), [0, 5, 16])
    assert person.visibility[[0, 5, 16]].tolist() == [2, 1, 2]
    np.testing.assert_array_equal(person.points[5], [90, 80.5])
    assert np.isnan(person.points[1]).all()  # x = y = v = 0 is no corner
    assert dict(found.left_out) == {CROWD: [8], NOBODY: [9], OTHER: [10]}
    assert found.images[3] == (3, "a.jpg", 320, 240)


def person_with(**fields: Any) -> Callable[[Content], object]:
    return lambda told: told["annotations"][0].update(fields)


def image_with(**fields: Any) -> Callable[[Content], object]:
    return lambda told: told["images"][0].update(fields)


def keypoint(position: int, value: object) -> Callable[[Content], object]:
    return lambda told: told["annotations"][0]["keypoints"].__setitem__(position, value)


FAULTS: dict[str, tuple[Callable[[Content], object], str]] = {
    "too few keypoints": (person_with(keypoints=[0] * 48), "annotation 7: keypoints: expected 51 numbers, found 48"),
    "no keypoints": (person_with(keypoints=None), "annotation 7: keypoints: expected 51 numbers, found nothing"),
    "NaN": (keypoint(1, float("nan")), "annotation 7: keypoints[1]: expected a number, found nan"),
    "infinite": (keypoint(0, float("-inf")), "annotation 7: keypoints[0]: expected a number, found -inf"),
    "text": (keypoint(0, "12"), "annotation 7: keypoints[0]: expected a number, found '12'"),
    "truth": (keypoint(2, True), "annotation 7: keypoints[2]: expected a number, found True"),
    "v of 3": (keypoint(2, 3), "annotation 7: keypoints: expected v of 0, 1 or 2"),
    "v of a half": (keypoint(2, 0.5), "annotation 7: keypoints: expected v of 0, 1 or 2"),
    "short box": (person_with(bbox=[1, 2, 3]), "annotation 7: bbox: expected 4 numbers, found 3"),
    "flat box": (person_with(bbox=[1, 2, 0, 3]), "annotation 7: bbox: expected x, y, width, height of a box in"),
    "box outside": (person_with(bbox=[300, 40, 30, 50]), "in an image of 320 x 240 pixels, found [300, 40, 30, 50]"),
    "box above": (person_with(bbox=[30, -5, 30, 50]), "annotation 7: bbox: expected"),
    "crowd of 2": (person_with(iscrowd=2), "annotation 7: iscrowd: expected 0 or 1, found 2"),
    "no such image": (
        person_with(image_id=4),
        "annotation 7: image_id: expected that of an image of the file, found 4",
    ),
    "list for a category": (person_with(category_id=[1]), "annotation 7: category_id: expected a whole number"),
    "id twice": (lambda told: told["annotations"][1].update(id=7), "annotation 7: id: expected each once"),
    "id of text": (person_with(id="7"), "annotations[0]: expected an object with a whole number as id"),
    "no object": (lambda told: told["annotations"].append(5), "annotations[4]: expected an object"),
    "image twice": (lambda told: told["images"].append(told["images"][0]), "image 3: id: expected each once"),
    "way out": (image_with(file_name="../a.jpg"), "image 3: file_name: expected a plain path"),
    "absolute": (image_with(file_name="/a.jpg"), "image 3: file_name: expected a plain path"),
    "no name": (image_with(file_name=""), "image 3: file_name: expected a plain path"),
    "no width": (image_with(width=0), "image 3: width: expected pixels from 1"),
    "half a pixel": (image_with(height=240.5), "image 3: height: expected pixels from 1 to 65536, found 240.5"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_with_file_id_and_field(name: str, tmp_path: Path) -> None:
    told = content()
    change, expected = FAULTS[name]
    change(told)
    with pytest.raises(BadInputError) as caught:
        read(tmp_path, told)
    first = caught.value.faults[0]
    assert first.startswith(f"{tmp_path}/person_keypoints_a.json: ")
    assert expected in first
    found = read(tmp_path, told, skip_bad=True)
    assert f"{tmp_path}/person_keypoints_a.json: {found.faults[0]}" == first


WHOLE: dict[str, tuple[Callable[[Content], object], str]] = {
    "no images": (lambda told: told.pop("images"), "images: expected a list, found nothing"),
    "annotations as object": (lambda told: told.update(annotations={}), "annotations: expected a list, found {}"),
    "nobody": (lambda told: told["categories"].pop(0), "categories: expected one with an id and the name person"),
    "other joints": (
        lambda told: told["categories"][0].update(keypoints=["head"]),
        "categories[0].keypoints: expected nose, left_eye",
    ),
}


@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize("name", WHOLE)
def test_a_file_that_would_be_misread_is_refused_whole(name: str, skip_bad: bool, tmp_path: Path) -> None:
    told = content()
    change, expected = WHOLE[name]
    change(told)
    with pytest.raises(BadInputError) as caught:
        read(tmp_path, told, skip_bad)
    assert expected in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"images": 1, "images": 2}', "\x00"])
def test_broken_json_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(BadInputError, match=r"a\.json: expected"):
        read_annotations(path, skip_bad=True)


def test_many_faults_are_told_in_part(tmp_path: Path) -> None:
    told = content()
    told["annotations"] = [told["annotations"][0] | {"id": i, "bbox": []} for i in range(150)]
    with pytest.raises(BadInputError) as caught:
        read(tmp_path, told)
    assert len(caught.value.faults) == 101
    assert caught.value.faults[-1].endswith("50 faults more")


def test_segmentations_are_not_kept(tmp_path: Path) -> None:
    told = content()
    told["annotations"][0]["segmentation"] = [[1.5] * 100]
    assert len(read(tmp_path, told).people) == 1
