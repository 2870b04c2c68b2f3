"""The second pass of a build: noise and heatmaps, one shard of frames at a time.

A shard's bytes depend on the plan and on its frames alone, so who writes which, and when, does not show.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata import geometry, heatmaps, noise
from posedata.gather import Entry
from posedata.manifest import StoreFile
from posedata.plan import Plan
from posedata.spool import Spool
from posedata.store import schema, writer

Array = NDArray[Any]


class ShardWriter:
    """Writes one shard of every array along frames at a time."""

    def __init__(self, plan: Plan, folder: Path, specs: tuple[schema.ArraySpec, ...]) -> None:
        self._plan = plan
        self._folder = folder
        self._specs = specs
        self._starts = np.asarray([e.start for e in plan.gathered.entries])
        self._sigmas = plan.recipe.noise.sigmas if plan.recipe.noise else ()
        self._input_rows = heatmaps.row_table(self._sigmas)
        self._target_rows = heatmaps.row_table((heatmaps.TARGET_SIGMA,))

    def write(self, shard: int) -> tuple[StoreFile, ...]:
        """Write a shard of every array."""
        start = shard * schema.SHARD_FRAMES
        stop = min(start + schema.SHARD_FRAMES, self._plan.gathered.frames)
        arrays = self._arrays(start, stop)
        made = ((spec, arrays[spec.name]) for spec in self._specs)
        return tuple(
            writer.write_frames(self._folder, spec, shard, blocks() if callable(blocks) else [blocks])
            for spec, blocks in made
        )

    def _arrays(self, start: int, stop: int) -> dict[str, Array | Callable[[], Iterator[Array]]]:
        """Every array along frames: whole, or as a function that yields the blocks of its heatmaps."""
        spool, noisy = self._plan.gathered.spool, self._plan.recipe.noise is not None
        boxes = spool.read("boxes", start, stop)
        grid = geometry.to_grid(spool.read("points", start, stop), boxes)
        cells = geometry.to_cells(grid)
        target_sigma = np.zeros(stop - start, np.intp)
        arrays: dict[str, Any] = {
            "target_heatmaps": partial(_rendered, self._target_rows, cells, target_sigma),
            "target_cells": cells,
            "target_points": grid.astype(np.float32),
            "annotated": cells[..., 0] >= 0,
            "box": boxes.astype(np.float32),
            "frame_number": spool.read("frame_number", start, stop),
            "shot": spool.read("shot", start, stop),
            "split": self._plan.split[start:stop],
        }
        if not noisy:
            return arrays | {"input_heatmaps": partial(_spooled, spool, start, stop)}
        input_cells, which = self._noisy(grid, start, stop)
        return arrays | {
            "input_heatmaps": partial(_rendered, self._input_rows, input_cells, which),
            "input_cells": input_cells,
            "input_sigma": np.asarray(self._sigmas, np.float32)[which],
        }

    def _noisy(self, grid: NDArray[np.float64], start: int, stop: int) -> tuple[NDArray[np.int8], NDArray[np.intp]]:
        """Shifted cells, and which sigma smears them."""
        config, scale = self._plan.recipe.noise, self._plan.shift_std
        if config is None or scale is None:
            raise ValueError("a plan without noise has no noisy input")
        shifts, which = [], []
        for entry, frames in self._pieces(start, stop):
            shifts.append(noise.standard_shifts(self._plan.recipe.seed, entry.key, frames))
            which.append(
                noise.sigma_choices(self._plan.recipe.seed, entry.key, frames, len(self._sigmas), config.sigma_per)
            )
        return geometry.to_cells(grid + scale * np.concatenate(shifts)), np.concatenate(which)

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[Entry, range]]:
        """The sequences that have frames in start..stop, and which of their frames those are."""
        first = int(np.searchsorted(self._starts, start, side="right")) - 1
        for entry in self._plan.gathered.entries[first:]:
            if entry.start >= stop:
                return
            yield entry, range(max(start - entry.start, 0), min(stop - entry.start, entry.length))


def _rendered(
    rows: heatmaps.RowTable, cells: NDArray[np.int8], which: NDArray[np.intp]
) -> Iterator[NDArray[np.float16]]:
    """Blocks of heatmaps, all in one buffer."""
    buffer = np.empty((schema.CHUNK_FRAMES, *cells.shape[1:2], geometry.GRID, geometry.GRID), np.float16)
    for start in range(0, len(cells), schema.CHUNK_FRAMES):
        block = slice(start, start + schema.CHUNK_FRAMES)
        yield heatmaps.render(rows, cells[block], which[block], out=buffer[: len(cells[block])])


def _spooled(spool: Spool, start: int, stop: int) -> Iterator[Array]:
    for first in range(start, stop, schema.CHUNK_FRAMES):
        yield spool.read("heatmaps", first, min(first + schema.CHUNK_FRAMES, stop))
