"""Photographs to a store of crops: gather, plan, then shards, which `posedata.assemble` writes and publishes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.ahead import ahead
from posedata.assemble import Contents, Encode, carry_out, encoder
from posedata.crops.family import CROPS
from posedata.crops.gather import Figure, gather
from posedata.crops.images import cut, read_image
from posedata.crops.plan import CropPlan, make_plan
from posedata.crops.recipe import CropRecipe
from posedata.errors import bad_file
from posedata.progress import Progress, silent
from posedata.skeleton import COCO_NAMES
from posedata.store import schema
from posedata.store.writer import Frames

Array = NDArray[Any]


def build_crops(
    recipe: CropRecipe,
    raw: Path,
    out: Path,
    *,
    workers: int = 1,
    skip_bad: bool = False,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Build a store of crops.

    Args:
        recipe: what to build.
        raw: the raw tree, see `posedata.crops.tree`.
        out: where the store will stand; until it is complete, nothing stands there.
        workers: threads that decode, cut and compress; they do not show in the bytes.
        skip_bad: go on after a bad annotation or image, and list it.
        overwrite: replace a store that stands at `out`.
        dry_run: read and check everything, write nothing.
        progress: told of every step.

    Returns:
        The report: see `posedata.assemble.carry_out`.

    Raises:
        BadInputError: raw data is missing, damaged or about to be misread.
        ConflictError: `out` exists, or another process builds it.
    """

    def prepare(scratch: Path) -> tuple[Contents, Encode]:
        plan = make_plan(recipe, gather(CROPS.datasets[recipe.dataset], raw, scratch, workers, skip_bad, progress))
        return _contents(plan, recipe), encoder(lambda shard: _arrays(plan, shard), plan.attributes, workers)

    return carry_out(prepare, out, dry_run=dry_run, overwrite=overwrite, progress=progress)


def _contents(plan: CropPlan, recipe: CropRecipe) -> Contents:
    return Contents(
        name=recipe.store_name.removesuffix(".zarr"),
        attributes=plan.attributes,
        table=_table(plan),
        sources=plan.found.sources,
        skipped=tuple(plan.found.skipped),
        warnings=plan.warnings,
    )


def _table(plan: CropPlan) -> dict[str, Array]:
    """The arrays of `schema.TABLE`."""
    pictures = plan.found.pictures
    return {
        "joint": np.asarray(COCO_NAMES, object),
        "image_id": np.asarray([picture.image.key for picture in pictures], np.int64),
        "image_name": np.asarray([picture.image.name for picture in pictures], object),
        "image_set": np.asarray([picture.of.name for picture in pictures], object),
        "image_width": np.asarray([picture.image.width for picture in pictures], np.int32),
        "image_height": np.asarray([picture.image.height for picture in pictures], np.int32),
    }


def _arrays(plan: CropPlan, shard: int) -> dict[str, Frames]:
    """The frames of a shard, by array."""
    start = shard * schema.SHARD_FRAMES
    frames = plan.frames[start : start + schema.SHARD_FRAMES]
    figures = [figure for _, figure in frames]
    return {
        # Photographs are decoded while those before are compressed.
        "crop": lambda: ahead(_blocks(plan, frames)),
        "points": np.asarray([figure.points for figure in figures], np.float32),
        "visibility": np.asarray([figure.visibility for figure in figures]),
        "box": np.asarray([figure.square.corners for figure in figures], np.float32),
        "annotation_id": np.asarray([figure.person.key for figure in figures], np.int64),
        "image": np.asarray([number for number, _ in frames], np.int32),
        "split": plan.split[start : start + schema.SHARD_FRAMES],
    }


def _blocks(plan: CropPlan, frames: tuple[tuple[int, Figure], ...]) -> Iterator[Array]:
    """(n, 256, 256, 3) crops, a chunk at a time; people of one photograph stand side by side, and it is read once."""
    crops = _crops(plan, frames)
    for start in range(0, len(frames), schema.CHUNK_FRAMES):
        count = min(schema.CHUNK_FRAMES, len(frames) - start)
        yield np.stack([next(crops) for _ in range(count)])


def _crops(plan: CropPlan, frames: tuple[tuple[int, Figure], ...]) -> Iterator[Array]:
    shown, pixels = -1, np.empty((0, 0, 3), np.uint8)
    for number, figure in frames:
        if number != shown:
            shown, pixels = number, _pixels(plan, number)
        yield cut(pixels, figure.square)


def _pixels(plan: CropPlan, number: int) -> NDArray[np.uint8]:
    """A photograph that is still what the first pass saw."""
    picture = plan.found.pictures[number]
    photograph = read_image(picture.path, picture.image)
    if photograph.sha256 != picture.sha256:
        raise bad_file(picture.path, ["expected the file that was read before, found another; build again"])
    return photograph.pixels
