"""A store of crops, and pictures with a dot."""

from collections.abc import Callable
from pathlib import Path

import pytest
from dots import write_dots

from posedata.crops.build import build_crops
from posedata.crops.recipe import CropRecipe
from posedata.crops.store import CropStore, open_crops
from posedata.samples import write_sample


@pytest.fixture(scope="session")
def crops(tmp_path_factory: pytest.TempPathFactory) -> CropStore:
    """A store of some crops."""
    root = tmp_path_factory.mktemp("photographs")
    write_sample("coco", root / "raw", sequences=6)
    build_crops(CropRecipe(dataset="coco"), root / "raw", root / "coco.zarr")
    return open_crops(root / "coco.zarr")


@pytest.fixture
def pictures(tmp_path: Path) -> Callable[..., Path]:
    """Writes pictures of these numbers into a folder of that name."""
    return lambda numbers, name="walk": write_dots(tmp_path / name, numbers)
