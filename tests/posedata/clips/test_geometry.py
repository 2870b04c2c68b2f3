"""Sizes, up, and views, by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from posedata.clips.geometry import extents, rises, up_axis, views
from posedata.clips.joints import INDEX, JOINTS


def person() -> np.ndarray:
    """(17, 3) in a camera's coordinates: all in the pelvis but head, feet, and the right wrist before the body."""
    joints = np.zeros((17, 3))
    joints[INDEX["head"]] = (0, -0.7, 0)
    joints[INDEX["left_foot"]], joints[INDEX["right_foot"]] = (0.1, 0.9, 0), (-0.1, 0.9, 0)
    joints[INDEX["right_wrist"]] = (-0.3, -0.2, -0.5)
    return joints


def test_an_extent_is_the_longest_side() -> None:
    assert extents(person()) == pytest.approx(1.6)
    assert extents(np.stack([person(), 2 * person()])[None]).tolist() == [[pytest.approx(1.6), pytest.approx(3.2)]]


@pytest.mark.parametrize("value", [np.nan, np.inf, 1.7e308])
def test_an_extent_of_what_is_no_number_is_none(value: float) -> None:
    joints = person()
    joints[3, 1], joints[4, 1] = value, -value
    assert not np.isfinite(extents(joints))


def test_up_is_from_feet_to_head() -> None:
    assert rises(person()).tolist() == [0, -1.6, 0]
    assert up_axis(rises(person())) == "-y"
    room = person()[:, [0, 2, 1]] * (1, -1, -1)
    assert up_axis(rises(room)) == "+z"
    assert up_axis(np.asarray([-3.0, 1, 2])) == "-x"


def test_the_front_is_what_the_camera_sees_and_the_side_is_from_its_right() -> None:
    front, side = views(person(), "-y")
    wrist = INDEX["right_wrist"]
    assert front[wrist].tolist() == [-0.3, -0.2]
    # Before the body is nearer to the camera, which stands on the left of whoever looks from its right.
    assert side[wrist].tolist() == [-0.5, -0.2]


def test_a_room_looks_as_its_camera() -> None:
    """The same person with z up: the camera looks along y."""
    room = person()[:, [0, 2, 1]] * (1, 1, -1)
    for one, other in zip(views(person(), "-y"), views(room, "+z"), strict=True):
        np.testing.assert_allclose(one, other)


@given(some.sampled_from(["+x", "-x", "+y", "-y", "+z", "-z"]))
def test_views_keep_lengths_and_put_heads_above(up: str) -> None:
    rng = np.random.default_rng(0)
    joints = rng.normal(size=(17, 3))
    joints[INDEX["head"], "xyz".index(up[1])] = 9 if up[0] == "+" else -9
    front, side = views(joints, up)
    np.testing.assert_array_equal(front[:, 1], side[:, 1])
    assert front[:, 1].argmin() == JOINTS.index("head")
    seen = np.stack([front[:, 0], front[:, 1], side[:, 0]], axis=1)
    np.testing.assert_allclose(seen @ seen.T, joints @ joints.T)
    # Right, down and away are a right-handed triple, as those of a camera: nobody is mirrored.
    assert np.linalg.det(np.linalg.lstsq(joints, seen)[0]) == pytest.approx(1)
