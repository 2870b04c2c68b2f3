"""Boxes in files: what is read, and every fault that is told."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata.errors import BadInputError, ChoiceError
from posetrain.detect.boxes import need_within, read_boxes, write_boxes

HEADER = "frame,x,y,width,height\n"


def table(folder: Path, text: str) -> Path:
    path = folder / "boxes.csv"
    path.write_text(text)
    return path


def coco(folder: Path, annotations: list[Any], images: Any = None) -> Path:
    path = folder / "boxes.json"
    usual = [{"id": 70, "file_name": "a/img_000001.jpg"}, {"id": 71, "file_name": "a/img_000002.jpg"}]
    path.write_text(json.dumps({"images": usual if images is None else images, "annotations": annotations}))
    return path


def plain(people: dict[str, Any]) -> dict[str, dict[int, list[float]]]:
    return {person: {frame: box.tolist() for frame, box in boxes.items()} for person, boxes in people.items()}


def test_a_table_without_people_is_of_one(tmp_path: Path) -> None:
    path = table(tmp_path, "\ufeffframe, x,y,width,height\n".replace(", ", ",") + "4,1,2,3,4.5\n0,-1.5,2,30,40\n")
    assert plain(read_boxes(path)) == {"": {4: [1, 2, 3, 4.5], 0: [-1.5, 2, 30, 40]}}


def test_people_of_a_table_are_told_apart(tmp_path: Path) -> None:
    path = table(tmp_path, "height,width,y,x,person,frame\n4,3,2,1,ann,0\n8,7,6,5,bob,0\n4,3,2,2,ann,1\n")
    assert plain(read_boxes(path)) == {"ann": {0: [1, 2, 3, 4], 1: [2, 2, 3, 4]}, "bob": {0: [5, 6, 7, 8]}}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    people = {
        "1": {0: np.asarray([1.25, 2.5, 3, 4]), 7: np.asarray([1.0, 2, 3, 4])},
        "2": {3: np.asarray([0, 0, 9.0, 9])},
    }
    write_boxes(tmp_path / "b.csv", people.items())
    assert plain(read_boxes(tmp_path / "b.csv")) == plain(people)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("frame,x,y,width\n0,1,2,3\n", "header: expected the columns height, found frame, x, y, width"),
        (
            "frame,x,y,width,height,score\n0,1,2,3,4,1\n",
            "header: expected columns of frame, person, .*, found score too",
        ),
        (HEADER, "expected at least one box, found none"),
        (HEADER + "0,1,2,3\n", "row 1: expected a value for every column"),
        (HEADER + "0,1,2,3,4\n-1,1,2,3,4\n", "row 2: frame: expected a number from 0 to 2147483647, found '-1'"),
        (HEADER + "1.5,1,2,3,4\n", "row 1: frame: expected a number from 0"),
        (HEADER + "0,nan,2,3,4\n", "row 1: x: expected pixels, found nan"),
        (HEADER + "0,1,,3,4\n", "row 1: y: expected pixels, found ''"),
        (HEADER + "0,1,2,inf,4\n", "row 1: width: expected pixels, found inf"),
        (HEADER + "0,1,2,3,tall\n", "row 1: height: expected pixels, found 'tall'"),
        (HEADER + "0,1,2,3,0\n", "row 1: width, height: expected more than 0 pixels, found 3, 0"),
        (HEADER + "0,1,2,-3,4\n", "row 1: width, height: expected more than 0 pixels, found -3, 4"),
        (
            HEADER + "0,1,2,3,4\n0,1,2,3,4\n",
            "row 2: frame: expected one box in a frame where no person tells people apart",
        ),
        ("frame,person,x,y,width,height\n0,,1,2,3,4\n", "row 1: person: expected a name, found none"),
        (
            "frame,person,x,y,width,height\n0,../ann,1,2,3,4\n",
            r"row 1: person: expected letters, digits, .* '\.\./ann'",
        ),
        (
            "frame,person,x,y,width,height\n0,ann,1,2,3,4\n0,ann,1,2,3,4\n",
            "row 2: frame: expected one box in a frame of person ann, found another in frame 0",
        ),
    ],
)
def test_a_fault_of_a_table_is_told_with_its_row_and_field(text: str, fault: str, tmp_path: Path) -> None:
    path = table(tmp_path, text)
    with pytest.raises(BadInputError, match=rf"^{re.escape(str(path))}: {fault}"):
        read_boxes(path)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadInputError) as told:
        read_boxes(table(tmp_path, HEADER + "x,1,2,3,4\n1,1,2,3,4\n2,1,2,nan,4\n"))
    assert [fault.split(": ")[1] for fault in told.value.faults] == ["row 1", "row 3"]


def test_an_absent_file_and_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"none\.csv: expected a readable"):
        read_boxes(tmp_path / "none.csv")
    with pytest.raises(ChoiceError, match=r"boxes\.txt: expected a name that ends in \.csv or \.json"):
        read_boxes(tmp_path / "boxes.txt")


def test_boxes_of_a_coco_file_are_read(tmp_path: Path) -> None:
    annotations = [
        {"image_id": 71, "track_id": 1.0, "bbox": [1, 2, 3, 4], "keypoints": [], "score": 0.5},
        {"image_id": 70, "track_id": 1, "bbox": [0.5, 2, 3, 4]},
        {"image_id": 70, "track_id": "b", "bbox": [9, 9, 9, 9]},
    ]
    assert plain(read_boxes(coco(tmp_path, annotations))) == {
        "1": {2: [1, 2, 3, 4], 1: [0.5, 2, 3, 4]},
        "b": {1: [9, 9, 9, 9]},
    }
    alone = coco(tmp_path, [{"image_id": 5, "bbox": [1, 2, 3, 4]}], [{"id": 5, "frame_id": 0}])
    assert plain(read_boxes(alone)) == {"": {0: [1, 2, 3, 4]}}


@pytest.mark.parametrize(
    ("annotation", "fault"),
    [
        ({"image_id": 9, "bbox": [1, 2, 3, 4]}, r"annotations\[1\]: image_id: expected the id of an image, found 9"),
        ({"image_id": 71, "bbox": [1, 2, 3]}, r"annotations\[1\]: bbox: expected x, y, width, height, found list"),
        ({"image_id": 71, "bbox": [1, 2, 3, None]}, r"annotations\[1\]: height: expected pixels, found None"),
        ({"image_id": 71, "bbox": [1, 2, True, 4]}, r"annotations\[1\]: width: expected pixels, found True"),
        ({"image_id": 71, "bbox": [1, float("nan"), 3, 4]}, r"annotations\[1\]: y: expected pixels, found nan"),
        ({"image_id": 71, "bbox": [10**400, 2, 3, 4]}, r"annotations\[1\]: x: expected pixels, found 1000"),
        ({"image_id": 71, "bbox": [1, 2, 3, 0]}, r"annotations\[1\]: width, height: expected more than 0"),
        (
            {"image_id": 71, "track_id": "", "bbox": [1, 2, 3, 4]},
            r"annotations\[1\]: track_id: expected a number or text",
        ),
        ({"image_id": 71, "track_id": 3, "bbox": [1, 2, 3, 4]}, "annotations: expected a track_id in all or in none"),
        (
            {"image_id": 70, "bbox": [1, 2, 3, 4]},
            r"annotations\[1\]: frame: expected one box in a frame where no track_id",
        ),
    ],
)
def test_a_fault_of_a_coco_file_is_told_with_its_place(annotation: Any, fault: str, tmp_path: Path) -> None:
    path = coco(tmp_path, [{"image_id": 70, "bbox": [1, 2, 3, 4]}, annotation])
    with pytest.raises(BadInputError, match=rf"^{re.escape(str(path))}: {fault}"):
        read_boxes(path)


def test_boxes_fit_their_film(tmp_path: Path) -> None:
    path, film = tmp_path / "b.csv", Path("f.mp4")

    def check(frame: int, *box: float) -> None:
        need_within(path, {"ann": {frame: np.asarray(box)}}, range(10), film, (100, 50))

    check(9, -30, -10, 100, 40)  # over the edge
    check(0, 90, 40, 20, 20)  # its middle is the corner
    with pytest.raises(
        BadInputError, match=r"b\.csv: frame 10, person ann: expected one of f\.mp4 \(0 to 9\), found none"
    ):
        check(10, 1, 1, 5, 5)
    with pytest.raises(
        BadInputError, match=r"frame 2, person ann: expected .* in the 100 x 50 pixels .*, found 101, 25"
    ):
        check(2, 91, 15, 20, 20)
    with pytest.raises(BadInputError, match=r"found 50, -0\.5"):
        check(2, 40, -10.5, 20, 20)
