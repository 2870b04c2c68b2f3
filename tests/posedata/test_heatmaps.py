from functools import cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from posedata.heatmaps import (
    AMPLITUDE,
    TARGET_SIGMA,
    decode,
    gaussians,
    normalise_detected,
    render,
    renderable,
    row_table,
)

RANDOM = (1.0, 1.5, 2.0, 2.5, 3.0)
ODD = (0.7, 4.3)
CELLS = np.stack(np.meshgrid(np.arange(56), np.arange(56)), axis=-1).reshape(3136, 1, 2).astype(np.int8)
"""Every cell, x y, in row-major order of [y, x]."""


@cache
def filtered(sigma: float) -> np.ndarray:
    """(3136, 56, 56) float16, the heatmaps of `CELLS`, each by a filter run of scipy's."""
    made = np.empty((3136, 56, 56), np.float16)
    for i in range(3136):
        impulse = np.zeros((56, 56))
        impulse[i // 56, i % 56] = 255
        made[i] = gaussian_filter(impulse, sigma, mode="reflect", truncate=4.0)
    return made


def bits(heatmaps: np.ndarray) -> np.ndarray:
    assert heatmaps.dtype == np.float16
    return np.ascontiguousarray(heatmaps).view(np.uint16)


@pytest.mark.parametrize(("sigmas", "number"), [(s, i) for s in (RANDOM, ODD) for i in range(len(s))])
def test_every_cell_is_rendered_bit_for_bit_as_scipy_filters_it(sigmas: tuple[float, ...], number: int) -> None:
    found = render(row_table(sigmas), CELLS, np.full(3136, number))
    assert found.shape == (3136, 1, 56, 56)
    np.testing.assert_array_equal(bits(found[:, 0]), bits(filtered(sigmas[number])))


@pytest.mark.parametrize("sigma", [*RANDOM, *ODD])
def test_the_sum_stays_up_to_the_border(sigma: float) -> None:
    sums = render(row_table((sigma,)), CELLS, np.zeros(3136, np.intp)).astype(np.float64).sum(axis=(-2, -1))
    assert np.abs(sums - 255).max() < 0.1


def test_the_constants_are_those_of_the_setups() -> None:
    assert (AMPLITUDE, TARGET_SIGMA) == (255.0, 1.0)


def test_a_missing_keypoint_is_exactly_zero() -> None:
    cells = np.asarray([[[-1, -1], [3, 4]], [[55, 0], [-1, -1]]], np.int8)
    found = bits(render(row_table(RANDOM), cells, np.asarray([4, 2])))
    assert (found[0, 0] == 0).all()
    assert (found[1, 1] == 0).all()
    assert (found[0, 1] != 0).any()
    assert (found[1, 0] != 0).any()


def scattered(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells of all 25 keypoints, a fifth of them missing, and a sigma for each."""
    rng = np.random.default_rng(1)
    cells = rng.integers(0, 56, (frames, 25, 2)).astype(np.int8)
    cells[rng.random((frames, 25)) < 0.2] = -1
    return cells, rng.integers(0, 5, (frames, 25))


def expected_of(cells: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    made = np.zeros((*cells.shape[:2], 56, 56), np.float16)
    for t, k in np.argwhere(cells[..., 0] >= 0):
        x, y = cells[t, k].tolist()
        made[t, k] = filtered(RANDOM[sigma[t, k]])[y * 56 + x]
    return made


def test_a_sigma_for_every_keypoint() -> None:
    cells, sigma = scattered(6)
    found = render(row_table(RANDOM), cells, sigma)
    np.testing.assert_array_equal(bits(found), bits(expected_of(cells, sigma)))


def test_a_sigma_for_every_frame() -> None:
    cells, sigma = scattered(6)
    found = render(row_table(RANDOM), cells, sigma[:, 0])
    shared = np.repeat(sigma[:, :1], 25, axis=1)
    np.testing.assert_array_equal(bits(found), bits(expected_of(cells, shared)))


def test_rendering_into_an_array_overwrites_all_of_it() -> None:
    cells, sigma = scattered(6)
    table = row_table(RANDOM)
    out = np.full((6, 25, 56, 56), np.nan, np.float16)
    assert render(table, cells, sigma, out=out) is out
    np.testing.assert_array_equal(bits(out), bits(render(table, cells, sigma)))


def test_rendering_changes_neither_cells_nor_sigma() -> None:
    cells, sigma = scattered(3)
    before = cells.copy(), sigma.copy()
    render(row_table(RANDOM), cells, sigma)
    np.testing.assert_array_equal(cells, before[0])
    np.testing.assert_array_equal(sigma, before[1])


def test_no_frames_render_to_none() -> None:
    found = render(row_table(RANDOM), np.empty((0, 25, 2), np.int8), np.empty(0, np.intp))
    assert found.shape == (0, 25, 56, 56)


@pytest.mark.parametrize(
    ("cells", "sigma", "expected"),
    [
        ([[0, 55], [-1, -1]], [0, 1], True),
        ([[0, 56]], [0], False),
        ([[-2, 0]], [0], False),
        ([[0, 0]], [2], False),
        ([[0, 0]], [-1], False),
        ([], [], True),
    ],
)
def test_what_can_be_rendered(cells: list[list[int]], sigma: list[int], expected: bool) -> None:
    where = np.asarray(cells, np.int8).reshape(-1, 1, 2)
    assert renderable(row_table(ODD), where, np.asarray(sigma, np.intp)) is expected


def test_a_position_is_the_centre_of_the_largest_cell() -> None:
    heatmaps = np.zeros((2, 3, 56, 56), np.float16)
    heatmaps[0, 0, 7, 31] = 2
    heatmaps[1, 2, 55, 0] = 0.5
    found = decode(heatmaps)
    assert found.dtype == np.float64
    assert found.shape == (2, 3, 2)
    assert found[0, 0].tolist() == [31.5, 7.5]
    assert found[1, 2].tolist() == [0.5, 55.5]
    assert found[0, 1].tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("tied", "first"),
    [
        ([(9, 4), (2, 50)], [50.5, 2.5]),
        ([(9, 4), (9, 3)], [3.5, 9.5]),
        ([(0, 55), (1, 0)], [55.5, 0.5]),
    ],
)
def test_a_tie_goes_to_the_first_in_row_major_order(tied: list[tuple[int, int]], first: list[float]) -> None:
    heatmap = np.full((56, 56), -1.0, np.float32)
    for y, x in tied:
        heatmap[y, x] = 3
    assert decode(heatmap).tolist() == first


def test_a_target_decodes_to_its_own_cell() -> None:
    found = decode(render(row_table((1.0,)), CELLS, np.zeros(3136, np.intp)))
    np.testing.assert_array_equal(found, CELLS + 0.5)


def test_near_the_border_reflection_moves_the_maximum_of_a_wide_input() -> None:
    cells = np.asarray([[[1, 30]]], np.int8)
    assert decode(render(row_table((3.0,)), cells, np.zeros(1, np.intp)))[0, 0].tolist() == [0.5, 30.5]


def test_detected_heatmaps_lose_their_negatives_and_sum_to_the_amplitude() -> None:
    detected = np.zeros((2, 56, 56), np.float32)
    detected[0, 3, 4], detected[0, 3, 5], detected[0, 9, 9] = 3, 1, -7
    detected[1, 0, 0] = 1e-30
    before = detected.copy()
    found = normalise_detected(detected)
    assert found.dtype == np.float16
    assert found[0, 3, 4] == np.float16(191.25)
    assert found[0, 3, 5] == np.float16(63.75)
    assert np.count_nonzero(found[0]) == 2
    assert found[1, 0, 0] == 255
    np.testing.assert_array_equal(detected, before)


@pytest.mark.parametrize("value", [0.0, -0.0, -2.5])
def test_a_detected_heatmap_without_a_positive_value_is_zero(value: float) -> None:
    assert (normalise_detected(np.full((1, 56, 56), value, np.float32)) == 0).all()


def test_detected_heatmaps_are_rounded_once() -> None:
    detected = np.random.default_rng(2).normal(0.1, 1, (20, 56, 56)).astype(np.float32)
    positive = np.where(detected > 0, detected, 0).astype(np.float64)
    exact = positive / positive.sum(axis=(1, 2), keepdims=True) * 255
    found = normalise_detected(detected).astype(np.float64)
    assert (np.abs(found - exact) <= np.spacing(exact.astype(np.float16)).astype(np.float64) * 0.5000001).all()


def test_about_the_centre_of_a_cell_a_gaussian_is_a_target() -> None:
    inner = CELLS[(CELLS >= 4).all(axis=(1, 2)) & (CELLS <= 51).all(axis=(1, 2))]
    expected = render(row_table((TARGET_SIGMA,)), inner, np.zeros(len(inner), np.intp))
    np.testing.assert_allclose(gaussians(inner + 0.5), expected, rtol=1e-3, atol=1e-7)  # float16


def test_a_gaussian_between_cells_is_about_its_place() -> None:
    places = np.random.default_rng(0).uniform(6, 50, (3, 25, 2))
    heatmaps = gaussians(places).astype(np.float64)
    assert heatmaps.shape == (3, 25, 56, 56)
    centres = np.arange(56) + 0.5
    mean = [(heatmaps.sum(axis=axis) * centres).sum(axis=-1) / AMPLITUDE for axis in (-2, -1)]
    np.testing.assert_allclose(np.stack(mean, axis=-1), places, atol=2e-3)
    np.testing.assert_array_equal(decode(heatmaps), np.floor(places) + 0.5)
    assert (heatmaps > 0).sum(axis=(-2, -1)).max() <= 81
    row = heatmaps[0, 0][int(places[0, 0, 1])]
    x = int(places[0, 0, 0])
    ratio = np.exp(((x + 0.5 - places[0, 0, 0]) ** 2 - (x + 1.5 - places[0, 0, 0]) ** 2) / 2)
    assert row[x + 1] / row[x] == pytest.approx(ratio, rel=1e-5)


def test_gaussians_at_the_border_and_of_what_is_missing() -> None:
    places = np.array([[0.2, 55.9], [-400.0, 20.0], [60.0, 60.0], [np.nan, np.nan]])
    heatmaps = gaussians(places)
    assert heatmaps.dtype == np.float32
    np.testing.assert_allclose(heatmaps.sum(axis=(-2, -1)), [AMPLITUDE] * 3 + [0.0], rtol=1e-5)
    np.testing.assert_array_equal(decode(heatmaps[:3]), [[0.5, 55.5], [0.5, 19.5], [55.5, 55.5]])


@pytest.mark.parametrize("place", [2.0, 1.7, 28.31, 54.2])
def test_the_cells_beside_the_largest_tell_where_a_gaussian_is(place: float) -> None:
    row = gaussians(np.array([place, 30.0]))[30]
    x = int(row.argmax())
    assert x + 0.5 + np.log(row[x + 1] / row[x - 1]) / 2 == pytest.approx(place, abs=1e-4)
