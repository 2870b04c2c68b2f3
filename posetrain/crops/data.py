"""Crops of a store as batches on a device."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.ahead import ahead, filled
from posedata.crops.store import CropStore
from posedata.errors import BadInputError
from posetrain.config import TrainConfig
from posetrain.data import choose
from posetrain.devices import sent
from posetrain.sources import Feed
from posetrain.team import ALONE, Team

Part = Literal["input", "target"]


class CropBatch:
    """Some crops. What a task does not ask for is never made.

    Attributes:
        first: (B,) positions in the store.
        points: (B, 17, 2) float32 on the grid, x y; NaN = not labelled.
        visibility: (B, 17) uint8: 0 not labelled, 1 hidden, 2 seen.
    """

    def __init__(self, store: CropStore, positions: NDArray[np.int64], device: torch.device) -> None:
        self.first = positions
        self.points = sent(torch.from_numpy(store.frames("points", positions)), device)
        self.visibility = sent(torch.from_numpy(store.frames("visibility", positions)), device)
        self._store, self._device = store, device

    @property
    def labelled(self) -> Tensor:
        """(B, 17) bool: where the target means anything."""
        return self.visibility > 0

    @cached_property
    def input(self) -> Tensor:
        """(B, 3, 256, 256) float32: pixels less the mean colour of the crops that train.

        Channels lie last in memory, as they are stored: in bfloat16 that is twice as fast on a CPU.
        """
        return sent(torch.from_numpy(self._store.centred(self.first)), self._device).movedim(-1, 1)

    @cached_property
    def target(self) -> Tensor:
        """(B, 17, 64, 64) float32: what a detector should say; zeros where not labelled."""
        return sent(torch.from_numpy(self._store.heatmaps(self.first)), self._device)


class Crops:
    """Crops of a store, as batches in any order.

    Args:
        store: where they are from.
        positions: (W,) theirs.
        device: where the batches are wanted.

    Attributes:
        unit: what they are called.
        starts: the positions.
    """

    unit = "crops"

    def __init__(self, store: CropStore, positions: NDArray[np.int64], device: torch.device) -> None:
        self.starts = positions
        self.device = device
        self._store = store

    def __len__(self) -> int:
        return len(self.starts)

    def batches(
        self, order: NDArray[np.int64], size: int, parts: Iterable[Part] = (), team: Team = ALONE
    ) -> Iterator[CropBatch]:
        """Batches of crops, read ahead of their use; see `posetrain.kinds.Samples`."""
        numbers = (team.part(order[i : i + size]) for i in range(0, len(order), size))
        return ahead(filled((CropBatch(self._store, self.starts[few], self.device) for few in numbers), parts))


def split_crops(config: TrainConfig, store: CropStore, split: str, device: torch.device, feed: Feed) -> Crops:
    """The crops of a split that a training sees; raises BadInputError if there are none."""
    del feed  # heatmaps are rendered, pixels decoded
    crops = all_crops(store, split, device)
    crops.starts = choose(crops.starts, config.max_windows, config.seed)
    return crops


def all_crops(store: CropStore, split: str, device: torch.device) -> Crops:
    """The crops of a split.

    Raises:
        BadInputError: if there are none.
        ChoiceError: if there is no such split.
    """
    return Crops(store, positions_of(store, split), device)


def positions_of(store: CropStore, split: str) -> NDArray[np.int64]:
    """Positions of the crops of a split; raises as `all_crops`."""
    positions = store.positions(split)
    if not len(positions):
        raise BadInputError(
            f"{store.path}: split {split}: expected crops, found none; build the store from more photographs, or "
            "choose another split"
        )
    return positions
