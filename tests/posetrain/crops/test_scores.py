import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from posedata.crops.store import CropStore
from posetrain.crops.data import CropBatch, all_crops
from posetrain.crops.scores import Tally, correct, score_crops
from posetrain.crops.tasks import DETECTION

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("dx", "dy", "right"),
    [(0, 0, True), (3, 1, True), (3, 2, False), (0, 3, True), (4, 0, False), (3.2, 0, False), (3.1999, 0, True)],
)
def test_a_keypoint_is_right_within_3_2_cells_of_its_cell_and_not_at_them(dx: float, dy: float, right: bool) -> None:
    """r * c = 0.5 * 6.4; 3 and 1 are 3.16 apart, 3 and 2 are 3.61."""
    points = np.full((1, 17, 2), np.nan)
    points[0, 3] = 0.9, 30.0  # of the cell 0, 30, whose centre is 0.5, 30.5
    found = np.zeros((1, 17, 2))
    found[0, 3] = 0.5 + dx, 30.5 + dy
    assert correct(found, points)[0].tolist() == [j == 3 and right for j in range(17)]


def test_a_label_on_the_far_edge_lies_in_the_last_cell() -> None:
    points, found = np.full((1, 17, 2), 64.0), np.full((1, 17, 2), 63.5)
    assert correct(found, points).all()


@given(st.tuples(st.integers(0, 63), st.integers(0, 63)), st.tuples(st.integers(0, 63), st.integers(0, 63)))
def test_between_cells_it_is_the_rule_of_the_seed(a: tuple[int, int], b: tuple[int, int]) -> None:
    """Algorithm 1: the distance of two indices, divided by c, is less than r."""
    expected = np.hypot(a[0] - b[0], a[1] - b[1]) / 6.4 < 0.5
    found, points = (np.broadcast_to(np.asarray(cell) + 0.5, (1, 17, 2)) for cell in (a, b))
    assert correct(found, points).all() == expected


def test_percents_are_counted_by_joint_and_by_visibility() -> None:
    points, visibility = np.full((2, 17, 2), np.nan), np.zeros((2, 17), np.uint8)
    for crop, joint, seen in ((0, 0, 2), (1, 0, 1), (0, 5, 2), (1, 5, 2)):
        points[crop, joint], visibility[crop, joint] = 10.5, seen
    found = np.full((2, 17, 2), 10.5)
    found[1, 0] = found[1, 5] = 40.5  # one hidden nose, one seen shoulder are lost
    tally = Tally(2)
    for crop in (0, 1):
        tally.add(found[crop : crop + 1], points[crop : crop + 1], visibility[crop : crop + 1])
    scores = tally.scores(0.25)
    assert (scores.crops, scores.keypoints, scores.loss) == (2, 4, 0.25)
    assert scores.pck == {"0.5": 50.0}
    assert scores.per_joint == {"nose": {"0.5": 50.0}, "left_shoulder": {"0.5": 50.0}}
    told = scores.as_dict()["by_visibility"]
    assert told == {
        "visible": {"keypoints": 3, "pck": {"0.5": pytest.approx(200 / 3)}},
        "occluded": {"keypoints": 1, "pck": {"0.5": 0.0}},
    }


def test_the_error_of_a_crop_is_the_mean_distance_of_its_labelled_keypoints() -> None:
    points, visibility = np.full((2, 17, 2), np.nan), np.zeros((2, 17), np.uint8)
    points[0, :2], visibility[0, :2] = 10.2, (1, 2)  # of the cell 10, 10
    found = np.full((2, 17, 2), 10.5)
    found[0, 1] = 13.5, 14.5  # five cells away
    tally = Tally(2)
    tally.add(found[:1], points[:1], visibility[:1])
    tally.add(found[1:], points[1:], visibility[1:])
    scores = tally.scores(None)
    np.testing.assert_array_equal(scores.errors, [2.5, np.nan])
    assert scores.parts == {"all": 50, "visible": 0, "occluded": 100, "nose": 100, "left_eye": 0}
    assert scores.counted == "2 crops, 2 keypoints"
    assert "errors" not in scores.as_dict()


def test_without_any_label_there_is_no_percent() -> None:
    tally = Tally(1)
    tally.add(np.zeros((1, 17, 2)), np.full((1, 17, 2), np.nan), np.zeros((1, 17), np.uint8))
    assert (tally.scores(None).pck, tally.scores(None).per_joint) == ({}, {})


class Knowing(torch.nn.Module):
    """Says the targets of crops in the order of the store."""

    def __init__(self, batches: list[CropBatch]) -> None:
        super().__init__()
        self.batches = iter(batches)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return next(self.batches).target[:, None] * 2


def test_a_detector_that_knows_is_always_right_and_its_loss_is_the_mean(crops: CropStore) -> None:
    samples = all_crops(crops, "validation", CPU)
    (batch,) = samples.batches(np.arange(len(samples)), 32, ("target",))
    scores = score_crops(Knowing([batch]), DETECTION, samples)
    assert scores.pck == {"0.5": 100.0}
    assert scores.crops == len(samples)
    assert scores.keypoints == int(batch.labelled.sum())
    assert scores.loss == pytest.approx(float(batch.target.square().mean()))
