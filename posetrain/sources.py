"""Heatmaps of a store's frames, and their peaks, on a device.

They come one of two ways, bit for bit the same: decoded from the store's files, or, where the store says that they are
a pure function of cells and sigma, looked up on the device. Nothing is computed in a look-up, so devices cannot differ.
"""

from typing import Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.errors import ChoiceError, IntegrityError
from posedata.geometry import GRID
from posedata.heatmaps import TARGET_SIGMA, RowTable, peak_table, renderable, row_table
from posedata.skeleton import K
from posedata.store.reader import Store
from posetrain.devices import sent

Feed = Literal["auto", "store", "render"]
_NAMES = ("input_heatmaps", "target_heatmaps")


class Source(Protocol):
    """One array of heatmaps; `frames` are positions in the store, of any shape."""

    decodes: bool
    """Whether it takes time on the CPU to read from it."""

    def heatmaps(self, frames: NDArray[np.int64]) -> Tensor:
        """(*frames, 25, 56, 56) float32."""

    def peaks(self, frames: NDArray[np.int64]) -> Tensor:
        """(*frames, 25, 2) float32 grid positions, x y; NaN where a heatmap has no positive value."""


def sources(store: Store, device: torch.device, feed: Feed) -> dict[str, Source]:
    """The two arrays of heatmaps by name.

    Args:
        store: where they are from.
        device: where they are wanted.
        feed: "store" decodes files, "render" looks heatmaps up, "auto" looks up what can be.

    Raises:
        ChoiceError: if `feed` is "render" and the store's heatmaps are not a function of cells and sigma.
    """
    if feed == "render" and not set(_NAMES) <= set(store.rendered):
        raise ChoiceError(f"--feed render: expected a store of rendered heatmaps, found a detector's in {store.path}")
    looked_up = () if feed == "store" else store.rendered
    return {
        name: _looked_up(store, name, device) if name in looked_up else Decoded(store, name, device) for name in _NAMES
    }


def _looked_up(store: Store, name: str, device: torch.device) -> "LookedUp":
    given = name == "input_heatmaps"
    cells = store["input_cells" if given else "target_cells"]
    sigma = store.sigma_numbers() if given else np.zeros(len(store), np.intp)
    table = store.input_table if given else row_table((TARGET_SIGMA,))
    if not renderable(table, cells, sigma):
        raise IntegrityError(f"{store.path}: {name}: expected cells from 0 to {GRID - 1} and sigmas of the recipe")
    return LookedUp(table, cells, sigma, device)


class Decoded:
    """Heatmaps from the store's files."""

    decodes = True

    def __init__(self, store: Store, name: str, device: torch.device) -> None:
        self._store, self._name, self._device = store, name, device

    def heatmaps(self, frames: NDArray[np.int64]) -> Tensor:
        """See `Source`."""
        if self._device.type != "cpu":  # half as much to send
            return sent(torch.from_numpy(self._store.frames(self._name, frames)), self._device).float()
        # Widened as they are copied: numpy is three times as slow at that.
        found = torch.empty(frames.size, K, GRID, GRID)
        for places, rows in self._store.pieces(self._name, frames):
            found[places].copy_(torch.from_numpy(rows))
        return found.view(*frames.shape, K, GRID, GRID)

    def peaks(self, frames: NDArray[np.int64]) -> Tensor:
        """See `Source`."""
        return present_peaks(self.heatmaps(frames))


class LookedUp:
    """Heatmaps from cells and sigmas, as `posedata.heatmaps.render` makes them.

    Args:
        table: rows of the set of sigmas.
        cells: (N, 25, 2) int8, x y; -1 = missing.
        sigma: (N,) or (N, 25) positions in the set.
        device: where to keep them; 100 bytes a frame.
    """

    decodes = False

    def __init__(self, table: RowTable, cells: NDArray[np.int8], sigma: NDArray[np.intp], device: torch.device) -> None:
        # float16 to float32 is exact, so the rows may be widened once instead of every heatmap.
        self._rows = torch.from_numpy(table.rows.astype(np.float32)).to(device)
        self._first = torch.from_numpy(table.first).to(device)
        self._peaks = torch.from_numpy(peak_table(table).astype(np.float32)).to(device)
        self._cells = torch.from_numpy(cells).to(device)
        sigma = sigma[:, None] if sigma.ndim == 1 else sigma
        self._sigma = torch.from_numpy(np.ascontiguousarray(sigma, np.uint8)).to(device)

    def heatmaps(self, frames: NDArray[np.int64]) -> Tensor:
        """See `Source`."""
        x, y, sigma = self._impulses(frames)
        # A missing keypoint's -1 would count from the end; it is sent to row 0, which is zero.
        numbers = self._first[sigma, y.clamp(min=0)] + x[..., None].int()
        return torch.nn.functional.embedding(numbers.where(x[..., None] >= 0, 0), self._rows)

    def peaks(self, frames: NDArray[np.int64]) -> Tensor:
        """See `Source`."""
        x, y, sigma = self._impulses(frames)
        return self._peaks[sigma, y.clamp(min=0), x.clamp(min=0)].where(x[..., None] >= 0, torch.nan)

    def _impulses(self, frames: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        at = sent(torch.from_numpy(frames), self._rows.device)
        x, y = self._cells[at].long().unbind(-1)
        return x, y, self._sigma[at].long()


def peaks(heatmaps: Tensor) -> Tensor:
    """(..., height, width) to (..., 2) grid positions, x y: centre of the largest cell, the first in row-major order.

    The same as `posedata.heatmaps.decode`, on the heatmaps' device.
    """
    first, width = _first_largest(heatmaps.flatten(-2)), heatmaps.shape[-1]
    return torch.stack([first % width, first // width], dim=-1) + 0.5


def _first_largest(values: Tensor) -> Tensor:
    """(..., n) to (...): where the largest is, the first of several."""
    if values.device.type == "cpu" and values.is_contiguous():  # numpy is three times as fast as torch
        return torch.from_numpy(np.asarray(values.numpy().argmax(axis=-1)))
    return values.argmax(dim=-1)


def present_peaks(heatmaps: Tensor) -> Tensor:
    """`peaks`, NaN where a heatmap has no positive value."""
    present = heatmaps.amax(dim=(-2, -1)) > 0
    return peaks(heatmaps).where(present[..., None], torch.nan)
