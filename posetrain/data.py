"""Windows of a store as batches on a device: the bridge to posedata."""

from collections.abc import Iterable, Iterator
from copy import copy
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.ahead import ahead, filled
from posedata.config import OTHER_BOXES
from posedata.errors import BadInputError
from posedata.geometry import torso_diameters
from posedata.noise import SHIFT_SHARE
from posedata.store.reader import Store
from posedata.store.schema import CHUNK_FRAMES
from posetrain.config import Shuffle, TrainConfig
from posetrain.devices import sent
from posetrain.sources import Feed, Source, sources
from posetrain.team import ALONE, Team

MIXED_BLOCKS = 16
"""Blocks of frames whose windows are shuffled together: 512 frames, from as many places in the store."""

Input = Literal["noisy", "clean"]
Part = Literal["input", "input_peaks", "target"]


class Batch:
    """Some windows. What a task does not ask for is never made.

    Attributes:
        frames: (B, T) positions of the frames in the store.
        points: (B, T, 25, 2) float32: sub-cell grid positions of the target, NaN where it means nothing.
        annotated: (B, T, 25) bool: where the target means anything.
        boxes: (B, T, 4) float32 pixels that the grid lies on, NaN = none.
        tight: (B, T) bool: whether a frame's box is known to be that of `square_boxes` around its true keypoints.
        unit_shift: grid px, standard deviation of the shifts of k = 1; None if the input is a detector's.
    """

    def __init__(
        self,
        frames: NDArray[np.int64],
        given: Source,
        wanted: Source,
        points: Tensor,
        annotated: Tensor,
        boxes: Tensor,
        tight: Tensor,
        unit_shift: float | None = None,
    ) -> None:
        self.frames = frames
        self.points = points
        self.annotated = annotated
        self.unit_shift = unit_shift
        self.boxes = boxes
        self.tight = tight
        self._given = given
        self._wanted = wanted

    @property
    def first(self) -> NDArray[np.int64]:
        """(B,) positions in the store of the windows' first frames."""
        return self.frames[:, 0]

    def showing(self, given: Source, tight: Tensor) -> "Batch":
        """The same windows with another input; (B, T) bool tells of which frames the boxes are known to be tight."""
        return Batch(self.frames, given, self._wanted, self.points, self.annotated, self.boxes, tight, self.unit_shift)

    @cached_property
    def input(self) -> Tensor:
        """(B, T, 25, 56, 56) float32: what a model may see."""
        return self._given.heatmaps(self.frames)

    @cached_property
    def input_peaks(self) -> Tensor:
        """(B, T, 25, 2) float32: peaks of the input on the grid, x y; NaN where it has none."""
        return self._given.peaks(self.frames)

    @cached_property
    def target(self) -> Tensor:
        """(B, T, 25, 56, 56) float32: what a model should say."""
        return self._wanted.heatmaps(self.frames)


class Windows:
    """Windows of a store, as batches in any order.

    Args:
        store: where they are from.
        starts: (W,) first positions.
        length: frames in a window.
        step: frames from one to the next.
        device: where the batches are wanted.
        feed: how heatmaps come, see `posetrain.sources`.
        given: "noisy" is the store's input; "clean" is the target in its place, which is no test of a refiner:
            it shows what published tables measured.

    Attributes:
        unit: what they are called.

    Raises:
        ChoiceError: if `feed` is "render" and the store's heatmaps are not a function of cells and sigma.
    """

    unit = "windows"

    def __init__(
        self,
        store: Store,
        starts: NDArray[np.int64],
        length: int,
        step: int,
        device: torch.device,
        feed: Feed,
        given: Input = "noisy",
    ) -> None:
        self.starts = starts
        self.step = step
        self._offsets = np.arange(length) * step
        self.device = device
        self._annotated = store["annotated"]
        self.target_cells = store["target_cells"]
        self.target_points = store["target_points"].astype(np.float64)
        self.video = store.frame_video
        self.torso = torso_diameters(self.target_points)
        self._unit_shift = _unit_shift(store)
        self._tight = has_tight_boxes(store)
        self._box = store["box"]
        made = sources(store, device, feed)
        self._given = made["input_heatmaps" if given == "noisy" else "target_heatmaps"]
        self._wanted = made["target_heatmaps"]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def frames(self) -> NDArray[np.int64]:
        """(W, T) positions of the frames of all windows in the store."""
        return self.starts[:, None] + self._offsets

    def elsewhere(self, starts: NDArray[np.int64], length: int) -> "Windows":
        """Other windows of the same store at the same step."""
        made = copy(self)
        made.starts, made._offsets = starts, np.arange(length) * self.step
        return made

    def batches(
        self, order: NDArray[np.int64], size: int, parts: Iterable[Part] = (), team: Team = ALONE
    ) -> Iterator[Batch]:
        """Batches of windows.

        Args:
            order: numbers of windows in `starts`.
            size: windows in a batch; the last may be smaller.
            parts: what will be asked of every batch; where it takes time to read, it is read ahead.
            team: of every batch come the windows of this process.
        """
        decodes = self._given.decodes or self._wanted.decodes
        batches = (self._batch(team.part(order[i : i + size])) for i in range(0, len(order), size))
        # Files are decoded in threads: forked loader processes hang with some codec pipelines. Input and target come
        # at once, for decoding and widening run outside Python's lock.
        return ahead(filled(batches, parts)) if decodes else batches

    def _batch(self, numbers: NDArray[np.int64]) -> Batch:
        frames = self.starts[numbers][:, None] + self._offsets
        points = sent(torch.from_numpy(self.target_points[frames].astype(np.float32)), self.device)
        annotated = sent(torch.from_numpy(self._annotated[frames]), self.device)
        boxes = sent(torch.from_numpy(self._box[frames]), self.device)
        tight = torch.full(frames.shape, self._tight, device=self.device)
        return Batch(frames, self._given, self._wanted, points, annotated, boxes, tight, self._unit_shift)


