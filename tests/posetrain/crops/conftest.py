"""A store of a few crops, and a detector that is small enough for tests."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.crops.build import build_crops
from posedata.crops.recipe import CropRecipe
from posedata.crops.store import CropStore, open_crops
from posedata.samples import write_sample
from posetrain import models


@pytest.fixture(scope="session")
def crops(tmp_path_factory: pytest.TempPathFactory) -> CropStore:
    """21 crops that train, 6 that validate, 3 that test."""
    root = tmp_path_factory.mktemp("photographs")
    write_sample("coco", root / "raw", sequences=16)
    build_crops(CropRecipe(dataset="coco"), root / "raw", root / "coco.zarr")
    return open_crops(root / "coco.zarr")


class Small(nn.Module):
    """As an hourglass, but of two convolutions: (B, 3, 256, 256) to (B, stacks, 17, 64, 64)."""

    def __init__(self, stacks: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 5, stride=4, padding=2), nn.BatchNorm2d(8), nn.ReLU())
        self.heads = nn.ModuleList(nn.Conv2d(8, 17, 3, padding=1) for _ in range(stacks))

    def forward(self, pixels: Tensor) -> Tensor:
        features = self.first(pixels)
        return torch.stack([head(features) for head in self.heads], dim=1)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`hourglass` is this small one."""
    made = replace(models.MODELS["hourglass"], make=lambda config: Small(config.stacks))
    monkeypatch.setattr(models, "MODELS", {**models.MODELS, "hourglass": made})
    yield


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of heatmaps."""
    root = tmp_path_factory.mktemp("heatmaps")
    write_sample("brace", root / "raw", sequences=4, frames=20)
    recipe = Recipe(datasets=(Selection(dataset="brace"),), noise=Noise())
    build_store(recipe, {"brace": root / "raw"}, root / "brace.zarr")
    return root / "brace.zarr"
