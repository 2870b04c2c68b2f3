from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import zarr
from scipy.ndimage import gaussian_filter

from posedata.build import build
from posedata.config import Noise, Recipe, Selection
from posedata.store import digest, schema, writer

Build = Callable[..., Path]

SMALL = (40, 8)
"""Frames of shards and chunks: with 12 sequences of about 40 frames, most shards hold parts of two."""


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small shards."""
    monkeypatch.setattr(schema, "SHARD_FRAMES", SMALL[0])
    monkeypatch.setattr(schema, "CHUNK_FRAMES", SMALL[1])
    monkeypatch.setattr(writer, "SHARD_FRAMES", SMALL[0])
    monkeypatch.setattr(writer, "CHUNK_FRAMES", SMALL[1])
    monkeypatch.setattr(digest, "SHARD_FRAMES", SMALL[0])


@pytest.fixture
def made(raw_trees: dict[str, Path], tmp_path: Path) -> Build:
    """Builds a store of Penn Action with the given noise and recipe."""

    def make(
        name: str, workers: int = 1, actions: tuple[str, ...] | None = None, seed: int = 0, **noise: object
    ) -> Path:
        recipe = Recipe(
            datasets=(Selection(dataset="penn_action", actions=actions),),
            noise=Noise(**noise),  # type: ignore[arg-type]
            seed=seed,
        )
        build(recipe, {"penn_action": raw_trees["penn_action"]}, tmp_path / name, workers=workers)
        return tmp_path / name

    return make


def arrays_of(store: Path) -> dict[str, np.ndarray]:
    return {name: np.asarray(array[...]) for name, array in zarr.open_group(store, mode="r").arrays()}


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


def assert_heatmaps_follow_cells_and_sigma(store: Path) -> None:
    arrays = arrays_of(store)
    cells = arrays["input_cells"]
    sigma = arrays["input_sigma"]
    of_keypoint = np.broadcast_to(sigma[:, None] if sigma.ndim == 1 else sigma, cells.shape[:2])
    assert_same_bits(arrays["input_heatmaps"], expected_heatmaps(cells, of_keypoint))
    assert_same_bits(arrays["target_heatmaps"], expected_heatmaps(arrays["target_cells"], np.ones_like(of_keypoint)))


@pytest.mark.parametrize("name", ["brace", "penn_action", "speed21"])
def test_every_stored_heatmap_is_that_of_its_cell_and_sigma(stores: dict[str, Path], name: str) -> None:
    assert_heatmaps_follow_cells_and_sigma(stores[name])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("per", ["frame", "keypoint", "sequence"])
def test_so_is_it_in_small_shards_with_odd_sigmas(made: Build, per: str) -> None:
    store = made("a", sigmas=(0.7, 1.5, 4.3), sigma_per=per)
    assert len(list((store / "input_heatmaps" / "c").iterdir())) == 12
    assert_heatmaps_follow_cells_and_sigma(store)
    sigma, lengths = (arrays_of(store)[name] for name in ("input_sigma", "sequence_length"))
    assert set(np.unique(sigma).tolist()) == {float(np.float32(s)) for s in (0.7, 1.5, 4.3)}
    parts = np.split(sigma, np.cumsum(lengths)[:-1])
    assert all((len(np.unique(part)) == 1) == (per == "sequence") for part in parts)
    assert sigma.shape == ((480, 25) if per == "keypoint" else (480,))


@pytest.mark.parametrize("per", ["frame", "keypoint", "sequence"])
def test_the_size_of_the_shards_does_not_show_in_the_values(
    made: Build, per: str, request: pytest.FixtureRequest
) -> None:
    large = arrays_of(made("large", sigma_per=per))
    request.getfixturevalue("small")
    found = arrays_of(made("small", sigma_per=per))
    assert found.keys() == large.keys()
    for name, values in large.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


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
        clipped = np.clip(np.floor(points[annotated]), 0, 55)
        np.testing.assert_array_equal(arrays["target_cells"][annotated], clipped)
        assert (arrays["target_cells"][~annotated] == -1).all()
        empty = np.isnan(arrays["box"]).any(axis=-1)
        assert empty.any()
        assert not annotated[empty].any()
        assert (arrays["target_heatmaps"][~annotated] == 0).all()
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
    for name, start, length in zip(
        arrays["sequence_name"], arrays["sequence_start"], arrays["sequence_length"], strict=True
    ):
        stored = arrays["input_heatmaps"][start : start + length].astype(np.float64)
        boxed = ~np.isnan(arrays["box"][start : start + length, 0])
        with np.load(raw_trees["climbalong"] / "input" / f"{name}.npz") as raw:
            positive = np.maximum(raw["heatmaps"].astype(np.float64), 0)
        exact = positive[boxed] / positive[boxed].sum(axis=(-2, -1), keepdims=True) * 255
        np.testing.assert_allclose(stored[boxed], exact, rtol=2**-11 * 1.001, atol=2**-24)
        assert (stored[~boxed] == 0).all()
        assert boxed.any()
    assert arrays["input_heatmaps"].shape[0] == arrays["sequence_length"].sum()
