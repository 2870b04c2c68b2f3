"""By hand: a body of four points, 10 px torso on either side."""

import numpy as np
import pytest

from posedata.skeleton import INDEX, PAIRS, K
from posedata.stats import motion

Floats = np.ndarray

BODY = {"left_shoulder": (0, 0), "left_hip": (0, 10), "right_shoulder": (6, 0), "right_hip": (6, 10)}
TEN = np.asarray([10.0])


def frame(**moved: tuple[float, float]) -> Floats:
    points = np.full((K, 2), np.nan)
    for name, place in (BODY | moved).items():
        points[INDEX[name]] = place
    return points


def frames(*each: Floats) -> Floats:
    return np.stack(each)


def test_a_step_leads_to_the_next_frame_of_the_same_sequence_and_shot() -> None:
    sequence = np.asarray([0, 0, 0, 0, 1, 1])
    number = np.asarray([3, 4, 6, 7, 8, 9])
    shot = np.asarray([0, 0, 0, 1, 1, 1])
    assert motion.consecutive(sequence, number, shot).tolist() == [True, False, False, False, True]


def test_speeds_are_distances_and_missing_where_an_end_is() -> None:
    found = motion.speeds(frames(frame(left_hip=(3, 6)), frame(left_hip=(0, 10), nose=(1, 1))))
    assert found[0, INDEX["left_hip"]] == 5
    assert found[0, INDEX["right_hip"]] == 0
    assert np.isnan(found[0, INDEX["nose"]])


def test_a_steps_torso_is_the_larger_and_half_the_usual_at_least() -> None:
    boxes = np.asarray([[0, 0, 56, 28]] * 2, np.float64)
    short = frame(left_hip=(0, 4), right_hip=(6, 4))
    both = frames(frame(), short)
    assert motion.step_torsos(both, boxes, 1.0).tolist() == [10]
    assert motion.step_torsos(both[::-1], boxes, 1.0).tolist() == [10]
    assert motion.step_torsos(frames(short, short), boxes, 12.0).tolist() == [6]
    nobody = np.full((K, 2), np.nan)
    assert motion.step_torsos(frames(frame(), nobody), boxes * [[1], [np.nan]], 1.0).tolist() == [10]
    assert np.isnan(motion.step_torsos(frames(nobody, nobody), boxes, 12.0)).all()


@pytest.mark.parametrize(("to", "jumps"), [((10, 10), False), ((10.1, 10), True)])
def test_a_keypoint_jumps_by_more_than_a_torso(to: tuple[float, float], jumps: bool) -> None:
    found = motion.jumps(frames(frame(), frame(left_hip=to)), TEN)
    assert found[0, INDEX["left_hip"]] == jumps
    assert found.sum() == jumps
    assert not motion.jumps(frames(frame(), frame(left_hip=to)), TEN * np.nan).any()


HIPS = [left for left, _ in PAIRS].index(INDEX["left_hip"])


@pytest.mark.parametrize(
    ("left", "right", "swapped"),
    [
        ((6, 10), (0, 10), True),
        ((6, 11), (0, 11), True),  # 12.2 with the sides as they are, 2 exchanged
        ((6, 12), (0, 12), False),  # 4 exchanged is more than a quarter of 12.6
        ((3, 10), (3, 10), False),  # both in the middle: exchanged is no nearer
        ((0, 10), (6, 10), False),
    ],
)
def test_left_and_right_are_swapped_if_exchanging_them_shortens_the_way(
    left: tuple[float, float], right: tuple[float, float], swapped: bool
) -> None:
    found = motion.swaps(frames(frame(), frame(left_hip=left, right_hip=right)), TEN)
    assert found[0, HIPS] == swapped
    assert found.sum() == swapped


def test_a_short_way_is_no_swap() -> None:
    near = frame(left_hip=(2, 10), right_hip=(4, 10))
    swapped = frame(left_hip=(4, 10), right_hip=(2, 10))
    assert not motion.swaps(frames(near, swapped), TEN).any()  # 4 px of 10: less than half a torso
    assert motion.swaps(frames(near, swapped), TEN * 0.7).any()


def test_still_is_the_same_to_the_last_bit_and_somebody_is_there() -> None:
    box, other = np.asarray([0, 0, 56, 56.0]), np.asarray([0, 0, 56, 57.0])
    nobody = np.full((K, 2), np.nan)
    assert motion.still(frames(frame(), frame()), np.stack([box, box])).tolist() == [True]
    assert motion.still(frames(frame(), frame()), np.stack([box, other])).tolist() == [False]
    assert motion.still(frames(frame(), frame(nose=(1, 1))), np.stack([box, box])).tolist() == [False]
    assert motion.still(frames(frame(), frame(left_hip=(0, np.nextafter(10, 11)))), np.stack([box, box])).tolist() == [
        False
    ]
    assert motion.still(frames(nobody, nobody), np.stack([box, box])).tolist() == [False]


def test_runs() -> None:
    flags = np.asarray([1, 1, 0, 1, 0, 0, 1, 1, 1], bool)
    begin, length = motion.runs(flags, 2)
    assert (begin.tolist(), length.tolist()) == ([0, 6], [2, 3])
    assert motion.runs(np.zeros(0, bool), 1)[0].tolist() == []


@pytest.mark.parametrize(("side", "jumps"), [(20.0, False), (20.1, True), (5.0, False), (4.9, True), (np.nan, False)])
def test_a_box_jumps_by_more_than_a_factor_of_two(side: float, jumps: bool) -> None:
    boxes = np.asarray([[0, 0, 10, 3], [1, 1, 1 + side, 2]])
    assert motion.box_jumps(boxes).tolist() == [jumps]
