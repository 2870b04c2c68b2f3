"""Clips to a store: gather, plan, then shards, which `posedata.assemble` writes and publishes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.ahead import ahead
from posedata.assemble import Contents, Encode, carry_out, encoder
from posedata.clips.family import CLIPS
from posedata.clips.gather import gather
from posedata.clips.joints import JOINTS
from posedata.clips.plan import ClipPlan, make_plan
from posedata.clips.recipe import ClipRecipe
from posedata.clips.schema import CLIP_FRAMES
from posedata.progress import Progress, silent
from posedata.splits import SPLITS
from posedata.store import schema
from posedata.store.writer import Frames

Array = NDArray[Any]


def build_clips(
    recipe: ClipRecipe,
    raw: Path,
    out: Path,
    *,
    workers: int = 1,
    skip_bad: bool = False,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Build a store of clips.

    Args:
        recipe: what to build.
        raw: the folder with the files, see `posedata.clips.arrays`.
        out: where the store will stand; until it is complete, nothing stands there.
        workers: threads that read and compress; they do not show in the bytes.
        skip_bad: leave a clip out whose joints are bad, and list it.
        overwrite: replace a store that stands at `out`.
        dry_run: read and check the joints, write nothing.
        progress: told of every step.

    Returns:
        The report: see `posedata.assemble.carry_out`.

    Raises:
        BadInputError: raw data is missing, damaged or about to be misread.
        ConflictError: `out` exists, or another process builds it.
    """

    def prepare(scratch: Path) -> tuple[Contents, Encode]:
        plan = make_plan(recipe, gather(CLIPS.datasets[recipe.dataset], raw, scratch, skip_bad, progress))
        return _contents(plan, recipe), encoder(lambda shard: _arrays(plan, shard), plan.attributes, workers)

    return carry_out(prepare, out, dry_run=dry_run, overwrite=overwrite, progress=progress)


def _contents(plan: ClipPlan, recipe: ClipRecipe) -> Contents:
    return Contents(
        name=recipe.store_name.removesuffix(".zarr"),
        attributes=plan.attributes,
        table={"joint": np.asarray(JOINTS, object)},
        sources=plan.found.sources,
        skipped=tuple(plan.found.skipped),
        warnings=plan.warnings,
    )


def _arrays(plan: ClipPlan, shard: int) -> dict[str, Frames]:
    """The frames of a shard, by array."""
    start = shard * schema.SHARD_FRAMES
    stop = min(start + schema.SHARD_FRAMES, len(plan.row))
    clip, position = np.divmod(plan.row[start:stop], CLIP_FRAMES)
    splits = np.asarray([SPLITS[each.part.split] for each in plan.found.checked], np.uint8)
    return {
        # Frames are read while those before are compressed.
        "image": lambda: ahead(_images(plan, start, stop)),
        "joints": _read(plan, "joints", start, stop).astype(np.float32),
        "clip": clip.astype(np.int32),
        "position": position.astype(np.uint8),
        "split": splits[plan.part[start:stop]],
    }


def _images(plan: ClipPlan, start: int, stop: int) -> Iterator[Array]:
    """(n, 224, 224, 3) frames, a chunk at a time."""
    for first in range(start, stop, schema.CHUNK_FRAMES):
        yield _read(plan, "frames", first, min(first + schema.CHUNK_FRAMES, stop))


def _read(plan: ClipPlan, name: str, start: int, stop: int) -> Array:
    """What stands in the files called so, of frames of the store; what lies side by side is read at once."""
    part, row = plan.part[start:stop], plan.row[start:stop]
    breaks = np.flatnonzero((np.diff(row) != 1) | (np.diff(part) != 0)) + 1
    ends = zip([0, *breaks.tolist()], [*breaks.tolist(), len(row)], strict=True)
    return np.concatenate(
        [getattr(plan.found.checked[part[a]].part, name).read(int(row[a]), int(row[b - 1]) + 1) for a, b in ends]
    )
