"""Stores as posetrain sees them, small models, quick trainings."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from posedata import open_store
from posedata.store.reader import Store
from posetrain.config import TrainConfig
from posetrain.data import Windows
from posetrain.sources import Feed, present_peaks
from posetrain.tasks import Task

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
def given() -> Callable[[Task, Tensor], Tensor]:
    """What a model of a task sees of input heatmaps (B, T, 25, 56, 56), in boxes of a pixel a cell at the corner."""

    def see(task: Task, heatmaps: Tensor) -> Tensor:
        boxes = torch.tensor([0.0, 0.0, 56.0, 56.0]).expand(*heatmaps.shape[:2], 4)
        tight = torch.ones(heatmaps.shape[:2], dtype=torch.bool)
        batch = SimpleNamespace(input=heatmaps, input_peaks=present_peaks(heatmaps), boxes=boxes, tight=tight)
        return task.given(batch)  # type: ignore[arg-type]

    return see


@pytest.fixture
def quick() -> TrainConfig:
    """A training of a few seconds."""
    return TrainConfig(epochs=3, max_windows=8, batch_size=4)


@contextmanager
def _alone() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.fixture(scope="session")
def alone() -> Callable[[], AbstractContextManager[None]]:
    """torch on one thread: where the machine has other work, threads mostly wait for each other."""
    return _alone


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """The same for a whole module."""
    with _alone():
        yield
