import os
from pathlib import Path

import pytest

from posedata.crops.tree import ImageSet, find_sets, found_beside
from posedata.errors import BadInputError


def test_the_layout_of_coco(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    for name in ("person_keypoints_val2017", "person_keypoints_train2017", "instances_train2017"):
        (tmp_path / "annotations" / f"{name}.json").touch()
    assert find_sets(tmp_path, "") == [
        ImageSet("train2017", tmp_path / "annotations/person_keypoints_train2017.json", tmp_path / "train2017", False),
        ImageSet("val2017", tmp_path / "annotations/person_keypoints_val2017.json", tmp_path / "val2017", True),
    ]


def test_one_file_beside_its_images_or_beside_their_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.json").touch()
    assert find_sets(tmp_path, "") == [ImageSet("mine", tmp_path / "mine.json", tmp_path, False)]
    (tmp_path / "pictures").mkdir()
    assert find_sets(tmp_path, "") == [ImageSet("mine", tmp_path / "mine.json", tmp_path / "pictures", False)]


def test_a_folder_that_holds_something_else_is_not_that_of_the_images(tmp_path: Path) -> None:
    (tmp_path / "mine.json").touch()
    (tmp_path / ".cache").mkdir()
    (alone,) = find_sets(tmp_path, "")
    assert alone.images == tmp_path
    (tmp_path / "masks").mkdir()
    (alone,) = find_sets(tmp_path, "")
    assert found_beside(alone, ["lost.jpg", "a.jpg"]).images == tmp_path / "masks"
    (tmp_path / "a.jpg").touch()
    assert found_beside(alone, ["lost.jpg", "a.jpg"]).images == tmp_path
    layout = ImageSet("val2017", tmp_path / "annotations" / "person_keypoints_val2017.json", tmp_path / "val2017", True)
    layout.annotations.parent.mkdir()
    (layout.annotations.parent / "a.jpg").touch()
    assert found_beside(layout, ["a.jpg"]) == layout


@pytest.mark.parametrize(
    "names", [(b"\xff.json",), (b"a.json", b"\xff/"), (b"annotations/", b"annotations/person_keypoints_\xff.json")]
)
def test_a_name_that_is_not_utf8_is_refused(names: tuple[bytes, ...], tmp_path: Path) -> None:
    """Lists of sources are UTF-8."""
    for name in names:
        path = tmp_path / os.fsdecode(name)
        if name.endswith(b"/"):
            path.mkdir()
        else:
            path.touch()
    with pytest.raises(BadInputError, match=r"\\udcff.*: name: expected UTF-8; rename it"):
        find_sets(tmp_path, "")


@pytest.mark.parametrize("files", [(), ("a.json", "b.json")])
def test_anything_else_is_told_with_where_the_data_comes_from(files: tuple[str, ...], tmp_path: Path) -> None:
    for name in files:
        (tmp_path / name).touch()
    found = ", ".join(files) or "neither"
    with pytest.raises(BadInputError, match=f"one annotation file alone, found {found}; from somewhere"):
        find_sets(tmp_path, "from somewhere")
