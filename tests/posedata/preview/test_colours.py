import pytest

from posedata.preview.colours import KEYPOINT_COLOURS, LIMB_COLOURS, SIDES, lighter, part, side
from posedata.skeleton import INDEX, KEYPOINTS, LIMBS, PAIRS


def hue(colour: tuple[int, int, int]) -> str:
    """Blue, orange to yellow, or green: by which of red, green and blue leads."""
    red, green, blue = colour
    return "left" if blue > red and blue > green else "right" if red > blue and red >= green else "middle"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["left_knee"], "left"),
        (["right_ear", "nose"], "right"),
        (["left_hip", "right_hip"], "middle"),
        (["nose"], "middle"),
    ],
)
def test_sides(names: list[str], expected: str) -> None:
    assert side(*names) == expected


def test_every_joint_is_of_a_part() -> None:
    parts = {name.removeprefix("left_"): part(name) for name in KEYPOINTS if not name.startswith("right_")}
    assert {name for name, of in parts.items() if of == "arm"} == {"elbow", "wrist", "pinky", "index", "thumb"}
    assert {name for name, of in parts.items() if of == "leg"} == {"knee", "ankle", "heel", "foot_index"}
    assert {name for name, of in parts.items() if of == "torso"} == {"shoulder", "hip"}
    assert part("right_foot_index") == "leg"


def test_left_is_blue_and_right_is_orange_everywhere() -> None:
    assert {name: hue(colour) for name, colour in SIDES.items()} == {name: name for name in SIDES}
    for left, right in PAIRS:
        assert (hue(KEYPOINT_COLOURS[left]), hue(KEYPOINT_COLOURS[right])) == ("left", "right")
    for (a, b), colour in zip(LIMBS, LIMB_COLOURS, strict=True):
        assert hue(colour) == side(KEYPOINTS[a], KEYPOINTS[b])


def test_limbs_of_one_side_differ_by_part() -> None:
    colours = dict(zip(LIMBS, LIMB_COLOURS, strict=True))
    names = [
        ("left_ear", "nose"),
        ("left_shoulder", "left_elbow"),
        ("left_shoulder", "left_hip"),
        ("left_hip", "left_knee"),
    ]
    assert len({colours[INDEX[a], INDEX[b]] for a, b in names}) == 4
    assert colours[INDEX["left_elbow"], INDEX["left_wrist"]] == colours[INDEX["left_wrist"], INDEX["left_thumb"]]


def test_lighter_is_half_way_to_white() -> None:
    assert lighter((1, 100, 255)) == (128, 177, 255)
