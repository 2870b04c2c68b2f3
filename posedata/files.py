"""Files that are there whole, or not at all; and their hashes."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from posedata.ahead import in_threads
from posedata.errors import FULL_DISK, ChoiceError, ConflictError, ResourceError
from posedata.locks import locked

_BLOCK = 1 << 20
_SYNCS = 8
"""Files that are flushed at a time."""


class Written(NamedTuple):
    """What was written into a file, in bytes, and its hex sha256."""

    size: int
    sha256: str


def write_durably(path: Path, parts: Iterable[bytes]) -> Written:
    """Write a file under a temporary name, flush it to disk, then give it its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _part(path)
    size, digest = 0, hashlib.sha256()
    with naming(path), temporary.open("wb") as file:
        for part in parts:
            file.write(part)
            digest.update(part)
            size += len(part)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return Written(size, digest.hexdigest())


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let errors of a full disk, which name no file, name this one, which is being written."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in FULL_DISK:
            error.filename = str(path)
        raise


@contextmanager
def own_name(path: Path) -> Iterator[Path]:
    """A name beside `path` that nobody else uses, for a file that is to take its place; what is left of it goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mine = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield mine
    finally:
        mine.unlink(missing_ok=True)
        _part(mine).unlink(missing_ok=True)


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def copy_durably(source: Path, path: Path) -> Written:
    """A copy of a file, as `write_durably` makes it."""
    with source.open("rb") as file:
        return write_durably(path, iter(lambda: file.read(_BLOCK), b""))


def sync_tree(root: Path) -> None:
    """Flush `root` and every file and folder below it to disk; several at once, which the disk does together."""
    walked = [(folder, names) for folder, _, names in os.walk(root)]
    for paths in ([f"{folder}/{name}" for folder, names in walked for name in names], [folder for folder, _ in walked]):
        for _ in in_threads(_sync, paths, _SYNCS):
            pass


def sync_folder(folder: Path) -> None:
    """Flush the entries of one folder to disk: a rename in it lasts from here on."""
    _sync(folder)


def _sync(path: Path | str) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def need_space(folder: Path, size: int) -> None:
    """Raise ResourceError if the disk of `folder` has not `size` bytes left."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise ResourceError(f"{folder}: expected {size:,} bytes of free space at least, found {free:,}; free some")


def bytes_below(folder: Path) -> int:
    """Of all files in a folder and in folders of it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def need_empty(folder: Path) -> None:
    """Raise ConflictError if something is there already, be it a file or a folder that holds anything."""
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise ConflictError(f"{folder}: expected no such folder or an empty one, found something; give another --out")


def need_free(out: Path, overwrite: bool) -> None:
    """Raise ConflictError if a folder is there already or, unless `overwrite`, a file."""
    if out.is_dir():
        raise ConflictError(f"{out}: expected no such path, found a folder; use another name")
    if not overwrite and (out.exists() or out.is_symlink()):
        raise ConflictError(f"{out}: expected no such file, found one; use --overwrite or another name")


def need_outside(out: Path, root: Path) -> None:
    """Raise ChoiceError if `out` lies in `root`, a store or raw tree: that would no longer be what it was."""
    if out.resolve().is_relative_to(root.resolve()):
        raise ChoiceError(f"{out}: expected a file outside of {root}, found one in it; use another name")


@contextmanager
def whole_file(out: Path, overwrite: bool) -> Iterator[Path]:
    """A path to write to; the file takes its name, durably, when all is done, and goes if anything fails.

    Raises:
        ConflictError: if `out` may not be replaced, or another process writes it.
    """
    need_free(out, overwrite)
    folder = out.with_name(f".{out.name}.making")
    with naming(out), locked(folder, out):
        part = folder / out.name
        part.unlink(missing_ok=True)
        try:
            yield part
            sync_tree(folder)
            need_free(out, overwrite)
            part.replace(out)
            sync_folder(out.absolute().parent)
        finally:
            remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all in it, though a signal comes meanwhile."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise
