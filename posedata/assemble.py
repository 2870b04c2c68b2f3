"""From what a store shall hold to a store that stands: shards written, sealed, published by one rename.

Every kind of store is made here, from raw data or from other stores: `carry_out` is given what reads and decides.

Work is dealt out by shards. A finished shard is noted in a journal, so a killed process goes on where it was.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any

from numpy.typing import NDArray

from posedata.ahead import in_threads, until
from posedata.config import json_digest
from posedata.files import need_space, sha256_file, sync_tree
from posedata.manifest import MANIFEST_NAME, READERS, SOURCES_NAME, Manifest, Skipped, remove_others
from posedata.progress import Progress, silent
from posedata.seal import seal
from posedata.store import schema, writer
from posedata.store.journal import Journal
from posedata.store.kinds import KINDS, described
from posedata.store.opened import open_any
from posedata.store.schema import ArraySpec
from posedata.store.staging import check_target, publish, staged
from posedata.store.writer import Frames, encode_arrays
from posedata.versions import versions

Files = Iterable[tuple[ArraySpec, Iterable[bytes]]]
"""The files of a shard, one of every array along frames, in parts."""

Finish = Callable[[int, Files], int]
"""Writes the files of a shard, takes note of it, and returns its number."""

Encode = Callable[[Iterable[int], Finish], Iterator[int]]
"""Encodes shards, in whatever order and on whatever machine, calls `Finish` with each, and yields what that returns."""


@dataclass(frozen=True, eq=False)
class Contents:
    """All of a store but its arrays along frames.

    Attributes:
        name: of the dataset, for its card.
        attributes: of the root; they tell which arrays there are, and how long.
        table: the arrays that do not run along frames, by name.
        sources: a CSV file with every raw file used: dataset, path, sha256.
        skipped: what was left out.
        warnings: what a careful person should know.
    """

    name: str
    attributes: Mapping[str, Any]
    table: Mapping[str, NDArray[Any]]
    sources: Path
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]


Prepare = Callable[[Path], tuple[Contents, Encode]]
"""Reads and decides, with an empty folder for scratch files: what a store shall hold, and what encodes it."""


def carry_out(
    prepare: Prepare, out: Path, *, dry_run: bool = False, overwrite: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Make a store, or tell what it would be.

    Args:
        prepare: reads and decides.
        out: where the store will stand; until it is complete, nothing stands there.
        dry_run: write nothing.
        overwrite: replace a store that stands there.
        progress: told of the frames.

    Returns:
        See `report`; of a dry run `bytes` and `content_digest` are None.

    Raises:
        ConflictError: if `out` exists or is being read, or another process makes it.
        ResourceError: if the disk has no room for it.
    """
    begin = time.monotonic()
    told = _foresee(prepare, out, overwrite) if dry_run else _make(prepare, out, overwrite, progress)
    return told | {"seconds": round(time.monotonic() - begin, 3)}


def _make(prepare: Prepare, out: Path, overwrite: bool, progress: Progress) -> dict[str, Any]:
    with staged(out.absolute(), overwrite, resume=True) as stage:
        scratch = stage / "spool"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        manifest = _assemble(*prepare(scratch), stage, out, overwrite=overwrite, progress=progress)
    return report(out, manifest)


def _foresee(prepare: Prepare, out: Path, overwrite: bool) -> dict[str, Any]:
    check_target(out, overwrite)
    with TemporaryDirectory(prefix="posedata-") as scratch:
        contents, _ = prepare(Path(scratch))
    summary = _summary(contents.attributes, contents.skipped, contents.warnings)
    return {"store": str(out), **summary, "bytes": None, "content_digest": None}


