"""Sequences in their boxes, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from posedata.boxes import blocks_of, boxed, boxed_as_asked, detected
from posedata.config import Noise, Recipe, Selection
from posedata.errors import BadInputError
from posedata.poses import Detector, PoseSequence
from posedata.skeleton import INDEX, K

RECIPE = Recipe(datasets=(Selection(dataset="brace"),), noise=Noise())


def sequence(frames: int = 3) -> PoseSequence:
    """The nose at (0, 0) and a hip at (100, 50), then 10 pixels further right every frame; the last has one alone."""
    points = np.full((frames, K, 2), np.nan)
    points[:, INDEX["nose"]] = [0, 0]
    points[:, INDEX["left_hip"]] = [100, 50]
    points[..., 0] += 10 * np.arange(frames)[:, None]
    points[-1, INDEX["nose"]] = np.nan
    return PoseSequence(dataset="brace", name="a", video="a", points=points, frame_number=np.arange(frames))


def seen_by(heatmaps: list[np.ndarray]) -> Detector:  # type: ignore[type-arg]
    boxes = np.asarray([[0, -30, 120, 90], [10, -30, 130, 90], [np.nan] * 4])
    return Detector(boxes=boxes, heatmaps=lambda: iter(heatmaps))


def test_boxes_are_padded_squares_and_who_has_none_has_no_points() -> None:
    points, boxes = boxed(sequence())
    np.testing.assert_allclose(boxes[0], [-10, -35, 110, 85])
    np.testing.assert_allclose(boxes[1], [0, -35, 120, 85])
    assert np.isnan(boxes[2]).all()
    assert np.isnan(points[2]).all()
    assert np.isfinite(points[:2, INDEX["nose"]]).all()


def test_one_box_for_all_frames_holds_all_of_them() -> None:
    _, boxes, outside = boxed_as_asked(sequence(), RECIPE.model_copy(update={"box_span": "sequence"}))
    np.testing.assert_allclose(boxes[:2], [[-11, -41, 121, 91]] * 2)
    assert outside == 0


def test_a_jittered_box_keeps_its_points_at_its_border_and_counts_them() -> None:
    asked = RECIPE.model_copy(update={"box_jitter": 0.3})
    before = boxed(sequence(40))[0]
    points, boxes, outside = boxed_as_asked(sequence(40), asked)
    with np.errstate(invalid="ignore"):
        within = (points >= boxes[:, None, :2] - 1e-9) & (points <= boxes[:, None, 2:] + 1e-9)
    there = np.isfinite(points[..., 0])
    assert within[there].all()
    assert outside == (points != before)[there].any(axis=-1).sum() > 0


def test_a_detectors_heatmaps_sum_to_255_and_are_zero_without_a_box() -> None:
    blocks = [np.full((2, K, 56, 56), 2.0, np.float32), np.full((1, K, 56, 56), 2.0, np.float32)]
    found = np.concatenate([*detected(replace(sequence(), detector=seen_by(blocks)), np.asarray([False, False, True]))])
    np.testing.assert_allclose(found.astype(float).sum(axis=(-2, -1))[:2], 255, rtol=1e-3)
    assert not found[2].any()


@pytest.mark.parametrize(
    ("blocks", "word"),
    [
        ([(3, K, 64, 64)], r"expected blocks \(n, 25, 56, 56\), found \(3, 25, 64, 64\)"),
        ([(2, K, 56, 56)], "expected 3 frames, found 2"),
        ([(2, K, 56, 56)] * 2, "expected 3 frames, found more"),
    ],
)
def test_heatmaps_of_another_shape_or_number_are_refused(blocks: list[tuple[int, ...]], word: str) -> None:
    detector = seen_by([np.zeros(shape, np.float32) for shape in blocks])
    one = replace(sequence(), detector=detector)
    for read in (blocks_of(one), detected(one, np.zeros(3, bool))):
        with pytest.raises(BadInputError, match=f"^brace/a: heatmaps: {word}"):
            list(read)
