"""Widths of heatmaps that the project renders itself, and sets of widths."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posedata.calibrate.smear import MEMBERS, REACH, TENTHS, misfit, shared_by, sigma_set, widths
from posedata.heatmaps import render, row_table

MIDDLE = np.asarray([[28, 28]], np.int8)


def rendered(sigma: float, cells: np.ndarray = MIDDLE) -> np.ndarray:
    return render(row_table((sigma,)), cells[:, None], np.zeros(len(cells), np.intp))[:, 0].astype(np.float32)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.3, 6.0])
def test_a_rendered_sigma_is_found_whatever_its_scale_and_ground(sigma: float) -> None:
    heatmap = rendered(sigma)
    for seen in (heatmap, heatmap / 300, heatmap + 0.2 * heatmap.max()):
        assert widths(seen, MIDDLE) == pytest.approx([sigma])


@pytest.mark.parametrize(("sigma", "most"), [(1.0, 1.1), (2.0, 2.1), (3.0, 3.0)])
def test_a_peak_between_cells_looks_a_little_wider(sigma: float, most: float) -> None:
    y, x = np.mgrid[:56, :56]
    seen = np.exp(-((x - 28.5) ** 2 + (y - 28.5) ** 2) / (2 * sigma**2)).astype(np.float32)
    assert widths(seen[None], MIDDLE) == pytest.approx([most])


def test_peaks_near_the_border_are_not_measured() -> None:
    cells = np.asarray([[REACH, 55 - REACH], [REACH - 1, 28], [28, 56 - REACH]], np.int8)
    found = widths(rendered(1.5, cells), cells)
    assert found[0] == pytest.approx(1.5)
    assert np.isnan(found[1:]).all()


@pytest.mark.parametrize(
    "members", [(1.0,), (1.0, 3.0), (1.0, 2.0, 4.0), (1.0, 1.5, 2.0, 2.5), (1.0, 1.5, 2.0, 2.5, 3.0)]
)
def test_a_set_is_found_from_its_draws(members: tuple[float, ...]) -> None:
    drawn = np.repeat(np.asarray(members, np.float32), 100)
    assert sigma_set(drawn) == members
    assert misfit(drawn, members) == pytest.approx(0, abs=1e-6)


def test_few_that_differ_do_not_make_a_set() -> None:
    assert sigma_set(np.asarray([1.0] * 96 + [0.9, 0.9, 1.1, 1.1])) == (1.0,)


def test_of_sets_that_are_as_near_the_smaller_is_taken() -> None:
    """One of four has to be moved by 1.6, to draw it from either set."""
    sigmas = np.asarray([1.2, 1.2, 1.2, 2.8], np.float32)
    assert misfit(sigmas, (1.2,)) == pytest.approx(0.4)
    assert misfit(sigmas, (1.2, 2.8)) == pytest.approx(0.4)
    assert sigma_set(sigmas) == (1.2,)


def test_misfit_is_how_far_draws_are_moved() -> None:
    assert misfit(np.asarray([1.0, 1.0, 3.0, 3.0]), (1.0,)) == pytest.approx(1.0)


@given(st.lists(st.sampled_from(TENTHS.tolist()), min_size=1, max_size=40))
def test_a_set_rises_within_what_was_measured(tenths: list[int]) -> None:
    sigmas = np.asarray(tenths) / 10
    members = sigma_set(sigmas)
    assert 1 <= len(members) <= MEMBERS
    assert list(members) == sorted(set(members))
    assert sigmas.min() <= members[0] <= members[-1] <= sigmas.max()
    assert misfit(sigmas, members) <= misfit(sigmas, (float(np.quantile(sigmas, 0.5, method="inverted_cdf")),)) + 0.005


@pytest.mark.parametrize(
    ("level", "shape"), [("keypoint", (40, 25)), ("frame", (40, 1)), ("sequence", (4, 1)), ("frame", (1, 1))]
)
def test_the_level_at_which_sigmas_differ(level: str, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(2)
    drawn: Any = rng.choice([1.0, 1.5, 2.0, 2.5, 3.0], shape)
    sigmas = np.repeat(drawn, 40 // shape[0], axis=0) + rng.normal(0, 0.05, (40, 25))
    sigmas[rng.random(sigmas.shape) < 0.3] = np.nan
    sigmas[7] = np.nan
    assert shared_by(sigmas, np.repeat(np.arange(4), 10)) == level


def nested(*parts: float) -> np.ndarray:
    """(4, 2): two keypoints in two frames in two sequences; each level moves either half up or down by its part."""
    sequence, frame, keypoint = np.meshgrid(*([-part, part] for part in parts), indexing="ij")
    return np.asarray(2.0 + sequence + frame + keypoint).reshape(4, 2)


@pytest.mark.parametrize(
    ("parts", "level"),
    [
        # Variances by hand: 2 a^2 of keypoints in a frame, 2 b^2 less half of that of frames in a sequence, and
        # 2 c^2 less b^2 of sequences.
        ((0.0, 0.57, 0.5), "keypoint"),  # 0.40 of frames, 0.50 of keypoints
        ((0.0, 0.65, 0.5), "frame"),  # 0.60
        ((0.57, 0.5, 0.0), "frame"),  # 0.40 of sequences
        ((0.65, 0.5, 0.0), "sequence"),
    ],
)
def test_what_a_level_owes_to_the_one_below_is_not_its_own(parts: tuple[float, ...], level: str) -> None:
    assert shared_by(nested(*parts), np.asarray([0, 0, 1, 1])) == level