def has_tight_boxes(store: Store) -> bool:
    """Whether every frame's box is that of `posedata.geometry.square_boxes` around its true keypoints."""
    recipe = store.attributes["recipe"]
    return recipe.get("noise") is not None and not recipe.keys() & OTHER_BOXES


def need_tight_boxes(store: Store) -> None:
    """Raise BadInputError if not every box is that around the frame's true keypoints."""
    if not has_tight_boxes(store):
        raise BadInputError(
            f"{store.path}: boxes: expected those of the frames' own keypoints, found others, as detectors, "
            "--box-span sequence and --box-jitter have them; there --model mixer can be trained"
        )


def _unit_shift(store: Store) -> float | None:
    """Grid px, standard deviation of the shifts of k = 1; None for a detector's input.

    By the torso of the recipe or the mean one of the store; stores made from others have theirs only in the mean.
    """
    if "input_heatmaps" not in store.rendered:
        return None
    noise = store.attributes["recipe"].get("noise") or {}
    return SHIFT_SHARE * float(noise.get("torso") or store.attributes["measured"]["mean_torso_diameter"] or 0.0)


def shuffled(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of `count` windows in an epoch: a function of seed and epoch alone, so training can go on from any.

    Args:
        count: how many.
        seed: of the training.
        epoch: from 1; 0 chooses among windows before training.
    """
    words = np.random.Philox(key=[seed, epoch]).random_raw(count)
    return np.argsort(words, kind="stable")


def epoch_order(starts: NDArray[np.int64], shuffle: Shuffle, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order in which an epoch goes through windows with these first positions."""
    return in_blocks(starts, seed, epoch) if shuffle == "blocks" else shuffled(len(starts), seed, epoch)


def in_blocks(starts: NDArray[np.int64], seed: int, epoch: int) -> NDArray[np.int64]:
    """An order in which windows that lie together in a store come together, so that a chunk is decoded once or twice.

    The blocks are those of a chunk's frames, in a random order; the windows of `MIXED_BLOCKS` of them are shuffled
    together.

    Args:
        starts: (W,) first positions.
        seed: of the training.
        epoch: from 1.
    """
    blocks, block = np.unique(starts // CHUNK_FRAMES, return_inverse=True)
    words = np.random.Philox(key=[seed, epoch]).random_raw(len(blocks) + len(starts))
    place = np.argsort(np.argsort(words[: len(blocks)], kind="stable"))
    return np.lexsort((words[len(blocks) :], place[block] // MIXED_BLOCKS))


def choose(starts: NDArray[np.int64], most: int | None, seed: int) -> NDArray[np.int64]:
    """At most `most` of the windows, in rising order; None = all."""
    if most is None or most >= len(starts):
        return starts
    return np.sort(starts[shuffled(len(starts), seed, 0)[:most]])


def split_windows(config: TrainConfig, store: Store, split: str, device: torch.device, feed: Feed) -> Windows:
    """The windows of a split that a training sees; raises BadInputError if there are none."""
    starts = choose(split_starts(config, store, split), config.max_windows, config.seed)
    return Windows(store, starts, config.window, config.frame_step, device, feed)


def split_starts(config: TrainConfig, store: Store, split: str) -> NDArray[np.int64]:
    """First positions of all windows of a split; raises BadInputError if there are none."""
    starts = store.windows(split, config.window, config.frame_step)
    if not len(starts):
        raise BadInputError(
            f"{store.path}: split: expected {split} windows of {config.window} frames at step {config.frame_step}, "
            "found none; build the store from more sequences or with another --split"
        )
    return starts
