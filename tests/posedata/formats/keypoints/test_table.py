"""CSV files, a row a joint."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from posedata.errors import BadInputError
from posedata.formats.keypoints import tracks
from posedata.poses import PoseSequence
from posedata.skeleton import INDEX

Write = Callable[..., Path]
Read = Callable[[Path], dict[str, PoseSequence]]


def table(*rows: str, columns: str = "frame,joint,x,y") -> str:
    return "\n".join([columns, *rows]) + "\n"


def test_rows_and_columns_may_come_in_any_order(write: Write, read_tree: Read) -> None:
    rows = ["7,1.5,3,nose", "2,4,3,left_hip", "9,9,3,left_eye", "5,6,1,hip_r", "2.5,1e1,1,nose"]
    found = read_tree(write({"a.csv": table(*rows, columns="y,x,frame,joint")}))["a"]
    assert found.frame_number.tolist() == [1, 3]
    expected = np.full((2, 25, 2), np.nan)
    expected[0, INDEX["nose"]], expected[0, INDEX["right_hip"]] = (10, 2.5), (6, 5)
    expected[1, INDEX["nose"]], expected[1, INDEX["left_hip"]] = (1.5, 7), (4, 2)
    np.testing.assert_array_equal(found.points, expected)


@pytest.mark.parametrize(
    ("x", "y"), [("", ""), ("nan", "1"), ("1", ""), ("inf", "1"), ("1", "-Infinity"), ("1e999", "1")]
)
def test_what_is_empty_or_not_finite_is_missing(x: str, y: str, write: Write, read_tree: Read) -> None:
    found = read_tree(write({"a.csv": table(f"0,nose,{x},{y}", "0,left_hip,1,2", "0,hip_r,3,4")}))["a"]
    assert np.isnan(found.points[0, INDEX["nose"]]).all()
    assert found.points[0, INDEX["left_hip"]].tolist() == [1, 2]


def test_a_file_of_a_spreadsheet_is_read(write: Write, read_tree: Read) -> None:
    text = "\ufeff" + table('0.0,"nose",1,2', "0, left_hip ,3,4").replace("\n", "\r\n")
    assert read_tree(write({"a.csv": text}))["a"].points[0, INDEX["left_hip"]].tolist() == [3, 4]


ROWS = {
    "frame negative": ("-1,nose,1,2", "frame: expected a number from 0"),
    "frame float": ("1.5,nose,1,2", "frame: "),
    "frame empty": (",nose,1,2", "frame: "),
    "frame other digits": ("٣,nose,1,2", "frame: "),
    "frame huge": ("2147483648,nose,1,2", "frame: "),
    "frame endless": ("9" * 5000 + ",nose,1,2", "frame: "),
    "joint": ("1,beak,1,2", "joint: expected one that is known, found 'beak'"),
    "joint twice": ("0,nose,1,2", "joint: expected each joint once in a frame, found nose again in frame 0"),
    "text": ("1,nose,one,2", "x, y, confidence: expected numbers or nothing, found 'one, 2, '"),
    "short": ("1,nose,1", "expected a value for every column"),
    "long": ("1,nose,1,2,3", "expected a value for every column"),
}


@pytest.mark.parametrize("kind", ROWS)
def test_a_bad_row_is_refused_by_its_number(kind: str, write: Write, read_tree: Read) -> None:
    row, word = ROWS[kind]
    with pytest.raises(BadInputError) as caught:
        read_tree(write({"a.csv": table("0,nose,1,2", row, "3,nose,1,2")}))
    (fault,) = caught.value.faults
    assert f"a.csv: row 2: {word}" in fault
    assert len(fault) < 400


def test_a_person_needs_a_name_where_there_is_a_column(write: Write, read_tree: Read) -> None:
    with pytest.raises(BadInputError, match="row 1: person: expected a name"):
        read_tree(write({"a.csv": table("0, ,nose,1,2", columns="frame,person,joint,x,y")}))


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ("frame,joint,x", "expected the columns y, found frame, joint, x"),
        ("frame;joint;x;y", "expected the columns frame, joint, x, y"),
        ("frame,joint,x,y,confidnce", "expected columns of .*found confidnce too"),
        ("frame,joint,x,y,x", "expected each column once"),
    ],
)
def test_a_bad_header_is_refused(columns: str, word: str, write: Write, read_tree: Read) -> None:
    with pytest.raises(BadInputError, match=f"a.csv: header: {word}"):
        read_tree(write({"a.csv": table("0,nose,1,2,1", columns=columns)}))


@pytest.mark.parametrize("text", ["frame,joint,x,y\n", "", "\x00"])
def test_a_file_without_rows_is_refused(text: str, write: Write, read_tree: Read) -> None:
    with pytest.raises(BadInputError, match=r"a\.csv: "):
        read_tree(write({"a.csv": text}))


def test_all_faults_are_told_the_first_hundred_in_words(write: Write, read_tree: Read) -> None:
    with pytest.raises(BadInputError) as caught:
        read_tree(write({"a.csv": table("0,nose,1,2", *["x,nose,1,2"] * 150)}))
    assert len(caught.value.faults) == 101
    assert caught.value.faults[99].endswith("row 101: frame: expected a number from 0 to 2147483647, found 'x'")
    assert caught.value.faults[100].endswith("a.csv: and 50 faults more")


def test_more_poses_than_can_be_meant_are_refused(
    write: Write, read_tree: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracks, "MOST_POSES", 3)
    rows = [f"{n},nose,{n},2" for n in range(4)]
    assert len(read_tree(write({"a.csv": table(*rows[:3])}))["a"]) == 3
    with pytest.raises(BadInputError, match=r"a\.csv: expected at most 3 poses, found more; split the file"):
        read_tree(write({"a.csv": table(*rows)}))
