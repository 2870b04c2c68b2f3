"""A small store of synthetic clips, and a model of them that is small too."""

from dataclasses import replace
from pathlib import Path

import pytest
from torch import Tensor, nn

from posedata.clips.build import build_clips
from posedata.clips.recipe import ClipRecipe
from posedata.clips.store import ClipStore, open_clips
from posedata.samples import write_sample
from posetrain import models


@pytest.fixture(scope="session")
def clip_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 6 clips that train and 2 that validate; tests must not change it."""
    root = tmp_path_factory.mktemp("clips")
    write_sample("human36m", root / "raw", sequences=8)
    build_clips(ClipRecipe(dataset="human36m"), root / "raw", root / "human36m.zarr")
    return root / "human36m.zarr"


@pytest.fixture(scope="session")
def store(clip_path: Path) -> ClipStore:
    return open_clips(clip_path)


class Small(nn.Module):
    """As a ResNet with an LSTM, but of a mean colour and a layer: (B, 8, 3, 224, 224) to (B, 8, 17, 3)."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 51)

    def forward(self, clips: Tensor) -> Tensor:
        return self.layer(clips.mean(dim=(-2, -1))).unflatten(2, (17, 3))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """`resnet-lstm` is this small one."""
    made = replace(models.MODELS["resnet-lstm"], make=lambda config: Small())
    monkeypatch.setattr(models, "MODELS", {**models.MODELS, "resnet-lstm": made})
