"""Windows of a store as batches on a device: the bridge to posedata.

Heatmaps come one of two ways, bit for bit the same: decoded from the store's files, or, where the store says that
they are a pure function of cells and sigma, looked up on the device. Nothing is computed in a look-up, so devices
cannot differ.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.ahead import ahead
from posedata.errors import ChoiceError
from posedata.geometry import GRID, torso_diameters
from posedata.heatmaps import TARGET_SIGMA, RowTable, row_table
from posedata.skeleton import K
from posedata.store.reader import Store

Feed = Literal["auto", "store", "render"]
Input = Literal["noisy", "clean"]


@dataclass(frozen=True, eq=False)
class Batch:
    """Some windows.

    Attributes:
        input: (B, T, 25, 56, 56) float32: what a model may see.
        target: the same shape: what it should say.
        points: (B, T, 25, 2) float32: sub-cell grid positions of the target, NaN where it means nothing.
        annotated: (B, T, 25) bool: where the target means anything.
        frames: (B, T) positions of the frames in the store.
    """

    input: Tensor
    target: Tensor
    points: Tensor
    annotated: Tensor
    frames: NDArray[np.int64]


class _Source(Protocol):
    """Heatmaps of the frames at given positions: (n, 25, 56, 56) float32 on the device."""

    def __call__(self, frames: NDArray[np.int64]) -> Tensor: ...


class Windows:
    """Windows of a store, as batches in any order.

    Args:
        store: where they are from.
        starts: (W,) first positions.
        length: frames in a window.
        step: frames from one to the next.
        device: where the batches are wanted.
        feed: "store" decodes files, "render" looks heatmaps up, "auto" looks up what can be.
        given: "noisy" is the store's input; "clean" is the target in its place, which is no test of a refiner:
            it shows what published tables measured.

    Raises:
        ChoiceError: if `feed` is "render" and the store's heatmaps are not a function of cells and sigma.
    """

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
        self._offsets = np.arange(length) * step
        self._device = device
        self._annotated = store["annotated"]
        self.target_cells = store["target_cells"]
        self.target_points = store["target_points"].astype(np.float64)
        self.video = store.frame_video
        self.torso = torso_diameters(self.target_points)
        self._sources = _sources(store, device, feed)
        self._input = "input_heatmaps" if given == "noisy" else "target_heatmaps"
        self._decodes = any(isinstance(source, partial) for source in self._sources.values())

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def frames(self) -> NDArray[np.int64]:
        """(W, T) positions of the frames of all windows in the store."""
        return self.starts[:, None] + self._offsets

    def batches(self, order: NDArray[np.int64], size: int) -> Iterator[Batch]:
        """Batches of `size` windows, the last may be smaller; `order` numbers windows in `starts`."""
        batches = (self._batch(order[i : i + size]) for i in range(0, len(order), size))
        # Files are decoded in a thread: forked loader processes hang with some codec pipelines.
        return ahead(batches) if self._decodes else batches

    def _batch(self, numbers: NDArray[np.int64]) -> Batch:
        frames = self.starts[numbers][:, None] + self._offsets
        heatmaps = {
            name: source(frames.ravel()).view(*frames.shape, K, GRID, GRID) for name, source in self._sources.items()
        }
        points = torch.from_numpy(self.target_points[frames].astype(np.float32)).to(self._device)
        annotated = torch.from_numpy(self._annotated[frames]).to(self._device)
        return Batch(heatmaps[self._input], heatmaps["target_heatmaps"], points, annotated, frames)


def shuffled(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of `count` windows in an epoch: a function of seed and epoch alone, so training can go on from any.

    Args:
        count: how many.
        seed: of the training.
        epoch: from 1; 0 chooses among windows before training.
    """
    words = np.random.Philox(key=[seed, epoch]).random_raw(count)
    return np.argsort(words, kind="stable")


def choose(starts: NDArray[np.int64], most: int | None, seed: int) -> NDArray[np.int64]:
    """At most `most` of the windows, in rising order; None = all."""
    if most is None or most >= len(starts):
        return starts
    return np.sort(starts[shuffled(len(starts), seed, 0)[:most]])


def _sources(store: Store, device: torch.device, feed: Feed) -> Mapping[str, _Source]:
    names = ("input_heatmaps", "target_heatmaps")
    if feed == "render" and not set(names) <= set(store.rendered):
        raise ChoiceError(f"--feed render: expected a store of rendered heatmaps, found a detector's in {store.path}")
    looked_up = () if feed == "store" else store.rendered
    return {
        name: _looked_up(store, name, device) if name in looked_up else _decoded(store, name, device) for name in names
    }


def _decoded(store: Store, name: str, device: torch.device) -> _Source:
    return partial(_decode, store, name, device)


def _decode(store: Store, name: str, device: torch.device, frames: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(store.frames(name, frames)).to(device).float()


def _looked_up(store: Store, name: str, device: torch.device) -> _Source:
    if name == "input_heatmaps":
        return LookUp(store.input_table, store["input_cells"], store.sigma_numbers(), device)
    return LookUp(row_table((TARGET_SIGMA,)), store["target_cells"], np.zeros(len(store), np.intp), device)


class LookUp:
    """Heatmaps from cells and sigmas, as `posedata.heatmaps.render` makes them, on a device.

    Args:
        table: rows of the set of sigmas.
        cells: (N, 25, 2) int8, x y; -1 = missing.
        sigma: (N,) or (N, 25) positions in the set.
        device: where to keep them; 100 bytes a frame.
    """

    def __init__(self, table: RowTable, cells: NDArray[np.int8], sigma: NDArray[np.intp], device: torch.device) -> None:
        # float16 to float32 is exact, so the rows may be widened once instead of every heatmap.
        self._rows = torch.from_numpy(table.rows.astype(np.float32)).to(device)
        self._first = torch.from_numpy(table.first).to(device)
        self._cells = torch.from_numpy(cells).to(device)
        sigma = sigma[:, None] if sigma.ndim == 1 else sigma
        self._sigma = torch.from_numpy(np.ascontiguousarray(sigma, np.uint8)).to(device)

    def __call__(self, frames: NDArray[np.int64]) -> Tensor:
        """(n, 25, 56, 56) float32 at the given positions."""
        at = torch.from_numpy(frames).to(self._rows.device)
        x, y = self._cells[at].int().unbind(-1)
        # A missing keypoint's -1 would count from the end; it is sent to row 0, which is zero.
        numbers = self._first[self._sigma[at].long(), y.clamp(min=0).long()] + x[..., None]
        return torch.nn.functional.embedding(numbers.where(x[..., None] >= 0, 0), self._rows)
