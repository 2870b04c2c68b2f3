"""A store of crops, and an untrained detector of them."""

import pytest
import torch

from posedata.crops.build import build_crops
from posedata.crops.recipe import CropRecipe
from posedata.crops.store import CropStore, open_crops
from posedata.samples import write_sample
from posetrain.models.hourglass import StackedHourglass


@pytest.fixture(scope="session")
def crops(tmp_path_factory: pytest.TempPathFactory) -> CropStore:
    """Some dozens that train, some of them with all keypoints, and a few of the other splits."""
    root = tmp_path_factory.mktemp("photographs")
    write_sample("coco", root / "raw", sequences=48)
    build_crops(CropRecipe(dataset="coco"), root / "raw", root / "coco.zarr")
    return open_crops(root / "coco.zarr")


@pytest.fixture(scope="session")
def hourglass() -> StackedHourglass:
    torch.manual_seed(0)
    return StackedHourglass(1, 256).eval()
