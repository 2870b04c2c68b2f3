"""Photographs to a store of crops: gather, plan, then shards, which `posedata.assemble` writes and publishes."""

import shutil
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.ahead import ahead, in_threads
from posedata.assemble import Contents, Finish, assemble, foreseen, frame_specs, report
from posedata.crops.formats import CROPS
from posedata.crops.gather import Figure, gather
from posedata.crops.images import cut, read_image
from posedata.crops.plan import CropPlan, make_plan
from posedata.crops.recipe import CropRecipe
from posedata.errors import bad_file
from posedata.progress import Progress, silent
from posedata.shards import Frames, encode_arrays
from posedata.skeleton import COCO_NAMES
from posedata.store import schema
from posedata.store.staging import check_target, staged

Array = NDArray[Any]


def build_crops(
    recipe: CropRecipe,
    raw: Path,
    out: Path,
    *,
    workers: int = 1,
    skip_bad: bool = False,
    overwrite: bool = False,
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
        progress: told of every step.

    Returns:
        The report: see `posedata.assemble.report`.

    Raises:
        BadInputError: raw data is missing, damaged or about to be misread.
        ConflictError: `out` exists, or another process builds it.
    """
    begin = time.monotonic()
    with staged(out.absolute(), overwrite, resume=True) as stage:
        scratch = stage / "spool"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        plan = make_plan(recipe, gather(CROPS[recipe.dataset], raw, scratch, workers, skip_bad, progress))
        specs = frame_specs(plan.attributes)

        def encode(numbers: Iterable[int], finish: Finish) -> Iterator[int]:
            return in_threads(lambda n: finish(n, encode_arrays(specs, _arrays(plan, n))), numbers, workers)

        manifest = assemble(_contents(plan, recipe), encode, stage, out, overwrite=overwrite, progress=progress)
    return report(out, manifest) | {"seconds": round(time.monotonic() - begin, 3)}


def foresee_crops(
    recipe: CropRecipe,
    raw: Path,
    out: Path,
    *,
    workers: int = 1,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """What `build_crops` would report or raise, from reading all raw files; `bytes` and `content_digest` are None."""
    begin = time.monotonic()
    check_target(out, overwrite)
    with TemporaryDirectory(prefix="posedata-") as scratch:
        found = gather(CROPS[recipe.dataset], raw, Path(scratch), workers, skip_bad, progress)
        plan = make_plan(recipe, found)
    told = foreseen(out, plan.attributes, found.skipped, plan.warnings)
    return told | {"seconds": round(time.monotonic() - begin, 3)}


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
