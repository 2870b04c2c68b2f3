"""Stores to derive others from, and ways to look into them that are not our own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from posedata import files
from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.store import digest, opened, schema

Arrays = dict[str, np.ndarray[Any, Any]]
Build = Callable[..., Path]


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files.os, "fsync", lambda handle: None)


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """56 frames a shard and 8 a chunk, so that sequences of 37 or 40 frames lie across their borders."""
    monkeypatch.setattr(schema, "CHUNK_FRAMES", 8)
    for module in (schema, digest, opened):
        monkeypatch.setattr(module, "SHARD_FRAMES", 56)


@pytest.fixture
def build(raw_trees: dict[str, Path], tmp_path: Path) -> Build:
    """Builds a store: `build("a.zarr", "brace", split="official", k=2)`."""

    def make(
        name: str, *datasets: str, split: str = "video", seed: int = 0, box_jitter: float = 0.0, **noise: Any
    ) -> Path:
        detected = datasets == ("climbalong",)
        recipe = Recipe(
            datasets=tuple(Selection(dataset=dataset) for dataset in datasets),
            noise=None if detected else Noise(**noise),
            split="held-out" if detected else split,  # type: ignore[arg-type]
            seed=seed,
            box_jitter=box_jitter,
        )
        build_store(recipe, raw_trees, tmp_path / name)
        return tmp_path / name

    return make


@pytest.fixture
def arrays_of() -> Callable[[Path], Arrays]:
    """Every array of a store, read by zarr-python."""

    def read(store: Path) -> Arrays:
        return {name: np.asarray(array[...]) for name, array in zarr.open_group(store, mode="r").arrays()}

    return read


@pytest.fixture
def assert_same(arrays_of: Callable[[Path], Arrays]) -> Callable[[Path, Path], None]:
    """Two stores have the same arrays, to the bit."""

    def check(one: Path, two: Path) -> None:
        first, second = arrays_of(one), arrays_of(two)
        assert first.keys() == second.keys()
        for name, values in first.items():
            assert values.dtype == second[name].dtype
            np.testing.assert_array_equal(_bits(values), _bits(second[name]), err_msg=name)

    return check


def _bits(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return values.view(f"u{values.dtype.itemsize}") if values.dtype.kind == "f" else values
