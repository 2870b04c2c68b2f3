"""The folder as a whole: names, people, what keypoints.json decides, and files that change or are bad."""

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.errors import BadInputError
from posedata.formats import FORMATS
from posedata.formats.keypoints import READERS
from posedata.poses import PoseSequence
from posedata.skeleton import INDEX
from posedata.store.reader import open_store

Write = Callable[..., Path]
Read = Callable[[Path], dict[str, PoseSequence]]

RECIPE = Recipe(datasets=(Selection(dataset="keypoints"),), noise=Noise(torso=12.0))
NOSE, LEFT, RIGHT = INDEX["nose"], INDEX["left_hip"], INDEX["right_hip"]


def table(*rows: str, columns: str = "frame,person,joint,x,y,confidence") -> str:
    return "\n".join([columns, *rows]) + "\n"


def frames(*numbers: int, person: str = "ann", confidence: float = 1.0) -> list[str]:
    """Two joints a frame."""
    return [
        row
        for n in numbers
        for row in (f"{n},{person},nose,{100 + n},50,{confidence}", f"{n},{person},left_hip,90,{200 + n},1")
    ]


def test_every_person_of_a_file_is_a_sequence_and_the_file_a_video(write: Write, read_tree: Read) -> None:
    root = write({"walk.csv": table(*frames(0, 1), *frames(1, 2, person="bob")), "run.csv": table(*frames(5))}, fps=25)
    found = read_tree(root)
    assert list(found) == ["run:ann", "walk:ann", "walk:bob"]
    assert {s.video for s in found.values()} == {"run", "walk"}
    assert {s.fps for s in found.values()} == {25.0}
    assert found["walk:bob"].frame_number.tolist() == [1, 2]
    np.testing.assert_array_equal(
        found["walk:bob"].points[:, [NOSE, LEFT]], [[[101, 50], [90, 201]], [[102, 50], [90, 202]]]
    )
    assert np.isnan(found["walk:bob"].points[:, RIGHT]).all()


def test_sequences_are_sorted_by_name_not_by_ending_and_people_of_a_file_stay_together(write: Write) -> None:
    one, two = table("0,nose,1,2", columns="frame,joint,x,y"), table(*frames(0), *frames(0, person="bob"))
    files = {"walk-2.csv": one, "walk.csv": one, "run10.csv": two, "run1.csv": two, "run1-b.csv": two}
    expected = ["run1:ann", "run1:bob", "run1-b:ann", "run1-b:bob", "run10:ann", "run10:bob", "walk", "walk-2"]
    assert FORMATS["keypoints"].open(write(files)).items() == expected


def test_what_is_said_of_a_file_goes_before_what_is_said_of_all(write: Write, read_tree: Read) -> None:
    text = table(*frames(0, 1))
    files = {"b.csv": {"fps": 50, "action": "run", "video": "camera 2", "width": 95}}
    found = read_tree(write({"a.csv": text, "b.csv": text}, fps=25, action="walk", files=files))
    one, other = found["a:ann"], found["b:ann"]
    assert (one.fps, one.action, one.video) == (25.0, "walk", "a")
    assert (other.fps, other.action, other.video) == (50.0, "run", "camera 2")
    assert not np.isnan(one.points[:, NOSE]).any()
    assert np.isnan(other.points[:, NOSE]).all()  # beyond its width
    assert tuple(map(str, other.notes)) == ("2 points outside the image: taken as not annotated",)


def test_without_a_word_rate_action_and_size_are_unknown(write: Write, read_tree: Read) -> None:
    (found,) = read_tree(write({"a.csv": table(*frames(0), "1,ann,nose,-900,99000,1")})).values()
    assert math.isnan(found.fps)
    assert found.action == ""
    assert found.points[1, NOSE].tolist() == [-900, 99000]


@pytest.mark.parametrize(("least", "kept"), [(0, [True] * 3), (0.5, [False, True, True]), (0.51, [False, False, True])])
def test_a_confidence_below_the_least_is_not_annotated(
    least: float, kept: list[bool], write: Write, read_tree: Read
) -> None:
    rows = [f"{n},nose,10,10,{c}" for n, c in enumerate(("0.1", "0.5", ""))]
    hips = [f"{n},left_hip,20,40,1" for n in range(3)]
    root = write({"a.csv": table(*rows, *hips, columns="frame,joint,x,y,confidence")}, confidence=least)
    assert (~np.isnan(read_tree(root)["a"].points[:, NOSE, 0])).tolist() == kept


def test_frames_without_a_pose_are_trimmed_at_the_ends_and_empty_inside(write: Write, read_tree: Read) -> None:
    empty = [f"{n},ann,nose,,," for n in (0, 2, 4, 5)]
    found = read_tree(write({"a.csv": table(*frames(1, 3), *empty)}))["a:ann"]
    assert found.frame_number.tolist() == [1, 2, 3]
    assert np.isnan(found.points[1]).all()
    assert tuple(map(str, found.notes)) == ("3 frames without a pose at the ends: trimmed",)


