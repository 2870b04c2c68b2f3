"""The order of Human3.6M's joints, against real annotations: bones, units, and which side is left."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from posedata.clips.joints import INDEX, JOINTS, LIMBS, PAIRS

Floats = NDArray[np.float64]


def test_the_table_is_of_one_piece() -> None:
    assert len(JOINTS) == len(set(JOINTS)) == 17
    assert [(JOINTS[a], JOINTS[b]) for a, b in PAIRS] == [
        (f"left_{name}", f"right_{name}") for name in ("hip", "knee", "foot", "shoulder", "elbow", "wrist")
    ]
    reached = {0}
    for near, far in LIMBS:
        assert near in reached
        reached.add(far)
    assert reached == set(range(17))


@pytest.fixture
def told(shared: Path) -> dict[str, list[dict[str, object]]]:
    content: dict[str, list[dict[str, object]]] = json.loads((shared / "h36m" / "h36m_coco.json").read_text())
    return content


@pytest.fixture
def room(told: dict[str, list[dict[str, object]]]) -> Floats:
    """(4, 17, 3) in a room's coordinates."""
    return np.asarray([each["keypoints_3d"] for each in told["annotations"]], float).reshape(-1, 17, 4)[..., :3]


@pytest.fixture
def camera(shared: Path) -> Floats:
    """(4, 17, 3) the same people in a camera's coordinates: x right, y down, z away."""
    with np.load(shared / "h36m" / "test_h36m_body3d.npz", allow_pickle=False) as arrays:
        return np.asarray(arrays["S"][..., :3])


@pytest.mark.real
def test_names_and_limbs_are_the_annotations_but_for_the_legs(told: dict[str, list[dict[str, object]]]) -> None:
    (category,) = told["categories"]
    assert [tuple(limb) for limb in category["skeleton"]] == [*LIMBS]  # type: ignore[attr-defined]
    swapped = {"left": "right", "right": "left"}
    for number, name in enumerate(category["keypoints"]):  # type: ignore[arg-type,var-annotated]
        side, _, rest = name.partition("_")
        expected = f"{swapped[side]}_{rest}" if 1 <= number <= 6 else name.replace("root (pelvis)", "pelvis")
        assert JOINTS[number] == expected


@pytest.mark.real
def test_the_two_files_hold_the_same_people_and_nobody_mirrored(room: Floats, camera: Floats) -> None:
    for one, other in zip(room - room[:, :1], camera - camera[:, :1], strict=True):
        turn, *_ = np.linalg.lstsq(one, other)
        np.testing.assert_allclose(one @ turn, other, atol=1e-6)
        assert np.linalg.det(turn) == pytest.approx(1)


@pytest.mark.real
def test_units_are_metres_and_bones_as_long_on_either_side(room: Floats) -> None:
    bones = np.stack([np.linalg.norm(room[:, a] - room[:, b], axis=-1) for a, b in LIMBS], axis=1)
    assert (bones > 0.1).all()
    assert (bones < 0.5).all()
    length = {JOINTS[far]: bones[:, i] for i, (_, far) in enumerate(LIMBS)}
    for left, right in PAIRS:
        np.testing.assert_allclose(length[JOINTS[left]], length[JOINTS[right]], atol=1e-3)
    assert (length["left_knee"] > 0.42).all()  # thighs
    # Hips hang on the pelvis, so it lies between them.
    hips = (room[:, INDEX["left_hip"]] + room[:, INDEX["right_hip"]]) / 2
    np.testing.assert_allclose(hips, room[:, 0], atol=5e-3)


@pytest.mark.real
def test_left_is_left(camera: Floats) -> None:
    """Up x right is the front, where faces are and knees bend to: so with the sides as they are named here."""
    for pose in camera:
        at = {name: pose[i] for i, name in enumerate(JOINTS)}
        up = at["thorax"] - at["pelvis"]
        for joint in ("hip", "shoulder"):
            front = np.cross(up, at[f"right_{joint}"] - at[f"left_{joint}"])
            front /= np.linalg.norm(front)
            assert (at["neck_base"] - (at["thorax"] + at["head"]) / 2) @ front > 0.03
            bends = [(at[f"{s}_knee"] - (at[f"{s}_hip"] + at[f"{s}_foot"]) / 2) @ front for s in ("left", "right")]
            assert min(bends) > 0
            assert max(bends) > 0.03


@pytest.mark.real
def test_who_faces_the_camera_has_the_left_at_the_right(shared: Path, told: dict[str, list[dict[str, object]]]) -> None:
    """S8 spreads the arms and looks into the camera, as the photograph shows."""
    (image,) = [each for each in told["images"] if str(each["file_name"]).startswith("S8_")]
    assert list((shared / "h36m" / "S8").rglob(str(image["file_name"])))
    (of,) = [each for each in told["annotations"] if each["image_id"] == image["id"]]
    x = np.asarray(of["keypoints"], float).reshape(17, 3)[:, 0]
    for left, right in PAIRS:
        assert x[left] > x[right] + 20
