"""NumPy arrays: those that `posetrain predict` writes, plain ones, and damaged ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata.errors import BadInputError
from posedata.formats.keypoints.arrays import read_arrays
from posedata.formats.keypoints.jointmap import JointMap, read_map
from posedata.poses import PoseSequence
from posedata.skeleton import INDEX

Write = Callable[..., Path]
Read = Callable[[Path], dict[str, PoseSequence]]

NOSE, LEFT, RIGHT = INDEX["nose"], INDEX["left_hip"], INDEX["right_hip"]
POINTS = np.arange(24.0).reshape(3, 4, 2) + 10
"""Of the joints nose, left_eye, left_hip, hip_r of the map, of which the second is dropped."""

PEOPLE = {
    "points": POINTS,
    "frame_number": np.asarray([8, 3, 7]),
    "person": np.asarray([1, 0, 1]),
    "person_name": np.asarray(["ann", "bob"]),
}


@pytest.fixture
def save(write: Write) -> Callable[..., Path]:
    """A folder with a.npz."""

    def save_tree(**arrays: Any) -> Path:
        root = write({})
        np.savez(root / "a.npz", **arrays)
        return root

    return save_tree


def test_plain_points_are_one_person_from_frame_0(save: Callable[..., Path], read_tree: Read) -> None:
    points = POINTS.astype(np.float32)
    points[1, 0, 1] = np.nan
    (found,) = read_tree(save(points=points, camera=np.eye(3))).values()
    assert (found.name, found.frame_number.tolist()) == ("a", [0, 1, 2])
    assert found.points[0, [NOSE, LEFT, RIGHT]].tolist() == [[10, 11], [14, 15], [16, 17]]
    assert np.flatnonzero(~np.isnan(found.points[1, :, 0])).tolist() == sorted([LEFT, RIGHT])


def test_people_come_apart_and_frames_in_order(save: Callable[..., Path], read_tree: Read) -> None:
    found = read_tree(save(**PEOPLE))
    assert {name: s.frame_number.tolist() for name, s in found.items()} == {"a:ann": [3], "a:bob": [7, 8]}
    assert found["a:bob"].points[:, NOSE].tolist() == [[26, 27], [10, 11]]
    lone = PEOPLE | {"person_name": np.asarray(["ann", "bob", "cy"])}
    assert list(read_tree(save(**lone))) == ["a:ann", "a:bob"]


def test_the_file_names_its_joints_and_tells_confidence(save: Callable[..., Path]) -> None:
    confidence = np.asarray([[0.5, np.nan]] * 3)
    root = save(points=POINTS[:, :2], confidence=confidence, keypoint=np.asarray(["hip_r", "nose"]))
    track = read_arrays(root / "a.npz", read_map(root / "keypoints.json")).tracks[""]
    assert track.points[0, [RIGHT, NOSE]].tolist() == [[10, 11], [12, 13]]
    np.testing.assert_array_equal(track.confidence[0, [RIGHT, NOSE, LEFT]], [0.5, np.nan, np.nan])


def test_a_confidence_of_0_is_missing_and_one_rate_is_that_of_the_file(save: Callable[..., Path]) -> None:
    confidence = np.full((3, 4), 0.5)
    confidence[2, 0] = 0
    for rates, fps in (([25.0, 25.0], 25), ([25.0, np.nan], 25), ([25.0, 30.0], None), ([np.nan, -1.0], None)):
        root = save(**PEOPLE, confidence=confidence, person_fps=np.asarray(rates))
        recording = read_arrays(root / "a.npz", read_map(root / "keypoints.json"))
        assert recording.fps == fps
    assert np.isnan(recording.tracks["bob"].points[0, NOSE]).all()
    assert not np.isnan(recording.tracks["bob"].points[:, LEFT]).any()


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no points": ({"frame_number": np.arange(3)}, "points: expected an array, found none"),
    "three numbers": (
        {"points": np.ones((3, 4, 3))},
        r"points: expected numbers \(N, J, 2\), found float64 \(3, 4, 3\)",
    ),
    "text": ({"points": np.full((3, 4, 2), "1")}, r"points: expected numbers \(N, J, 2\), found <U1 \(3, 4, 2\)"),
    "pickles": ({"points": np.full((3, 4, 2), None)}, "points: expected in an .npz file without pickles"),
    "nobody": ({"points": np.ones((0, 4, 2))}, "points: expected 1 to 200,000 poses, found 0"),
    "joints": (
        {"points": POINTS[:, :3]},
        "points: expected 4 joints, which keypoints.json beside the file can name, found 3",
    ),
    "a strange joint": (
        {"points": POINTS, "keypoint": np.asarray(["nose", "tail", "left_hip", "hip_r"])},
        "keypoint: expected joints that are known .*, found tail",
    ),
    "few confidences": (
        {"points": POINTS, "confidence": np.ones((3, 3))},
        r"confidence: expected numbers \(3, 4\), found float64 \(3, 3\)",
    ),
    "half a frame": (
        {"points": POINTS, "frame_number": np.arange(3) / 2},
        r"frame_number: expected whole numbers \(3\), found float64 \(3,\)",
    ),
    "a negative frame": (
        {"points": POINTS, "frame_number": np.arange(3) - 1},
        "frame_number: expected 0 to 2147483647, found -1 to 1",
    ),
    "a large frame": (
        {"points": POINTS, "frame_number": np.asarray([0, 1, 2**64 - 1], np.uint64)},
        "frame_number: expected 0 to 2147483647, found 0 to 18446744073709551615",
    ),
    "twice": (PEOPLE | {"frame_number": np.asarray([7, 3, 7])}, "frame_number: .* once of bob, found 7 again"),
    "nobody's number": (PEOPLE | {"person": np.asarray([0, 0, 2])}, "person: expected 0 to 1, found 0 to 2"),
    "no names": (
        {"points": POINTS, "person": np.zeros(3, int)},
        "person, person_name, frame_number: expected all three",
    ),
    "one name": (PEOPLE | {"person_name": np.asarray(["ann", "ann"])}, r"person_name: .* found \['ann', 'ann'\]"),
    "no name": (PEOPLE | {"person_name": np.asarray(["ann", ""])}, r"person_name: .* found \['ann', ''\]"),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_wrong_is_told(kind: str, save: Callable[..., Path]) -> None:
    arrays, words = BAD[kind]
    root = save(**arrays)
    with pytest.raises(BadInputError, match=rf"a\.npz: {words}") as caught:
        read_arrays(root / "a.npz", read_map(root / "keypoints.json"))
    assert len(caught.value.faults) == 1


def test_what_is_no_npz_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"no zip")
    with pytest.raises(BadInputError, match=r"a\.npz: expected an \.npz file, found"):
        read_arrays(tmp_path / "a.npz", JointMap(joints={"nose": "nose"}))