def test_a_person_who_is_nowhere_is_refused(write: Write, read_tree: Read) -> None:
    with pytest.raises(BadInputError, match=r"a\.csv: bob: expected at least one annotated joint, found none"):
        read_tree(write({"a.csv": table(*frames(0), "0,bob,nose,,,", "1,bob,left_eye,7,7,1")}))


def test_points_outside_or_relative_are_told_with_file_and_person(write: Write, read_tree: Read) -> None:
    with pytest.raises(BadInputError, match=r"a\.csv: ann: points: expected inside the 40x30 image"):
        read_tree(write({"a.csv": table(*frames(0))}, width=40, height=30))
    rows = [f"{n},nose,0.{n}1,0.5" for n in range(10)]
    with pytest.raises(BadInputError, match=r"a\.csv: keypoints/a: points: .*relative"):
        read_tree(write({"a.csv": table(*rows, columns="frame,joint,x,y")}))


def test_other_files_are_let_be_and_those_further_down_warned_of(write: Write) -> None:
    root = write({"a.csv": table(*frames(0)), "notes.txt": "", ".hidden.csv": "x", "old/b.csv": "x"})
    dataset = FORMATS["keypoints"].open(root)
    assert dataset.items() == ["a:ann"]
    assert dataset.warnings == (f"{root}: 1 files in folders further down are not read; move them up",)


@pytest.mark.parametrize(
    ("files", "fields", "word"),
    [
        ({"a.csv": "", "a.json": {}}, {}, r"a\.csv: name: expected one file called a"),
        ({"a.json": [], "a.jsonl": ""}, {}, r"a\.jsonl: name: expected one file called a"),
        ({"a:b.csv": ""}, {}, r"a:b\.csv: name: expected one without :"),
        (
            {"a.csv": ""},
            {"files": {"b.csv": {"fps": 25}}},
            r"keypoints\.json: files\.b\.csv: expected a file beside it",
        ),
        ({}, {}, "expected files like NAME.json, NAME.jsonl, NAME.csv, NAME.nc or NAME.npz, found none"),
    ],
    ids=["same name", "same name of one kind", "colon", "stray", "nothing"],
)
def test_names_that_do_not_do_are_refused(
    files: dict[str, Any], fields: dict[str, Any], word: str, write: Write
) -> None:
    with pytest.raises(BadInputError, match=word):
        FORMATS["keypoints"].open(write(files, **fields)).items()


def test_a_bad_file_is_an_item_and_the_others_are_read(write: Write) -> None:
    root = write({"bad.csv": "frame\n", "good.csv": table(*frames(0, 1, 2))})
    assert FORMATS["keypoints"].open(root).items() == ["bad", "good:ann"]
    with pytest.raises(BadInputError, match=r"bad\.csv: header: expected the columns joint, x, y"):
        build_store(RECIPE, {"keypoints": root}, root.parent / "s.zarr")
    told = build_store(RECIPE, {"keypoints": root}, root.parent / "s.zarr", skip_bad=True)
    assert (told["sequences"], [s["item"] for s in told["skipped"]]) == (1, ["keypoints/bad"])


def test_a_file_that_changes_between_the_passes_is_told(write: Write) -> None:
    root = write({"a.csv": table(*frames(0)), "b.csv": table(*frames(0))})
    dataset = FORMATS["keypoints"].open(root)
    dataset.items()
    (root / "a.csv").write_text(table(*frames(0, person="eve")))
    with pytest.raises(BadInputError, match=r"a\.csv: expected ann in it as before"):
        dataset.read("a:ann")


def test_a_file_is_read_twice_at_most_whatever_is_in_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [row for person in "abcdefgh" for row in frames(0, 1, person=person)]
    dataset = FORMATS["keypoints"].open(write({"a.csv": table(*people), "b.csv": table(*people)}))
    seen: list[str] = []
    reader = READERS[".csv"]
    monkeypatch.setitem(READERS, ".csv", lambda path, *more: (seen.append(path.name), reader(path, *more))[1])  # type: ignore[arg-type]
    assert len([dataset.read(item) for item in dataset.items()]) == 16
    assert sorted(seen) == ["a.csv", "a.csv", "b.csv", "b.csv"]


def test_the_store_lists_a_file_once_and_carries_the_licence(write: Write) -> None:
    people = [row for person in ("ann", "bob") for row in frames(*range(6), person=person)]
    root = write({"a.csv": table(*people), "b.csv": table(*people)}, fps=30, licence="CC BY 4.0")
    told = build_store(RECIPE, {"keypoints": root}, root.parent / "s.zarr")
    assert (told["sequences"], told["frames"]) == (4, 24)
    store = open_store(root.parent / "s.zarr")
    assert store.attributes["licences"] == {"keypoints": "CC BY 4.0"}
    with (store.path / "sources.csv").open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["keypoints.json", "a.csv", "b.csv"]
    assert store["sequence_name"].tolist() == ["a:ann", "a:bob", "b:ann", "b:bob"]


def test_the_map_is_no_annotation(write: Write) -> None:
    root = write({"a.csv": table(*frames(0))})
    assert json.loads((root / "keypoints.json").read_text())
    dataset = FORMATS["keypoints"].open(root)
    assert [dataset.files(item) for item in dataset.items()] == [[root / "a.csv"]]
    assert dataset.tables() == [root / "keypoints.json"]
