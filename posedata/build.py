"""Raw files to a store: the one place where the steps are strung together.

    raw files -> gather (read, check, box) -> plan (torso, windows, splits) -> shards (noise, heatmaps) -> manifest

Work is dealt out by shards. A shard's bytes depend on the recipe and on its frames alone, so the number of
workers does not show in the result.
"""

import hashlib
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.ahead import in_threads
from posedata.cluster import check_cluster, encode_on_cluster
from posedata.config import Recipe, canonical_json
from posedata.errors import ChoiceError
from posedata.files import need_space, sha256_file, sync_tree
from posedata.formats import find_format
from posedata.gather import Entry, gather
from posedata.manifest import MANIFEST_NAME, SOURCES_NAME, Manifest, remove_others
from posedata.plan import Plan, make_plan
from posedata.progress import Progress, silent
from posedata.seal import seal
from posedata.shards import Shards, encoded
from posedata.skeleton import KEYPOINTS
from posedata.store import schema, writer
from posedata.store.journal import Journal
from posedata.store.reader import open_store
from posedata.store.staging import check_target, publish, staged
from posedata.versions import fingerprint

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
        The report: see `report`.

    Raises:
        BadInputError: raw data is missing, damaged or about to be misread.
        ConflictError: `out` exists, or another process builds it.
        ChoiceError: the recipe does not fit the datasets, or the cluster not this build.
        RemoteError: the cluster cannot be reached.
    """
    begin = time.monotonic()
    _check_recipe(recipe)
    if scheduler is not None and recipe.noise is None:
        raise ChoiceError("--scheduler: expected a noisy store; a detector's heatmaps lie here, and are encoded here")
    if scheduler is not None:
        check_cluster(scheduler)
    with staged(out.absolute(), overwrite, resume=True) as stage:
        scratch, folder = stage / "spool", stage / "store"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        plan = make_plan(recipe, gather(recipe, raw, scratch, skip_bad, progress))
        specs = _frame_specs(plan.recipe)
        shards = range(schema.shards_of(plan.gathered.frames))
        names = [schema.files_of_shard(specs, shard) for shard in shards]
        journal = Journal(stage / "journal", _key(plan), folder, names)
        _write(plan, specs, folder, journal, workers, scheduler, progress)
        manifest = seal(
            folder,
            recipe.store_name.removesuffix(".zarr"),
            plan.attributes,
            plan.gathered.skipped,
            plan.warnings,
            {file.path: file for files in journal.finished.values() for file in files},
        )
        open_store(folder)  # what would not open is not published
        check_target(out, overwrite)
        publish(folder, out.absolute())
    return report(out, manifest) | {"seconds": round(time.monotonic() - begin, 3)}


def dry_run(
    recipe: Recipe,
    raw: Mapping[str, Path],
    out: Path,
    *,
    skip_bad: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """What `build_store` would report, from reading the raw files alone; `bytes` and `content_digest` are None."""
    begin = time.monotonic()
    _check_recipe(recipe)
    check_target(out, overwrite)
    with TemporaryDirectory(prefix="posedata-") as scratch:
        plan = make_plan(recipe, gather(recipe, raw, Path(scratch), skip_bad, progress, keep_heatmaps=False))
    summary = _summary(plan.attributes, plan.gathered.skipped, plan.warnings)
    unknown = {"bytes": None, "content_digest": None, "seconds": round(time.monotonic() - begin, 3)}
    return {"store": str(out), **summary, **unknown}


def report(store: Path, manifest: Manifest) -> dict[str, Any]:
    """What the commands `build` and `info` tell of a store: the keys that scripts rely on."""
    size = sum(file.size for file in manifest.files) + (store / MANIFEST_NAME).stat().st_size
    skipped = list(manifest.skipped)
    summary = _summary(manifest.summary, skipped, manifest.warnings)
    return {"store": str(store), **summary, "bytes": size, "content_digest": manifest.content_digest}


def _summary(attributes: Mapping[str, Any], skipped: list[Any], warnings: tuple[str, ...]) -> dict[str, Any]:
    return {
        "kind": attributes["kind"],
        **attributes["counts"],
        **attributes["measured"],
        "synthetic": attributes["synthetic"],
        "recipe": attributes["recipe"],
        "skipped": [s.model_dump() for s in skipped],
        "warnings": list(warnings),
    }


def _check_recipe(recipe: Recipe) -> None:
    formats = [find_format(s.dataset) for s in recipe.datasets]
    detected = [f.name for f in formats if f.detector]
    if detected and len(detected) < len(formats):
        raise ChoiceError(
            f"datasets: {', '.join(detected)} has a detector's heatmaps, the others are given noise; build two stores"
        )
    if bool(detected) == bool(recipe.noise):
        raise ChoiceError("noise: expected for annotations without a detector's output, and only for those")
    if detected and recipe.fps is not None:
        raise ChoiceError(
            f"--fps: expected with annotations only; a detector's heatmaps ({', '.join(detected)}) cannot be resampled"
        )


def _key(plan: Plan) -> str:
    """Names all that the bytes of a shard depend on: code, libraries, recipe, sources."""
    sources = sha256_file(plan.gathered.sources)
    return hashlib.sha256(canonical_json([fingerprint(), plan.attributes, sources])).hexdigest()


def _frame_specs(recipe: Recipe) -> tuple[schema.ArraySpec, ...]:
    noise = recipe.noise
    return schema.frame_arrays(noise is not None, noise is not None and noise.sigma_per == "keypoint")


def _write(
    plan: Plan,
    specs: tuple[schema.ArraySpec, ...],
    folder: Path,
    journal: Journal,
    workers: int,
    scheduler: str | None,
    progress: Progress,
) -> None:
    """Write all arrays, but for the shards that are finished."""
    frames = plan.gathered.frames
    left = {
        shard: schema.frames_of_shard(shard, frames)
        for shard in range(schema.shards_of(frames))
        if shard not in journal.finished
    }
    need_space(folder.parent, schema.least_bytes(sum(left.values())))
    remove_others(folder, {file.path for files in journal.finished.values() for file in files})
    writer.create(folder, specs, frames, _table(plan.gathered.entries), plan.attributes)
    shutil.copyfile(plan.gathered.sources, folder / SOURCES_NAME)
    shards = Shards(plan, specs)

    def finish(shard: int, files: Iterable[tuple[schema.ArraySpec, Iterable[bytes]]]) -> int:
        journal.add(shard, [writer.write_file(folder, spec, shard, parts) for spec, parts in files])
        return shard

    with progress("writing", frames, "frames") as advance:
        advance(frames - sum(left.values()))
        if scheduler is not None:
            done: Iterator[int] = (
                finish(shard, zip(specs, ([file] for file in files), strict=True))
                for shard, files in encode_on_cluster(scheduler, left, shards.frames)
            )
        else:
            done = in_threads(lambda shard: finish(shard, encoded(shards.frames(shard))), left, workers)
        for shard in done:
            advance(left[shard])
    sync_tree(folder)


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
