import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from numpy.typing import NDArray

from posedata.geometry import torso_diameters
from posedata.pck import relative_errors
from posedata.skeleton import LIMBS
from posetrain.report.collect import Block, Row, Trained
from posetrain.report.worst import Worst, _limbs, worst_png, worst_windows

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def row(blocks: list[Block]) -> Row:
    """The run `smooth` on the test split of its store."""
    return next(row for row in blocks[0].rows if row.name == "smooth")


@pytest.fixture(scope="module")
def worst(row: Row, trained: dict[str, Trained]) -> list[Worst]:
    return worst_windows(trained["smooth"], "test", row.scores, CPU, "auto")


def test_the_windows_of_the_largest_errors_are_shown_the_worst_first(
    row: Row, trained: dict[str, Trained], worst: list[Worst]
) -> None:
    store = trained["smooth"].subject.store
    starts = store.windows("test")[np.argsort(-row.scores.window_errors)[:3]]
    for window, start, error in zip(worst, starts, np.sort(row.scores.window_errors)[::-1], strict=False):
        np.testing.assert_array_equal(window.numbers, store["frame_number"][start : start + 5])
        name = store["sequence_name"][store.frame_sequence[start]]
        assert window.caption == f"penn_action {name}: off by {error:.2f} torso diameters on average"
    assert len(worst) == 3


def test_the_error_told_is_that_of_what_is_drawn(row: Row, worst: list[Worst]) -> None:
    for window, error in zip(worst, np.sort(row.scores.window_errors)[::-1], strict=False):
        errors = relative_errors(window.found, window.target, torso_diameters(window.target))
        assert np.nanmean(errors) == pytest.approx(error, rel=0.05)  # which is that to the middle of the target's cell


def test_where_nothing_is_annotated_nothing_is_drawn(worst: list[Worst]) -> None:
    for window in worst:
        missing = np.isnan(window.target)
        assert missing.any()
        np.testing.assert_array_equal(np.isnan(window.found), missing)
        np.testing.assert_array_equal(np.isnan(window.seen), missing)


def test_heatmaps_of_all_keypoints_are_fused(worst: list[Worst]) -> None:
    for window in worst:
        assert window.background.shape == (5, 56, 56)
        empty = np.isnan(window.target).all(axis=(1, 2))
        np.testing.assert_allclose(window.background.max(axis=(1, 2)), np.where(empty, 0, 1))


def test_windows_without_an_error_are_no_candidates(row: Row, trained: dict[str, Trained]) -> None:
    errors = np.full_like(row.scores.window_errors, np.nan)
    scores = replace(row.scores, window_errors=errors)
    assert worst_windows(trained["smooth"], "test", scores, CPU, "auto") == []
    errors[3] = 0.5
    assert len(worst_windows(trained["smooth"], "test", scores, CPU, "auto")) == 1


def test_a_window_that_is_infinitely_wrong_is_the_first_and_told(row: Row, trained: dict[str, Trained]) -> None:
    errors = row.scores.window_errors.copy()
    errors[2] = np.inf
    scores = replace(row.scores, window_errors=errors)
    found = worst_windows(trained["smooth"], "test", scores, CPU, "auto")
    assert ": off without measure: a torso has no length, or" in found[0].caption
    assert found[1].caption.endswith(f"off by {row.scores.window_errors.max():.2f} torso diameters on average")


def test_limbs_are_parts_of_one_line() -> None:
    points = np.arange(50.0).reshape(25, 2)
    line = _limbs(points)
    assert [(a, b) for a, b in zip(line[:-1, 0] / 2, line[1:, 0] / 2, strict=True) if a == a and b == b] == [*LIMBS]


def picture(worst: list[Worst]) -> NDArray[np.uint8]:
    return np.rint(imread(io.BytesIO(worst_png(worst)))[..., :3] * 255).astype(np.uint8)


def near(image: NDArray[np.uint8], colour: tuple[int, int, int]) -> int:
    """Pixels of a colour."""
    return int((np.abs(image.astype(int) - colour).max(axis=-1) < 30).sum())


def test_target_prediction_and_input_are_seen_in_their_colours(worst: list[Worst]) -> None:
    image = picture(worst)
    for colour in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00), (0x22, 0x22, 0x22)):
        assert near(image, colour) > 100
    hidden = [replace(w, found=np.full_like(w.found, np.nan)) for w in worst]
    assert near(picture(hidden), (0xD5, 0x5E, 0x00)) == 0


def test_long_windows_show_some_frames_only(worst: list[Worst]) -> None:
    def longer(window: Worst) -> Worst:
        parts = {
            name: np.repeat(getattr(window, name), 5, axis=0) for name in ("background", "seen", "target", "found")
        }
        return replace(window, numbers=np.arange(25), **parts)

    five, seven = picture(worst[:1]), picture([longer(worst[0])])
    assert seven.shape[1] == pytest.approx(five.shape[1] * 7 / 5, abs=3)


def test_the_same_windows_make_the_same_bytes(worst: list[Worst]) -> None:
    assert worst_png(worst) == worst_png(worst)