def _assemble(
    contents: Contents, encode: Encode, stage: Path, out: Path, *, overwrite: bool, progress: Progress
) -> Manifest:
    """Write a store into a stage, where what a killed process left is gone on with, and publish it."""
    folder, frames = stage / "store", contents.attributes["counts"]["frames"]
    specs = frame_specs(contents.attributes)
    names = [schema.files_of_shard(specs, shard) for shard in range(schema.shards_of(frames))]
    journal = Journal(stage / "journal", _key(contents), folder, names)
    _write(contents, encode, folder, journal, progress)
    known = {file.path: file for files in journal.finished.values() for file in files}
    manifest = seal(folder, contents.name, contents.attributes, contents.skipped, contents.warnings, known)
    open_any(folder)  # what would not open is not published
    check_target(out, overwrite)
    publish(folder, out.absolute())
    return manifest


def encoder(arrays: Callable[[int], Mapping[str, Frames]], attributes: Mapping[str, Any], workers: int) -> Encode:
    """Encodes shards in threads of this process.

    Args:
        arrays: the frames of a shard, by its number and by the names of the arrays.
        attributes: of the root.
        workers: how many threads; they do not show in the bytes.
    """
    specs = frame_specs(attributes)

    def encode(numbers: Iterable[int], finish: Finish) -> Iterator[int]:
        return encode_here(lambda shard: encode_arrays(specs, arrays(shard)), numbers, finish, workers)

    return encode


def encode_here(files: Callable[[int], Files], numbers: Iterable[int], finish: Finish, workers: int) -> Iterator[int]:
    """Encode shards in threads of this process; after an error or signal none goes on beyond the chunk it is at.

    Args:
        files: of a shard, by its number.
        numbers: of the shards.
        finish: called with each.
        workers: how many threads.
    """
    stopped = Event()

    def work(shard: int) -> int:
        return finish(shard, ((spec, until(stopped, parts)) for spec, parts in files(shard)))

    return in_threads(work, numbers, workers, stopped.set)


def frame_specs(attributes: Mapping[str, Any]) -> tuple[ArraySpec, ...]:
    """The arrays along frames of a store with these attributes of its root."""
    specs, _ = described(attributes)
    return tuple(spec for spec in specs if spec.along_frames)


def _key(contents: Contents) -> str:
    """Names all that the bytes of a shard depend on: code, libraries, recipe, sources."""
    sources = sha256_file(contents.sources)
    return json_digest([versions(), contents.attributes, sources])


def _write(contents: Contents, encode: Encode, folder: Path, journal: Journal, progress: Progress) -> None:
    """Write all arrays, but for the shards that are finished."""
    specs, lengths = described(contents.attributes)
    frames, kind = lengths["frame"], KINDS[contents.attributes["kind"]]
    left = {
        shard: schema.frames_of_shard(shard, frames)
        for shard in range(schema.shards_of(frames))
        if shard not in journal.finished
    }
    need_space(folder.parent, kind.least_bytes(sum(left.values())))
    remove_others(folder, {file.path for files in journal.finished.values() for file in files})
    writer.create(folder, specs, lengths, contents.table, contents.attributes)
    shutil.copyfile(contents.sources, folder / SOURCES_NAME)

    def finish(shard: int, files: Files) -> int:
        journal.add(shard, [writer.write_file(folder, spec, shard, parts) for spec, parts in files])
        return shard

    with progress("writing", frames, "frames") as advance:
        advance(frames - sum(left.values()))
        for shard in encode(left, finish):
            advance(left[shard])
    sync_tree(folder)


def report(store: Path, manifest: Manifest) -> dict[str, Any]:
    """What the commands tell of a store: the keys that scripts rely on."""
    size = sum(file.size for file in manifest.files) + (store / MANIFEST_NAME).stat().st_size
    summary = _summary(manifest.summary, manifest.skipped, manifest.warnings)
    return {"store": str(store), **summary, "bytes": size, "content_digest": manifest.content_digest}


def _summary(attributes: Mapping[str, Any], skipped: Iterable[Skipped], warnings: Iterable[str]) -> dict[str, Any]:
    return {
        "kind": attributes["kind"],
        **attributes["counts"],
        **attributes["measured"],
        "synthetic": attributes["synthetic"],
        "recipe": attributes["recipe"],
        "skipped": [s.model_dump() for s in skipped],
        "warnings": list(warnings),
        **({READERS: attributes[READERS]} if READERS in attributes else {}),
    }
