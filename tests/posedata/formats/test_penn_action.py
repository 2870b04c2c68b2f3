"""Penn Action, quirk by quirk, on files that the tests write themselves."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from one_child import one_child
from scipy.io import savemat
from scipy.sparse import csc_matrix

from posedata.build import dry_run
from posedata.config import Recipe, Selection
from posedata.errors import BadInputError
from posedata.formats import penn_action
from posedata.formats.penn_action import PennAction
from posedata.isolated.mat import load_mat
from posedata.poses import NOT_FINITE, OUTSIDE, Note, PoseSequence

# Joint -> keypoint, written down from the two published lists. Joint 0 is the head, keypoint 0 the nose.
PENN = {0: 0, 1: 3, 2: 4, 3: 5, 4: 6, 5: 7, 6: 8, 7: 15, 8: 16, 9: 17, 10: 18, 11: 19, 12: 20}
T = 3


@pytest.fixture(scope="module", autouse=True)
def child() -> Iterator[None]:
    with one_child(penn_action, "MATLAB 5", load_mat):
        yield


def joints() -> NDArray[np.float64]:
    """(T, 13, 2) whole pixels from 3 to 255, each joint at a place of its own."""
    x = np.linspace(3, 255, T * 13).round().reshape(T, 13)
    return np.stack([x, x[::-1, ::-1]], axis=-1)


def write(root: Path, name: str = "0001", **other: Any) -> Path:
    """One label file; `other` replaces fields, None leaves one out."""
    x, y = joints()[..., 0], joints()[..., 1]
    fields = {
        "x": x,
        "y": y,
        "visibility": np.ones((T, 13), np.uint8),
        "action": "bowl",
        "pose": "front",
        "train": 1,
        "bbox": np.ones((T, 4)),
        "dimensions": np.asarray([[260, 300, T]], np.uint16),
        "nframes": T,
    } | other
    path = root / "labels" / f"{name}.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {key: value for key, value in fields.items() if value is not None})
    return path


def read(root: Path, name: str = "0001") -> PoseSequence:
    return PennAction(root).read(name)


def report(root: Path, *actions: str) -> dict[str, Any]:
    recipe = Recipe(datasets=(Selection(dataset="penn_action", actions=actions or None),))
    return dry_run(recipe, {"penn_action": root}, root / "none.zarr")


def test_joints_go_to_their_keypoints_and_the_head_becomes_the_nose(tmp_path: Path) -> None:
    write(tmp_path)
    sequence = read(tmp_path)
    expected = np.full((T, 25, 2), np.nan)
    for joint, keypoint in PENN.items():
        expected[:, keypoint] = joints()[:, joint]
    np.testing.assert_array_equal(sequence.points, expected)
    assert (sequence.name, sequence.video, sequence.action) == ("0001", "0001", "bowl")


def test_frames_count_from_one_and_the_frame_rate_is_unknown(tmp_path: Path) -> None:
    write(tmp_path)
    sequence = read(tmp_path)
    assert sequence.frame_number.tolist() == [1, 2, 3]
    assert np.isnan(sequence.fps)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_small_integer_coordinates_do_not_wrap(dtype: type, tmp_path: Path) -> None:
    write(tmp_path / "float")
    write(tmp_path / "small", x=joints()[..., 0].astype(dtype), y=joints()[..., 1].astype(dtype))
    small = read(tmp_path / "small").points
    assert small.dtype == np.float64
    np.testing.assert_array_equal(small, read(tmp_path / "float").points)
    # The padded box reaches below 0 and above 255: either would wrap in uint8.
    ours, theirs = report(tmp_path / "small"), report(tmp_path / "float")
    assert ours["mean_torso_diameter"] == theirs["mean_torso_diameter"] > 0


@pytest.mark.parametrize("rows", [T, T - 1])
def test_bbox_may_lack_a_row(rows: int, tmp_path: Path) -> None:
    write(tmp_path, bbox=np.ones((rows, 4)))
    assert len(read(tmp_path)) == T


def test_fields_that_are_not_used_may_be_absent(tmp_path: Path) -> None:
    write(tmp_path, bbox=None, pose=None)
    assert len(read(tmp_path)) == T


@pytest.mark.parametrize("corner", [(0, 0), (1, 1), (300, 260), (-5, 9000), (np.nan, 3)])
def test_invisible_joints_are_ignored_wherever_they_are(corner: tuple[float, float], tmp_path: Path) -> None:
    visibility, placed = np.ones((T, 13)), joints()
    visibility[1, 6], placed[1, 6] = 0, corner
    write(tmp_path, x=placed[..., 0], y=placed[..., 1], visibility=visibility)
    points = read(tmp_path).points
    assert np.isnan(points[1, PENN[6]]).all()
    assert (~np.isnan(points[..., 0])).sum() == T * 13 - 1
    assert read(tmp_path).notes == ()


def test_visible_joints_that_are_not_finite_are_counted(tmp_path: Path) -> None:
    placed = joints()
    placed[0, 3], placed[1, 4, 0], placed[2, 5, 1] = np.nan, np.nan, np.inf
    write(tmp_path, x=placed[..., 0], y=placed[..., 1])
    assert read(tmp_path).notes == (Note(3, NOT_FINITE),)


def test_frames_with_no_or_one_visible_joint_are_empty_and_stay(tmp_path: Path) -> None:
    visibility = np.ones((T, 13))
    visibility[0] = 0
    visibility[1, 1:] = 0
    write(tmp_path, visibility=visibility)
    found = report(tmp_path)
    assert (found["frames"], found["empty_frames"], found["annotated_keypoints"]) == (3, 2, 13)


def test_two_joints_in_one_place_make_no_box(tmp_path: Path) -> None:
    visibility, placed = np.ones((T, 13)), joints()
    visibility[0, 2:] = 0
    placed[0, :2] = 40
    write(tmp_path, x=placed[..., 0], y=placed[..., 1], visibility=visibility)
    assert (report(tmp_path)["empty_frames"], report(tmp_path)["annotated_keypoints"]) == (1, 26)


def test_points_outside_the_dimensions_are_not_annotated_and_edges_are_inside(tmp_path: Path) -> None:
    placed = joints()
    placed[0, :4] = (300.5, 20), (20, 260.5), (-0.5, 20), (20, -0.5)
    placed[1, :4] = (300, 20), (20, 260), (0, 20), (20, 0)
    write(tmp_path, x=placed[..., 0], y=placed[..., 1])
    sequence = read(tmp_path)
    kept = ~np.isnan(sequence.points[:, list(PENN.values()), 0])
    assert kept.sum(axis=1).tolist() == [9, 13, 13]
    assert sequence.notes == (Note(4, OUTSIDE),)


@pytest.mark.parametrize(("train", "split"), [(1, "train"), (-1, "test")])
def test_train_gives_the_official_split(train: int, split: str, tmp_path: Path) -> None:
    write(tmp_path, train=np.asarray([[train]], np.int16))
    assert read(tmp_path).official_split == split


def test_labels_itself_passes_for_the_root(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert PennAction(path.parent).items() == PennAction(tmp_path).items() == ["0001"]
    assert PennAction(path.parent).files("0001") == [path]
    np.testing.assert_array_equal(read(path.parent).points, read(tmp_path).points)


def test_actions_filter_spelt_as_in_the_files(tmp_path: Path) -> None:
    write(tmp_path, "0001", action="situp")
    write(tmp_path, "0002", action="bowl")
    assert report(tmp_path, "situp")["sequences"] == 1
    assert report(tmp_path, "situp", "bowl")["sequences"] == 2


@pytest.mark.parametrize("asked", [("sit_ups",), ("sit_ups", "bowl")])
def test_an_action_that_matches_nothing_is_an_error_that_lists_what_there_is(
    asked: tuple[str, ...], tmp_path: Path
) -> None:
    write(tmp_path, "0001", action="situp")
    write(tmp_path, "0002", action="bowl")
    with pytest.raises(BadInputError, match=r"sit_ups.*bowl, situp"):
        report(tmp_path, *asked)


FAULTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "12 joints": ({"x": joints()[:, :12, 0]}, ["x: expected (T, 13)", "y:", "visibility:"]),
    "14 joints": ({name: np.ones((T, 14)) for name in ("x", "y", "visibility")}, ["x: expected (T, 13)"]),
    "y too short": ({"y": joints()[1:, :, 1]}, ["y:"]),
    "visibility too short": ({"visibility": np.ones((T - 1, 13))}, ["visibility:"]),
    "nframes": ({"nframes": T + 1}, ["nframes:"]),
    "dimensions of T": ({"dimensions": np.asarray([[260, 300, T - 1]])}, ["dimensions:"]),
    "two dimensions": ({"dimensions": np.asarray([[260, 300]])}, ["dimensions:"]),
    "train 0": ({"train": 0}, ["train:"]),
    "train twice": ({"train": np.asarray([[1, -1]])}, ["train:"]),
    "action a number": ({"action": 3}, ["action:"]),
    "action empty": ({"action": ""}, ["action:"]),
    "many": (
        {"y": joints()[1:, :, 1], "train": 0, "nframes": 9, "action": 3, "visibility": np.ones((1, 13))},
        ["y:", "train:", "nframes:", "action:", "visibility:"],
    ),
    "absent": ({"x": None, "train": None}, ["x, train: expected"]),
    "x text": ({"x": "abc"}, ["x: expected real numbers"]),
    "x complex": ({"x": joints()[..., 0] + 1j}, ["x: expected real numbers"]),
    "x cells": ({"x": np.asarray([[1, "a"]], object)}, ["x: expected numbers"]),
    "x struct": ({"x": {"a": 1}}, ["x: expected numbers"]),
    "x sparse": ({"x": csc_matrix(joints()[..., 0])}, ["x"]),
    "visibility sparse": ({"visibility": csc_matrix(np.eye(T, 13))}, ["visibility"]),
    "train sparse": ({"train": csc_matrix(np.ones((1, 1)))}, ["train"]),
    "axes exchanged": ({"dimensions": np.asarray([[900, 2, T]])}, ["points:"]),
    "all outside": ({"x": joints()[..., 0] + 300}, ["points:"]),
    "relative": ({"x": joints()[..., 0] / 300, "y": joints()[..., 1] / 260}, ["relative"]),
    "no frames": ({name: np.ones((0, 13)) for name in ("x", "y", "visibility")}, ["x: expected (T, 13)"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_of_a_damaged_file_is_listed_at_once(fault: str, tmp_path: Path) -> None:
    other, words = FAULTS[fault]
    write(tmp_path, **other)
    with pytest.raises(BadInputError) as caught:
        read(tmp_path)
    for word in words:
        assert any(word in line for line in caught.value.faults), word
    assert all("0001" in line for line in caught.value.faults)


def damaged(kind: str, good: bytes) -> bytes:
    half = len(good) // 2
    return {
        "empty": b"",
        "one byte": b"M",
        "zeros": bytes(500),
        "text": b"Not a MATLAB file at all. " * 20,
        "header only": good[:128],
        "truncated": good[:half],
        "flipped": good[:half] + bytes([good[half] ^ 0xFF]) + good[half + 1 :],
        "HDF5": good[:124] + b"\x00\x02IM" + good[128:],
    }[kind]


@pytest.mark.parametrize("kind", ["empty", "one byte", "zeros", "text", "header only", "truncated", "flipped", "HDF5"])
def test_a_garbled_mat_is_refused_with_its_name(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path)
    savemat(path, {"x": np.random.default_rng(0).random((40, 13))}, do_compression=True)
    path.write_bytes(damaged(kind, path.read_bytes()))
    with pytest.raises(BadInputError, match=str(path)):
        read(tmp_path)


def test_mats_that_crash_scipy_are_refused(tmp_path: Path) -> None:
    ones = {name: np.ones((2, 13)) for name in ("x", "y", "visibility")}
    for place, value in ((145, 9), (176, 0), (177, 1)):
        path = write(tmp_path, str(place))
        savemat(path, {**ones, "action": "bowl", "train": 1.0, "dimensions": [[9.0, 9.0, 2.0]], "nframes": 2.0})
        data = bytearray(path.read_bytes())
        data[place] = value
        path.write_bytes(data)
    code = (
        "import sys; from pathlib import Path; from posedata.formats.penn_action import PennAction\n"
        "from posedata.errors import BadInputError\n"
        "dataset = PennAction(Path(sys.argv[1]))\n"
        "for item in dataset.items():\n"
        "    try: dataset.read(item)\n"
        "    except BadInputError: print(item)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.split()) == (0, [b"145", b"176", b"177"]), done.stderr
