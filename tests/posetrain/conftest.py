"""Stores as posetrain sees them, small models, quick trainings."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from posedata import open_store
from posedata.store.reader import Store
from posetrain.config import TrainConfig
from posetrain.data import Feed, Windows

GPU = pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))


@pytest.fixture(params=["cpu", GPU])
def device(request: pytest.FixtureRequest) -> str:
    """Every device of this machine."""
    return str(request.param)


@pytest.fixture(scope="session")
def noisy(stores: dict[str, Path]) -> Store:
    """A small noisy store."""
    return open_store(stores["brace"])


@pytest.fixture(scope="session")
def detected(stores: dict[str, Path]) -> Store:
    """A small store of a detector's heatmaps."""
    return open_store(stores["climbalong"])


@pytest.fixture
def windows() -> Callable[..., Windows]:
    """Windows of a split on the CPU."""

    def make(store: Store, split: str = "train", feed: Feed = "auto", most: int = 12, device: str = "cpu") -> Windows:
        return Windows(store, store.windows(split)[:most], 5, 1, torch.device(device), feed)

    return make


@pytest.fixture
def quick() -> TrainConfig:
    """A training of a few seconds."""
    return TrainConfig(epochs=3, max_windows=20, batch_size=4)
