import numpy as np
import pytest

from posedata.skeleton import (
    COCO_17,
    GROUPS,
    INDEX,
    KEYPOINTS,
    LIMBS,
    MIRRORED,
    MPII_16,
    PAIRS,
    PENN_13,
    TORSO_SIDES,
    K,
    to_keypoints,
)

SPECIFIED = [
    *("nose", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    *("left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index"),
    *("left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("left_heel", "right_heel", "left_foot_index", "right_foot_index"),
]

LANDED = {
    # Source joint number -> keypoint number, counted by hand from each source's published joint list.
    "coco": (
        COCO_17,
        {0: 0, 3: 1, 4: 2, 5: 3, 6: 4, 7: 5, 8: 6, 9: 7, 10: 8, 11: 15, 12: 16, 13: 17, 14: 18, 15: 19, 16: 20},
    ),
    "penn": (
        PENN_13,
        {0: 0, 1: 3, 2: 4, 3: 5, 4: 6, 5: 7, 6: 8, 7: 15, 8: 16, 9: 17, 10: 18, 11: 19, 12: 20},
    ),
    "mpii": (
        MPII_16,
        {0: 20, 1: 18, 2: 16, 3: 15, 4: 17, 5: 19, 10: 8, 11: 6, 12: 4, 13: 3, 14: 5, 15: 7},
    ),
}


def test_keypoints_stand_in_the_specified_order() -> None:
    assert list(KEYPOINTS) == SPECIFIED
    assert K == 25
    assert [INDEX[name] for name in SPECIFIED] == list(range(25))


def test_pairs_join_left_and_right_of_every_sided_keypoint() -> None:
    assert list(PAIRS) == [(i, i + 1) for i in range(1, 25, 2)]


def test_in_a_mirror_left_is_right() -> None:
    assert (0, *(i + 1 if i % 2 else i - 1 for i in range(1, 25))) == MIRRORED


def test_groups_cover_every_keypoint_once() -> None:
    sided = [
        "ear",
        "shoulder",
        "elbow",
        "wrist",
        "pinky",
        "index",
        "thumb",
        "hip",
        "knee",
        "ankle",
        "heel",
        "foot_index",
    ]
    assert list(GROUPS) == ["nose", *sided]
    assert GROUPS["nose"] == (0,)
    assert GROUPS["knee"] == (17, 18)
    assert sorted(i for group in GROUPS.values() for i in group) == list(range(25))


def test_torso_sides_are_shoulder_and_hip_of_one_side() -> None:
    assert TORSO_SIDES == ((3, 15), (4, 16))


def test_limbs_reach_every_keypoint_without_a_repeat() -> None:
    assert len({frozenset(limb) for limb in LIMBS}) == len(LIMBS)
    assert {i for limb in LIMBS for i in limb} == set(range(25))


def test_limbs_are_mirror_images() -> None:
    mirror = {0: 0} | {a: b for pair in PAIRS for a, b in (pair, pair[::-1])}
    limbs = {frozenset(limb) for limb in LIMBS}
    assert {frozenset(mirror[i] for i in limb) for limb in limbs} == limbs


@pytest.mark.parametrize("source", LANDED)
def test_source_joints_land_on_their_keypoints_and_the_rest_is_missing(source: str) -> None:
    order, landed = LANDED[source]
    joints = np.arange(2 * len(order) * 2, dtype=np.float64).reshape(2, len(order), 2)
    before = joints.copy()
    points = to_keypoints(joints, order)
    expected = np.full((2, 25, 2), np.nan)
    for joint, keypoint in landed.items():
        expected[:, keypoint] = before[:, joint]
    np.testing.assert_array_equal(points, expected)
    np.testing.assert_array_equal(joints, before)


def test_missing_source_joints_stay_missing() -> None:
    joints = np.full((1, 13, 2), np.nan)
    assert np.isnan(to_keypoints(joints, PENN_13)).all()
