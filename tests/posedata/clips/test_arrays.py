"""The four files: what goes together, and every way in which one can be no such array."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from posedata.clips.arrays import find_parts
from posedata.errors import BadInputError

Edit = Callable[[str, Callable[[NDArray[Any]], NDArray[Any]]], Path]

FRAMES, JOINTS = "videoframes_clips_train", "joint_3d_clips_train"


def test_what_is_read_is_what_numpy_loads(films: Path) -> None:
    train, validation = find_parts(films, "from there")
    assert (train.split, validation.split) == ("train", "validation")
    assert (train.frames.frames, validation.joints.frames) == (48, 16)
    for part, name in ((train, "train"), (validation, "valid")):
        for file, kind in ((part.frames, "videoframes"), (part.joints, "joint_3d")):
            whole = np.load(films / f"{kind}_clips_{name}.npy")
            whole = whole.reshape(-1, *whole.shape[2:])
            np.testing.assert_array_equal(file.read(3, 13), whole[3:13])
            assert file.read(3, 13).dtype == whole.dtype


@pytest.mark.parametrize("dtype", [">f4", "<f8"])
def test_joints_of_other_bytes_are_read(dtype: str, tree: Path, edit: Edit) -> None:
    before = find_parts(tree, "")[0].joints.read(0, 48)
    edit(JOINTS, lambda joints: joints.astype(dtype))
    np.testing.assert_array_equal(find_parts(tree, "")[0].joints.read(0, 48), before)


WRONG: dict[str, tuple[str, Callable[[NDArray[Any]], NDArray[Any]], str]] = {
    "pixels as shares": (FRAMES, lambda a: (a[:1] / 255).astype("f4"), "dtype: expected uint8, found float32; pixels"),
    "whole floats": (FRAMES, lambda a: a[:1].astype("f4"), "dtype: expected uint8, found float32; pixels are whole"),
    "signed": (FRAMES, lambda a: a.astype("i1"), "dtype: expected uint8, found int8"),
    "channels first": (FRAMES, lambda a: a.transpose(0, 1, 4, 2, 3).copy(), "shape: expected (clips, 8, 224, 224, 3)"),
    "flat": (JOINTS, lambda a: a.reshape(-1, 8, 51), "shape: expected (clips, 8, 17, 3), found (6, 8, 51)"),
    "other joints": (JOINTS, lambda a: a[:, :, :16], "shape: expected (clips, 8, 17, 3), found (6, 8, 16, 3)"),
    "no clip": (JOINTS, lambda a: a[:0], "shape: expected (clips, 8, 17, 3), found (0, 8, 17, 3)"),
    "whole metres": (JOINTS, lambda a: a.astype("i8"), "dtype: expected float32 or float64, found int64; save metres"),
    "columns first": (JOINTS, np.asfortranarray, "order: expected that of C, found that of Fortran"),
    "fewer": (JOINTS, lambda a: a[:5], "videoframes_clips_train.npy: clips: expected 5 as in joint_3d_clips_train.npy"),
}


@pytest.mark.parametrize("name", WRONG)
def test_another_array_is_told(name: str, tree: Path, edit: Edit) -> None:
    file, by, expected = WRONG[name]
    edit(file, by)
    with pytest.raises(BadInputError) as caught:
        find_parts(tree, "")
    (fault,) = caught.value.faults
    assert fault.startswith(str(tree))
    assert expected in fault


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def pickle(path: Path) -> None:
    np.save(path, np.asarray([{"a": 1}], object), allow_pickle=True)


def archive(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut short": (cut, "it was cut short, get it anew"),
    "too long": (lengthen, "something follows the array"),
    "empty": (lambda path: path.write_bytes(b""), "expected an .npy file with one array"),
    "half a header": (lambda path: path.write_bytes(path.read_bytes()[:40]), "expected an .npy file with one array"),
    "text": (lambda path: path.write_text("nothing here"), "expected an .npy file with one array"),
    "pickle": (pickle, "dtype: expected"),
    "archive": (archive, "expected an .npy file with one array"),
    "folder": (folder, "expected a regular file"),
}


@pytest.mark.parametrize("file", [FRAMES, JOINTS])
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_told(name: str, file: str, tree: Path) -> None:
    damage, expected = DAMAGED[name]
    damage(tree / f"{file}.npy")
    with pytest.raises(BadInputError) as caught:
        find_parts(tree, "")
    assert {fault.partition(": ")[0] for fault in caught.value.faults} == {str(tree / f"{file}.npy")}
    assert any(expected in fault for fault in caught.value.faults)


def test_faults_of_several_files_are_told_at_once(tree: Path) -> None:
    for name in (FRAMES, JOINTS, "joint_3d_clips_valid"):
        cut(tree / f"{name}.npy")
    with pytest.raises(BadInputError) as caught:
        find_parts(tree, "")
    assert len(caught.value.faults) == 3


def test_a_split_that_is_missing_is_told_with_where_it_comes_from(tree: Path) -> None:
    for name in ("videoframes_clips_valid", "joint_3d_clips_valid"):
        (tree / f"{name}.npy").unlink()
    expected = "expected videoframes_clips_valid.npy, joint_3d_clips_valid.npy, found no such file; ask them"
    with pytest.raises(BadInputError, match=expected):
        find_parts(tree, "ask them")


@pytest.mark.parametrize("damage", [cut, lambda path: shutil.copyfile(path, path.with_suffix(".new")).rename(path)])
def test_a_file_that_changes_meanwhile_is_seen(damage: Callable[[Path], object], tree: Path) -> None:
    part = find_parts(tree, "")[0]
    damage(part.joints.path)
    with pytest.raises(BadInputError, match="expected the file that was read before, found another; build again"):
        part.joints.read(0, 48)
