"""Clips of a store as batches on a device."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.ahead import ahead
from posedata.clips.schema import CLIP_FRAMES
from posedata.clips.store import ClipStore
from posedata.errors import BadInputError
from posetrain.config import TrainConfig
from posetrain.data import choose
from posetrain.devices import sent
from posetrain.sources import Feed
from posetrain.team import ALONE, Team


@dataclass(frozen=True, eq=False)
class ClipBatch:
    """Some clips.

    Attributes:
        first: (B,) positions of their first frames in the store.
        images: (B, 8, 3, 224, 224) float32 RGB, 0 to 1.
        joints: (B, 8, 17, 3) float32 metres.
    """

    first: NDArray[np.int64]
    images: Tensor
    joints: Tensor


class Clips:
    """Clips of a store, as batches in any order.

    Args:
        store: where they are from.
        numbers: (W,) theirs.
        device: where the batches are wanted.

    Attributes:
        unit: what they are called.
        starts: (W,) positions of their first frames.
    """

    unit = "clips"

    def __init__(self, store: ClipStore, numbers: NDArray[np.int64], device: torch.device) -> None:
        self.starts = numbers * CLIP_FRAMES
        self.device = device
        self._store = store

    def __len__(self) -> int:
        return len(self.starts)

    def batches(
        self, order: NDArray[np.int64], size: int, parts: Iterable[object] = (), team: Team = ALONE
    ) -> Iterator[ClipBatch]:
        """Batches of clips, read ahead of their use; see `posetrain.kinds.Samples`."""
        return ahead(self._batch(team.part(order[i : i + size])) for i in range(0, len(order), size))

    def _batch(self, numbers: NDArray[np.int64]) -> ClipBatch:
        first = self.starts[numbers]
        clips = first // CLIP_FRAMES
        pixels, joints = (torch.from_numpy(each(clips)) for each in (self._store.images, self._store.joints))
        images = sent(pixels, self.device).movedim(-1, 2).float() / 255  # as bytes to the device, a quarter of the way
        return ClipBatch(first, images, sent(joints, self.device))


def split_clips(config: TrainConfig, store: ClipStore, split: str, device: torch.device, feed: Feed) -> Clips:
    """The clips of a split that a training sees; raises as `all_clips`."""
    del feed  # pixels are decoded
    numbers = choose(numbers_of(store, split), config.max_windows, config.seed)
    return Clips(store, numbers, device)


def all_clips(store: ClipStore, split: str, device: torch.device) -> Clips:
    """The clips of a split.

    Raises:
        BadInputError: if there are none.
        ChoiceError: if there is no such split.
    """
    return Clips(store, numbers_of(store, split), device)


def numbers_of(store: ClipStore, split: str) -> NDArray[np.int64]:
    """Numbers of the clips of a split; raises as `all_clips`."""
    numbers = store.clips(split)
    if not len(numbers):
        raise BadInputError(f"{store.path}: split {split}: expected clips, found none; choose another split")
    return numbers
