"""Raw files to a store: the one place where the steps are strung together.

    raw files -> gather (read, check, box) -> plan (torso, windows, splits) -> shards (noise, heatmaps) -> assemble

Work is dealt out by shards. A shard's bytes depend on the recipe and on its frames alone, so the number of
workers does not show in the result.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.assemble import Contents, Encode, Finish, carry_out, encode_here, frame_specs
from posedata.cluster import check_cluster, encode_on_cluster
from posedata.config import Recipe
from posedata.errors import ChoiceError
from posedata.formats import find_format
from posedata.gather import Entry, gather
from posedata.plan import Plan, make_plan
from posedata.progress import Progress, silent
from posedata.shards import Shards, encoded
from posedata.skeleton import KEYPOINTS

Array = NDArray[Any]


def build_store(
    recipe: Recipe,
    raw: Mapping[str, Path],
    out: Path,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Build a store.

    Args:
        recipe: what to build.
        raw: raw tree of each of its datasets.
        out: where the store will stand; until it is complete, nothing stands there.
        workers: threads that render and compress.
        scheduler: address of a dask scheduler whose workers render and compress instead.
        skip_bad: go on after a bad file, and list it.
        overwrite: replace a store that stands at `out`.
        progress: told of every step.

    Returns:
        The report: see `posedata.assemble.report`.

    Raises:
        BadInputError: raw data is missing, damaged or about to be misread.
        ConflictError: `out` exists, or another process builds it.
        ChoiceError: the recipe does not fit the datasets, or the scheduler's address is none.
        RemoteError: the cluster cannot be reached, is lost, or has other versions than this build.
    """
    _check_request(recipe, scheduler)
    prepare = partial(_prepare, recipe, raw, skip_bad, progress, workers=workers, scheduler=scheduler)
    return carry_out(prepare, out, overwrite=overwrite, progress=progress)


def dry_run(
    recipe: Recipe,
    raw: Mapping[str, Path],
    out: Path,
    *,
    scheduler: str | None = None,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """What `build_store` would report or raise, from asking the cluster and reading the raw files.

    `bytes` and `content_digest` are None.
    """
    _check_request(recipe, scheduler)
    prepare = partial(_prepare, recipe, raw, skip_bad, progress, keep_heatmaps=False)
    return carry_out(prepare, out, dry_run=True, overwrite=overwrite)


def _prepare(
    recipe: Recipe,
    raw: Mapping[str, Path],
    skip_bad: bool,
    progress: Progress,
    scratch: Path,
    *,
    keep_heatmaps: bool = True,
    workers: int = 1,
    scheduler: str | None = None,
) -> tuple[Contents, Encode]:
    plan = make_plan(recipe, gather(recipe, raw, scratch, skip_bad, progress, keep_heatmaps))
    return _contents(plan), _encoder(plan, workers, scheduler)


def _check_request(recipe: Recipe, scheduler: str | None) -> None:
    formats = [find_format(s.dataset) for s in recipe.datasets]
    detected = [f.name for f in formats if f.detector]
    if detected and len(detected) < len(formats):
        raise ChoiceError(
            f"datasets: {', '.join(detected)} has a detector's heatmaps, the others are given noise; build two stores"
        )
    if bool(detected) == bool(recipe.noise):
        raise ChoiceError("noise: expected for annotations without a detector's output, and only for those")
    if scheduler is not None and detected:
        raise ChoiceError("--scheduler: expected a noisy store; a detector's heatmaps lie here, and are encoded here")
    if scheduler is not None:
        check_cluster(scheduler)
    if detected and recipe.fps is not None:
        raise ChoiceError(
            f"--fps: expected with annotations only; a detector's heatmaps ({', '.join(detected)}) cannot be resampled"
        )
    if detected and (recipe.box_jitter or recipe.box_span != "frame"):
        option = "--box-jitter" if recipe.box_jitter else "--box-span"
        raise ChoiceError(
            f"{option}: expected with annotations only; the boxes of {', '.join(detected)} are a detector's own, "
            "which give no keypoint away"
        )


def _contents(plan: Plan) -> Contents:
    return Contents(
        name=plan.recipe.store_name.removesuffix(".zarr"),
        attributes=plan.attributes,
        table=_table(plan.gathered.entries),
        sources=plan.gathered.sources,
        skipped=tuple(plan.gathered.skipped),
        warnings=plan.warnings,
    )


def _encoder(plan: Plan, workers: int, scheduler: str | None) -> Encode:
    """Threads, or the workers of a cluster."""
    specs = frame_specs(plan.attributes)
    shards = Shards(plan, specs)

    def on_cluster(numbers: Iterable[int], finish: Finish) -> Iterator[int]:
        for shard, files in encode_on_cluster(str(scheduler), numbers, shards.frames):
            yield finish(shard, zip(specs, ([file] for file in files), strict=True))

    def here(numbers: Iterable[int], finish: Finish) -> Iterator[int]:
        return encode_here(lambda shard: encoded(shards.frames(shard)), numbers, finish, workers)

    return here if scheduler is None else on_cluster


def _table(entries: list[Entry]) -> dict[str, Array]:
    """The arrays of `schema.TABLE`."""
    columns = {
        "dataset": object,
        "name": object,
        "video": object,
        "action": object,
        "start": np.int64,
        "length": np.int64,
        "fps": np.float64,
    }
    table = {f"sequence_{c}": np.asarray([getattr(e, c) for e in entries], t) for c, t in columns.items()}
    return {"keypoint": np.asarray(KEYPOINTS, object), **table}
