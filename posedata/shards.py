"""The second pass of a build: noise and heatmaps, one shard of frames at a time.

A shard's bytes depend on its `ShardFrames` alone, so who encodes which, when, and on which machine, does not show.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata import geometry, heatmaps, noise
from posedata.config import Noise
from posedata.plan import Plan
from posedata.spool import Spool
from posedata.store import schema
from posedata.store.schema import ArraySpec
from posedata.store.writer import Frames, encode_arrays

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class ShardFrames:
    """All that the bytes of a shard depend on; S frames.

    Attributes:
        specs: the arrays along frames.
        given: "points" (S, 25, 2) and "boxes" (S, 4) in pixels, "frame_number", "shot", "split".
        pieces: the sequences that have frames here, by the names of their draws, and which of their frames.
        seed: of the draws.
        noise: of the input; None for a detector's.
        shift_std: grid px; None for a detector's input.
        detected: yields the blocks of a detector's heatmaps; None for rendered input.
    """

    specs: tuple[ArraySpec, ...]
    given: Mapping[str, Array]
    pieces: tuple[tuple[str, range], ...]
    seed: int
    noise: Noise | None
    shift_std: float | None
    detected: Callable[[], Iterator[Array]] | None


class Shards:
    """The shards of a plan."""

    def __init__(self, plan: Plan, specs: tuple[ArraySpec, ...]) -> None:
        self._plan = plan
        self._specs = specs
        self._starts = np.asarray([e.start for e in plan.gathered.entries])

    def frames(self, shard: int) -> ShardFrames:
        """What there is to be known of a shard."""
        plan, spool = self._plan, self._plan.gathered.spool
        start = shard * schema.SHARD_FRAMES
        stop = min(start + schema.SHARD_FRAMES, plan.gathered.frames)
        given = {name: spool.read(name, start, stop) for name in ("points", "boxes", "frame_number", "shot")}
        return ShardFrames(
            self._specs,
            given | {"split": plan.split[start:stop]},
            tuple(self._pieces(start, stop)),
            plan.recipe.seed,
            plan.recipe.noise,
            plan.shift_std,
            None if plan.recipe.noise else partial(_spooled, spool, start, stop),
        )

    def _pieces(self, start: int, stop: int) -> Iterator[tuple[str, range]]:
        first = int(np.searchsorted(self._starts, start, side="right")) - 1
        for entry in self._plan.gathered.entries[first:]:
            if entry.start >= stop:
                return
            yield entry.key, range(max(start - entry.start, 0), min(stop - entry.start, entry.length))


def encoded(shard: ShardFrames) -> Iterator[tuple[ArraySpec, Iterator[bytes]]]:
    """The files of a shard, one of every array, in parts."""
    return encode_arrays(shard.specs, _arrays(shard))


def _arrays(shard: ShardFrames) -> dict[str, Frames]:
    given = shard.given
    grid = geometry.to_grid(given["points"], given["boxes"])
    cells = geometry.to_cells(grid)
    target_rows = heatmaps.row_table((heatmaps.TARGET_SIGMA,))
    arrays: dict[str, Any] = {
        "target_heatmaps": partial(rendered, target_rows, cells, np.zeros(len(cells), np.intp)),
        "target_cells": cells,
        "target_points": grid.astype(np.float32),
        "annotated": cells[..., 0] >= 0,
        "box": given["boxes"].astype(np.float32),
        **{name: given[name] for name in ("frame_number", "shot", "split")},
    }
    if shard.noise is None:
        return arrays | {"input_heatmaps": shard.detected}
    input_cells, which = _noisy(shard, shard.noise, grid)
    input_rows = heatmaps.row_table(shard.noise.sigmas)
    return arrays | {
        "input_heatmaps": partial(rendered, input_rows, input_cells, which),
        "input_cells": input_cells,
        "input_sigma": np.asarray(shard.noise.sigmas, np.float32)[which],
    }


def _noisy(shard: ShardFrames, config: Noise, grid: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.intp]]:
    """Shifted cells, and which sigma smears them."""
    if shard.shift_std is None:
        raise ValueError("a plan without noise has no noisy input")
    shifts, which = [], []
    for key, frames in shard.pieces:
        shifts.append(noise.standard_shifts(shard.seed, key, frames))
        which.append(noise.sigma_choices(shard.seed, key, frames, len(config.sigmas), config.sigma_per))
    return geometry.to_cells(grid + shard.shift_std * np.concatenate(shifts)), np.concatenate(which)


def rendered(
    rows: heatmaps.RowTable, cells: NDArray[np.int8], which: NDArray[np.intp]
) -> Iterator[NDArray[np.float16]]:
    """Blocks of heatmaps, all in one buffer.

    Args:
        rows: for the set of sigmas.
        cells: (n, 25, 2), x y; -1 = missing.
        which: (n,) or (n, 25), positions in the set.
    """
    buffer = np.empty((schema.CHUNK_FRAMES, *cells.shape[1:2], geometry.GRID, geometry.GRID), np.float16)
    for start in range(0, len(cells), schema.CHUNK_FRAMES):
        block = slice(start, start + schema.CHUNK_FRAMES)
        yield heatmaps.render(rows, cells[block], which[block], out=buffer[: len(cells[block])])


def _spooled(spool: Spool, start: int, stop: int) -> Iterator[Array]:
    for first in range(start, stop, schema.CHUNK_FRAMES):
        yield spool.read("heatmaps", first, min(first + schema.CHUNK_FRAMES, stop))
