from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import zarr
from scipy.ndimage import gaussian_filter

from posedata import files
from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.manifest import read_manifest
from posedata.noise import standard_shifts
from posedata.store import digest, schema

Build = Callable[..., Path]

SMALL = (56, 8)
"""Frames of shards and chunks: of 12 sequences of 40 frames, most lie across the border of two shards."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small shards."""
    monkeypatch.setattr(schema, "SHARD_FRAMES", SMALL[0])
    monkeypatch.setattr(schema, "CHUNK_FRAMES", SMALL[1])
    monkeypatch.setattr(digest, "SHARD_FRAMES", SMALL[0])


@pytest.fixture
def made(raw_trees: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Builds a store of Penn Action with the given noise and recipe; power cuts are not at issue."""
    monkeypatch.setattr(files.os, "fsync", lambda handle: None)

    def make(
        name: str, workers: int = 1, actions: tuple[str, ...] | None = None, seed: int = 0, **noise: object
    ) -> Path:
        recipe = Recipe(
            datasets=(Selection(dataset="penn_action", actions=actions),),
            noise=Noise(**noise),  # type: ignore[arg-type]
            seed=seed,
        )
        build_store(recipe, {"penn_action": raw_trees["penn_action"]}, tmp_path / name, workers=workers)
        return tmp_path / name

    return make


def arrays_of(store: Path) -> dict[str, np.ndarray]:
    """Every array but the heatmaps."""
    arrays = zarr.open_group(store, mode="r").arrays()
    return {name: np.asarray(array[...]) for name, array in arrays if "heatmaps" not in name}


def heatmaps_of(store: Path, name: str) -> np.ndarray:
    return np.asarray(zarr.open_group(store, mode="r")[name][...])


def bytes_of(store: Path) -> dict[str, bytes]:
    return {p.relative_to(store).as_posix(): p.read_bytes() for p in store.rglob("*") if p.is_file()}


@cache
def filtered(x: int, y: int, sigma: float) -> np.ndarray:
    """The heatmap of one cell by a filter run of scipy's."""
    impulse = np.zeros((56, 56))
    impulse[y, x] = 255
    return gaussian_filter(impulse, sigma, mode="reflect", truncate=4.0).astype(np.float16)


def expected_heatmaps(cells: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    made = np.zeros((*cells.shape[:2], 56, 56), np.float16)
    for t, k in np.argwhere(cells[..., 0] >= 0).tolist():
        made[t, k] = filtered(*cells[t, k].tolist(), float(sigma[t, k]))
    return made


def assert_same_bits(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(found.view(np.uint16), expected.view(np.uint16))


def assert_heatmaps_follow_cells_and_sigma(store: Path, sigmas: tuple[float, ...], step: int = 1) -> None:
    """Look at every `step`-th frame."""
    arrays = arrays_of(store)
    cells, targets, sigma = (arrays[name][::step] for name in ("input_cells", "target_cells", "input_sigma"))
    exact = np.asarray(sigmas)[np.abs(sigma[..., None] - np.asarray(sigmas)).argmin(axis=-1)]
    exact = np.broadcast_to(exact[:, None] if exact.ndim == 1 else exact, cells.shape[:2])
    assert_same_bits(heatmaps_of(store, "input_heatmaps")[::step], expected_heatmaps(cells, exact))
    assert_same_bits(heatmaps_of(store, "target_heatmaps")[::step], expected_heatmaps(targets, np.ones(exact.shape)))


@pytest.mark.parametrize("name", ["brace", "penn_action", "speed21"])
def test_every_stored_heatmap_is_that_of_its_cell_and_sigma(stores: dict[str, Path], name: str) -> None:
    assert_heatmaps_follow_cells_and_sigma(stores[name], (1.0, 1.5, 2.0, 2.5, 3.0))


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("per", ["frame", "keypoint", "sequence"])
def test_so_is_it_in_small_shards_with_odd_sigmas(made: Build, per: str) -> None:
    store = made("a", sigmas=(0.7, 1.5, 4.3), sigma_per=per)
    assert len(list((store / "input_heatmaps" / "c").iterdir())) == 9
    assert_heatmaps_follow_cells_and_sigma(store, (0.7, 1.5, 4.3), step=3)
    sigma, lengths = (arrays_of(store)[name] for name in ("input_sigma", "sequence_length"))
    assert set(np.unique(sigma).tolist()) == {float(np.float32(s)) for s in (0.7, 1.5, 4.3)}
    parts = np.split(sigma, np.cumsum(lengths)[:-1])
    assert all((len(np.unique(part)) == 1) == (per == "sequence") for part in parts)
    assert sigma.shape == ((480, 25) if per == "keypoint" else (480,))


@pytest.mark.parametrize("per", ["keypoint", "sequence"])
def test_the_size_of_the_shards_does_not_show_in_the_values(
    made: Build, per: str, request: pytest.FixtureRequest
) -> None:
    large = made("large", sigma_per=per)
    request.getfixturevalue("small")
    few = made("few", sigma_per=per)
    expected, found = arrays_of(large), arrays_of(few)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
    for name in ("input_heatmaps", "target_heatmaps"):
        assert_same_bits(heatmaps_of(few, name), heatmaps_of(large, name))
    assert read_manifest(few).content_digest == read_manifest(large).content_digest


@pytest.mark.usefixtures("small")
def test_the_number_of_workers_does_not_show_in_the_bytes(made: Build) -> None:
    one = bytes_of(made("one"))
    assert bytes_of(made("three", workers=3)) == one


def test_cells_points_and_boxes_agree(stores: dict[str, Path]) -> None:
    for name in ("brace", "penn_action", "speed21", "climbalong"):
        arrays = arrays_of(stores[name])
        annotated, points = arrays["annotated"], arrays["target_points"]
        assert 0 < annotated.sum() < annotated.size
        np.testing.assert_array_equal(np.isnan(points), np.repeat(~annotated[..., None], 2, axis=-1))
        # A point is rounded to float32 once its cell is known, so it may stand on the cell's far edge.
        inside = points[annotated] - arrays["target_cells"][annotated]
        assert (inside >= -1e-5).all()
        assert (inside <= 1 + 1e-5).all()
        assert (arrays["target_cells"][~annotated] == -1).all()
        empty = np.isnan(arrays["box"]).any(axis=-1)
        assert empty.any()
        assert not annotated[empty].any()
        assert (heatmaps_of(stores[name], "target_heatmaps")[~annotated] == 0).all()
        if "input_cells" in arrays:
            assert (arrays["input_cells"][~annotated] == -1).all()
            assert (arrays["input_cells"][annotated] >= 0).all()
            assert (arrays["input_cells"][annotated] <= 55).all()


def test_twice_the_k_shifts_twice_as_far_by_the_same_draws(made: Build) -> None:
    once, twice = arrays_of(made("once", k=1)), arrays_of(made("twice", k=2))
    points = once["target_points"].astype(np.float64)
    first, second = once["input_cells"], twice["input_cells"]
    free = ((first > 0) & (first < 55) & (second > 0) & (second < 55)).all(axis=-1)
    assert free.sum() > 1000
    u, a, b = points[free], first[free].astype(np.float64), second[free].astype(np.float64)
    # The shift d lies in a - u <= d < a + 1 - u, so the cell of u + 2 d lies between these.
    assert (b >= np.floor(2 * a - u - 1e-4)).all()
    assert (b <= np.floor(2 * a + 2 - u + 1e-4)).all()
    np.testing.assert_array_equal(once["input_sigma"], twice["input_sigma"])
    for name in ("target_cells", "split", "box"):
        np.testing.assert_array_equal(once[name], twice[name])


@pytest.mark.usefixtures("small")
def test_the_input_stands_where_the_draws_shift_it(made: Build) -> None:
    arrays = arrays_of(made("a", torso=15.0))
    lengths = zip(arrays["sequence_name"], arrays["sequence_length"].tolist(), strict=True)
    draws = np.concatenate([standard_shifts(0, f"penn_action/{name}", range(length)) for name, length in lengths])
    shifted = np.clip(arrays["target_points"] + 0.2 * 15 * draws, 0, 55.99)
    inside = (shifted - arrays["input_cells"])[arrays["annotated"]]
    assert (inside >= -1e-4).all()
    assert (inside <= 1 + 1e-4).all()


def test_without_a_shift_the_input_stands_in_the_cells_of_the_target(made: Build) -> None:
    arrays = arrays_of(made("still", k=0))
    np.testing.assert_array_equal(arrays["input_cells"], arrays["target_cells"])


def test_the_shifts_have_the_planned_spread(made: Build) -> None:
    arrays = arrays_of(made("a", torso=10.0))
    middle = (np.abs(arrays["target_points"] - 28) < 15).all(axis=-1)
    moved = arrays["input_cells"][middle] + 0.5 - arrays["target_points"][middle]
    assert len(moved) > 1000
    # 0.2 * 10 grid px, and the twelfth that flooring adds to a variance.
    assert moved.std() == pytest.approx(np.sqrt(4 + 1 / 12), rel=0.05)
    assert abs(moved.mean()) < 0.1


def test_another_seed_moves_the_input_alone(made: Build) -> None:
    zero, one = arrays_of(made("zero", seed=0)), arrays_of(made("one", seed=1))
    assert (zero["input_cells"] != one["input_cells"]).any()
    assert (zero["input_sigma"] != one["input_sigma"]).any()
    np.testing.assert_array_equal(zero["target_cells"], one["target_cells"])


@pytest.mark.usefixtures("small")
def test_the_noise_of_a_sequence_does_not_depend_on_the_others(made: Build) -> None:
    every, few = arrays_of(made("every", torso=15.0)), arrays_of(made("few", torso=15.0, actions=("situp",)))
    starts = dict(zip(every["sequence_name"], every["sequence_start"], strict=True))
    assert 1 < len(few["sequence_name"]) < len(every["sequence_name"])
    for name, start, length in zip(few["sequence_name"], few["sequence_start"], few["sequence_length"], strict=True):
        for array in ("input_cells", "input_sigma", "target_cells"):
            there = every[array][starts[name] : starts[name] + length]
            np.testing.assert_array_equal(few[array][start : start + length], there, err_msg=name)


def test_detected_heatmaps_are_normalised_and_zero_where_there_is_no_box(
    stores: dict[str, Path], raw_trees: dict[str, Path]
) -> None:
    arrays = arrays_of(stores["climbalong"])
    heatmaps = heatmaps_of(stores["climbalong"], "input_heatmaps")
    table = zip(*(arrays[f"sequence_{column}"] for column in ("name", "start", "length")), strict=True)
    for name, start, length in table:
        stored = heatmaps[start : start + length].astype(np.float64)
        boxed = ~np.isnan(arrays["box"][start : start + length, 0])
        with np.load(raw_trees["climbalong"] / "input" / f"{name}.npz") as raw:
            positive = np.maximum(raw["heatmaps"].astype(np.float64), 0)
        exact = positive[boxed] / positive[boxed].sum(axis=(-2, -1), keepdims=True) * 255
        np.testing.assert_allclose(stored[boxed], exact, rtol=2**-11 * 1.001, atol=2**-24)
        assert (stored[~boxed] == 0).all()
        assert boxed.any()
    assert len(heatmaps) == arrays["sequence_length"].sum()
