from pathlib import Path

import pytest

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.derive.stores import make_store, merge
from posedata.preview.about import title_of
from posedata.store.reader import open_store


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("brace", "brace.zarr: SYNTHETIC data, noise k 1, sigma 1, 1.5, 2, 2.5, 3 a frame"),
        ("climbalong", "climbalong.zarr: SYNTHETIC data, a detector's input"),
    ],
)
def test_a_title_says_what_the_store_is(name: str, said: str, stores: dict[str, Path]) -> None:
    assert title_of(open_store(stores[name])) == said


def test_noise_that_a_merged_store_has_of_several_is_mixed(
    raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    recipe = Recipe(datasets=(Selection(dataset="speed21"),), noise=Noise(k=2, sigmas=(1.0,)))
    build_store(recipe, raw_trees, tmp_path / "a.zarr")
    make_store(merge([stores["brace"], tmp_path / "a.zarr"]), tmp_path / "m.zarr")
    said = "m.zarr: SYNTHETIC data, noise k mixed, sigma 1, 1.5, 2, 2.5, 3 a frame"
    assert title_of(open_store(tmp_path / "m.zarr")) == said
