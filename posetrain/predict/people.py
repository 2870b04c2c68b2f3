"""Who is to be refined: one person over time, as heatmaps or keypoints that come block by block."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.geometry import to_cells
from posedata.heatmaps import AMPLITUDE, TARGET_SIGMA, row_table
from posetrain.sources import LookedUp, present_peaks

BLOCK = 64
"""Frames at a time: 20 MB of heatmaps."""

Floats = NDArray[np.float64]


class Block(Protocol):
    """Some frames that follow each other.

    Attributes:
        peaks: (n, 25, 2) float32 grid positions, x y; NaN = missing.
        heatmaps: (n, 25, 56, 56) float32.
        confidence: (n, 25) float64, NaN = not told.
    """

    @property
    def peaks(self) -> Tensor: ...  # noqa: D102

    @property
    def heatmaps(self) -> Tensor: ...  # noqa: D102

    @property
    def confidence(self) -> Floats: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class HeatmapBlock:
    """A block of a detector's heatmaps, each of which sums to 255; its confidence is the share in the largest cell."""

    heatmaps: Tensor

    @cached_property
    def peaks(self) -> Tensor:
        """See `Block`."""
        return present_peaks(self.heatmaps)

    @cached_property
    def confidence(self) -> Floats:
        """See `Block`."""
        return self.heatmaps.amax(dim=(-2, -1)).cpu().double().numpy() / AMPLITUDE


@dataclass(frozen=True, eq=False)
class PointBlock:
    """A block of keypoints (n, 25, 2) on the grid, with their (n, 25) confidence.

    Its heatmaps are made as those of targets, by a Gaussian of one cell, which is in both published sets of sigmas.
    """

    grid: Floats
    confidence: Floats
    device: torch.device

    @cached_property
    def peaks(self) -> Tensor:
        """See `Block`; not rounded to cells."""
        return torch.from_numpy(self.grid.astype(np.float32)).to(self.device)

    @cached_property
    def heatmaps(self) -> Tensor:
        """See `Block`; what lies outside of the grid is in the cell next to it."""
        table, sigma = row_table((TARGET_SIGMA,)), np.zeros(len(self.grid), np.intp)
        return LookedUp(table, to_cells(self.grid), sigma, self.device).heatmaps(np.arange(len(self.grid)))


@dataclass(frozen=True, eq=False)
class Person:
    """One person over time.

    Attributes:
        name: unique in the input; "" where people have no names.
        video: where the person is seen; people of one video share its frames.
        fps: frames a second, NaN = unknown.
        frame_number: (T,) int64, strictly increasing.
        there: (T,) bool, whether the input has the frame; the others lie in gaps of it, and are not told of.
        boxes: (T, 4) float64 pixels that the grid lies on; NaN = none. Around points they hang on all frames.
        runs: frames without a gap or a cut between them, see `posetrain.overlap`; in order, together all frames.
        sized: whether the boxes are as large as the person; else nothing can be refined in them.
        tight: whether the boxes are known to be those around the true keypoints, see `posetrain.data.Batch`.
        points: (T, 25, 2) pixels, NaN = missing; None where only heatmaps are known.
        film: what the film of the video is called, without its ending.
        first: number of the first frame of that film.
        blocks: called with first and last + 1, at most `BLOCK` frames on, in order and each frame once.
        turn: of the frames that are there, see `posedata.formats.keypoints.tracks.Track`.
    """

    name: str
    video: str
    fps: float
    frame_number: NDArray[np.int64]
    there: NDArray[np.bool_]
    boxes: Floats
    runs: list[slice]
    sized: bool
    tight: bool
    points: Floats | None
    film: str
    first: int
    blocks: Callable[[int, int], Block]
    turn: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.frame_number)
