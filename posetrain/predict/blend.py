"""Windows that overlap, over one run of frames of any length: a frame's place is a mean of what the windows say of it.

Heatmaps are read block by block and forgotten when the last window that needs them is done; what stays of a frame are
its keypoints.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.geometry import to_pixels
from posedata.progress import Advance
from posedata.skeleton import K
from posetrain.data import Batch
from posetrain.overlap import pieces, weights
from posetrain.predict.people import BLOCK, Floats, Person
from posetrain.sources import Source
from posetrain.trained import Trained

_BATCH = 32


@dataclass(frozen=True, eq=False)
class Answer:
    """What became of some frames.

    Attributes:
        given: (n, 25, 2) pixels, those of the input, NaN = missing.
        found: (n, 25, 2) those of the model, NaN where `given` is, or where the model says nothing.
        confidence: (n, 25) of the input, NaN = not told.
        left: how many of the frames that are there no model has seen; their `found` is `given`.
        unboxed: how many of those for want of a box.
    """

    given: Floats
    found: Floats
    confidence: Floats
    left: int
    unboxed: int


def window_length(trained: Trained, frames: int) -> int:
    """Frames of the windows over a run of so many frames; 0 if it is too short for any."""
    length = min(trained.at_once, frames // trained.frame_step)
    return length if length >= trained.shortest else 0


def window_starts(frames: int, length: int, step: int) -> NDArray[np.int64]:
    """(W,) first frames of the windows over a run, rising, so that heatmaps are read once; each is of full length."""
    return np.sort([start for start, _ in pieces(slice(0, frames), length, step)])


class _Frames:
    """The frames of a run as they come: peaks of all, heatmaps of the last ones. A `posetrain.sources.Source`."""

    decodes = False

    def __init__(self, person: Person, run: slice, device: torch.device, advance: Advance) -> None:
        self._person, self._run, self._device, self._advance = person, run, device, advance
        self._heatmaps: list[Tensor] = []
        self._first = self._read = 0
        self.given = np.full((run.stop - run.start, K, 2), np.nan)
        self.confidence = np.full((run.stop - run.start, K), np.nan)

    def read(self, end: int, with_heatmaps: bool) -> None:
        """Read on, up to the frame before `end`."""
        while self._read < end:
            stop = min(self._read + BLOCK, len(self.given))
            block = self._person.blocks(self._run.start + self._read, self._run.start + stop)
            self.given[self._read : stop] = block.peaks.cpu().double().numpy()
            self.confidence[self._read : stop] = block.confidence
            if with_heatmaps:
                self._heatmaps.append(block.heatmaps)
            self._advance(stop - self._read)
            self._read = stop

    def forget(self, before: int) -> None:
        """Let go of heatmaps of frames that no window needs any more."""
        while self._heatmaps and self._first + len(self._heatmaps[0]) <= before:
            self._first += len(self._heatmaps.pop(0))

    def heatmaps(self, frames: NDArray[np.int64]) -> Tensor:
        """(*frames, 25, 56, 56) of frames that are not forgotten."""
        held = torch.cat(self._heatmaps)
        return held[torch.from_numpy(frames - self._first).to(held.device)]

    def peaks(self, frames: NDArray[np.int64]) -> Tensor:
        """(*frames, 25, 2) float32 grid positions."""
        return torch.from_numpy(self.given[frames].astype(np.float32)).to(self._device)


def refine_run(trained: Trained, person: Person, run: slice, device: torch.device, advance: Advance) -> Answer:
    """Refine the next run of a person; one too short for a window, or without a box, is handed through.

    Keypoints that the model has not seen in its training are neither shown to it nor taken from it.
    """
    count, step = run.stop - run.start, trained.frame_step
    frames = _Frames(person, run, device, advance)
    length = window_length(trained, count)
    if not length or not person.sized:
        frames.read(count, with_heatmaps=False)
        given = to_pixels(frames.given, person.boxes[run])
        left = int(person.there[run].sum())
        return Answer(given, given, frames.confidence, left, unboxed=left if length else 0)
    total, mass, weight = np.zeros((count, K, 2)), np.zeros((count, K, 1)), weights(length)
    for at in _batches(window_starts(count, length, step), length, step):
        frames.forget(int(at[0, 0]))
        frames.read(int(at.max()) + 1, with_heatmaps="input" in trained.task.parts)
        said = ask(trained, frames, at, person.boxes[run][at], person.tight, device)
        told = ~np.isnan(said[..., :1])
        for place in range(length):  # of one place in the windows every frame is there once
            total[at[:, place]] += weight[place] * np.where(told[:, place], said[:, place], 0.0)
            mass[at[:, place]] += weight[place] * told[:, place]
    mean = np.where(mass > 0, total / np.maximum(mass, 1.0), np.nan)
    seen = np.ones(K, bool) if trained.seen is None else trained.seen
    # Handed through to the last bit, which means over windows would round off.
    found = np.where(np.isnan(frames.given), np.nan, np.where(seen[:, None], mean, frames.given))
    given, found = (to_pixels(grid, person.boxes[run]) for grid in (frames.given, found))
    return Answer(given, found, frames.confidence, left=0, unboxed=0)


def _batches(starts: NDArray[np.int64], length: int, step: int) -> Iterator[NDArray[np.int64]]:
    """(B, T) frames of some windows."""
    for first in range(0, len(starts), _BATCH):
        yield starts[first : first + _BATCH, None] + np.arange(length) * step


@torch.inference_mode()
def ask(
    trained: Trained, frames: Source, at: NDArray[np.int64], boxes: Floats, tight: bool, device: torch.device
) -> Floats:
    """(B, T, 25, 2) grid positions that the model says of the (B, T) frames, NaN where it says nothing.

    Args:
        trained: the model.
        frames: what it is given.
        at: (B, T) frames.
        boxes: (B, T, 4) pixels that the grids of these frames lie on, NaN = none.
        tight: see `posetrain.data.Batch`.
        device: where the model is.
    """
    nothing = torch.empty(0)  # there is no target
    there = torch.from_numpy(boxes.astype(np.float32)).to(device)
    batch = Batch(at, frames, frames, nothing, nothing, there, torch.full(at.shape, tight, device=device))
    said = trained.refine(trained.known_task.given(batch).to(device))
    found: Floats = trained.known_task.places(said, batch).cpu().double().numpy()
    return found
