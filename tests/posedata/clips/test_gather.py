"""The first pass: sound joints are taken in, others told or left out."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from posedata.clips.family import HUMAN36M
from posedata.clips.gather import Found, gather
from posedata.errors import BadInputError
from posedata.files import sha256_file
from posedata.progress import silent

Edit = Callable[[str, Callable[[NDArray[Any]], NDArray[Any]]], Path]

JOINTS = "joint_3d_clips_train"


def read(root: Path, scratch: Path, skip_bad: bool = False) -> Found:
    scratch.mkdir(exist_ok=True)
    return gather(HUMAN36M, root, scratch, skip_bad, silent)


def with_value(clip: int, frame: int, joint: int, value: float) -> Callable[[NDArray[Any]], NDArray[Any]]:
    def change(joints: NDArray[Any]) -> NDArray[Any]:
        joints[clip, frame, joint, 1] = value
        return joints

    return change


def test_all_of_a_sound_folder(films: Path, tmp_path: Path) -> None:
    found = read(films, tmp_path / "s")
    assert [(each.part.split, each.kept.tolist()) for each in found.checked] == [
        ("train", [0, 1, 2, 3, 4, 5]),
        ("validation", [0, 1]),
    ]
    assert [len(sizes) for sizes in found.extents] == [48, 16]
    assert found.centred
    assert found.rise[1] < -64  # more than a metre a frame, upwards
    assert found.synthetic
    assert found.sample == "posedata sample human36m --sequences 8 --frames 120 --seed 0"
    with found.sources.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [
        "videoframes_clips_train.npy",
        "joint_3d_clips_train.npy",
        "videoframes_clips_valid.npy",
        "joint_3d_clips_valid.npy",
    ]
    assert {row["sha256"] for row in rows} == {sha256_file(path) for path in films.glob("*.npy")}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_joints_that_are_no_numbers_are_told_or_left_out(value: float, tree: Path, edit: Edit, tmp_path: Path) -> None:
    path = edit(JOINTS, with_value(4, 3, 10, value))
    with pytest.raises(BadInputError) as caught:
        read(tree, tmp_path / "s")
    (fault,) = caught.value.faults
    assert fault.startswith(f"{path}: clip 4, frame 3: head: expected finite metres, found (")
    assert fault.endswith("mend it, or leave the clip out with --skip-bad")
    found = read(tree, tmp_path / "s", skip_bad=True)
    assert found.checked[0].kept.tolist() == [0, 1, 2, 3, 5]
    assert found.rise[1] < -59
    assert found.centred
    (skipped,) = found.skipped
    assert skipped.item == "human36m/train"
    assert skipped.reason.startswith("joint_3d_clips_train.npy: clip 4, frame 3: head: expected finite metres")


@pytest.mark.parametrize(
    ("change", "size"),
    [(with_value(1, 7, 0, 1e4), "1e+04"), (with_value(1, 7, 0, 1e300), "1e+300"), (lambda a: a * (a > 9), "0")],
)
def test_a_person_of_no_human_size_is_told(
    change: Callable[[NDArray[Any]], NDArray[Any]], size: str, tree: Path, edit: Edit, tmp_path: Path
) -> None:
    def one_clip(joints: NDArray[Any]) -> NDArray[Any]:
        joints = joints.astype(np.float64)
        joints[1] = change(joints.copy())[1]
        return joints

    edit(JOINTS, one_clip)
    with pytest.raises(BadInputError, match=r"clip 1, frame \d: joints: expected a person of 0.1 to 10 metres") as told:
        read(tree, tmp_path / "s")
    assert f"found one of {size}" in str(told.value)
    assert read(tree, tmp_path / "s", skip_bad=True).checked[0].kept.tolist() == [0, 2, 3, 4, 5]


@pytest.mark.parametrize("skip_bad", [False, True])
@pytest.mark.parametrize("scale", [1000, 0.001], ids=["millimetres", "kilometres"])
def test_another_unit_is_told_and_is_no_fault_of_a_clip(
    scale: float, skip_bad: bool, tree: Path, edit: Edit, tmp_path: Path
) -> None:
    path = edit(JOINTS, lambda joints: joints * scale)
    with pytest.raises(BadInputError) as caught:
        read(tree, tmp_path / "s", skip_bad)
    (fault,) = caught.value.faults
    assert fault.startswith(f"{path}: unit: expected metres, so people of 0.1 to 10, found a median of ")
    assert fault.endswith("millimetres are to be divided by 1,000")


def test_a_split_without_a_sound_clip_is_told(tree: Path, edit: Edit, tmp_path: Path) -> None:
    edit("joint_3d_clips_valid", lambda joints: joints * np.nan)
    with pytest.raises(BadInputError, match="expected at least one clip with sound joints, found none of 2"):
        read(tree, tmp_path / "s", skip_bad=True)


def test_of_many_faults_a_hundred_are_told(tree: Path, edit: Edit, tmp_path: Path) -> None:
    def many(joints: NDArray[Any]) -> NDArray[Any]:
        joints = np.repeat(joints, 20, axis=0)
        joints[:103, 0, 0, 0] = np.nan
        return joints

    edit(JOINTS, many)
    edit("videoframes_clips_train", lambda frames: np.repeat(frames, 20, axis=0))
    with pytest.raises(BadInputError) as caught:
        read(tree, tmp_path / "s")
    assert len(caught.value.faults) == 101
    assert caught.value.faults[-1].endswith("3 faults more")


def test_pelvises_elsewhere_and_another_up_are_noticed(tree: Path, edit: Edit, tmp_path: Path) -> None:
    edit("joint_3d_clips_valid", lambda joints: joints + np.asarray([0, 0, 5]))
    assert not read(tree, tmp_path / "s").centred
    for name in ("train", "valid"):
        edit(f"joint_3d_clips_{name}", lambda joints: joints[..., [0, 2, 1]] * (1, 1, -1))
    assert read(tree, tmp_path / "s").rise.argmax() == 2
