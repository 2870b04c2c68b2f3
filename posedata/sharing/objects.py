"""Files of a collection, each under the sha256 of its bytes: sent if it is not there, proven when it comes."""

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from posedata.ahead import in_threads
from posedata.errors import IntegrityError, RemoteError
from posedata.files import sha256_file
from posedata.manifest import StoreFile
from posedata.progress import Advance
from posedata.sharing.remote import GivenUpError, NotThereError, Remote

OBJECTS = "objects"

_THREADS = 8
_BLOCK = 8 << 20
"""Bytes that are asked for at a time: what a cut costs."""

_WAITS = (0.5, 2.0, 5.0)
"""Seconds before a block is asked for again."""


@dataclass(frozen=True)
class Parts:
    """Which files are to be moved, and which are in place already."""

    move: tuple[StoreFile, ...]
    keep: tuple[StoreFile, ...]

    @property
    def bytes(self) -> int:
        """To be moved."""
        return sum(file.size for file in self.move)


def part_name(path: str) -> str:
    """What a file is called, relative to the same folder, until it is whole."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}.{name}.part"


def to_send(remote: Remote, files: Iterable[StoreFile]) -> Parts:
    """Each content once, and whether the collection has it."""
    there = _sizes(remote)
    unique = {file.sha256: file for file in files}.values()
    return Parts(
        tuple(file for file in unique if there.get(file.sha256, -1) not in (file.size, None)),
        tuple(file for file in unique if there.get(file.sha256, -1) in (file.size, None)),
    )


def _sizes(remote: Remote) -> dict[str, int | None]:
    try:
        return remote.sizes(OBJECTS)
    except NotThereError:
        return {}


def send(remote: Remote, store: Path, files: Iterable[StoreFile], advance: Advance) -> None:
    """Send files of a store.

    Raises:
        IntegrityError: if one is not what the manifest says; it is not sent.
        RemoteError: if the place fails.
    """

    def one(file: StoreFile) -> int:
        path = store / file.path
        if path.stat().st_size != file.size or sha256_file(path) != file.sha256:
            raise IntegrityError(f"{path}: expected sha256 {file.sha256}, found another: it is damaged")
        remote.send(path, f"{OBJECTS}/{file.sha256}")
        return file.size

    for size in in_threads(one, files, _THREADS, remote.stop):
        advance(size)


def fetch(
    remote: Remote,
    files: Iterable[StoreFile],
    folder: Path,
    known: Mapping[str, Path],
    advance: Advance,
    mine: str = "",
) -> None:
    """Make files lie below a folder, each proven.

    What lies there already is not fetched again, nor is the part of a file that came before a cut.

    Args:
        remote: the collection.
        files: what is wanted; paths are relative to `folder`.
        folder: where to.
        known: files on this disk that may have the content, by sha256.
        advance: told of the bytes.
        mine: goes into the names of files that are not whole yet, where others may fetch to the same folder.

    Raises:
        IntegrityError: if what comes is not what was published.
        RemoteError: if it does not come.
    """

    def one(file: StoreFile) -> None:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(part_name(f"{path.name}{mine and '.'}{mine}"))
        if _is(path, file) or _copied(known.get(file.sha256), part, file):
            advance(file.size)
        else:
            _download(remote, file, part, advance)
        if part.exists():
            part.replace(path)

    for _ in in_threads(one, files, _THREADS, remote.stop):
        pass


def _download(remote: Remote, file: StoreFile, part: Path, advance: Advance) -> None:
    """Fetch one file, or what is missing of it."""
    begun = part.stat().st_size if part.is_file() else 0
    if begun > file.size:
        part.unlink()
        begun = 0
    advance(begun)
    read = partial(_patiently, partial(remote.read, f"{OBJECTS}/{file.sha256}"))
    with part.open("ab") as out:
        done = begun
        while done < file.size:
            block = _block(read, done, file.size)
            out.write(block)
            out.flush()
            done += len(block)
            advance(len(block))
    if sha256_file(part) == file.sha256:
        return
    part.unlink()
    if not begun:
        name = f"{remote.url}/{OBJECTS}/{file.sha256}"
        raise IntegrityError(
            f"{name}: expected the bytes of {file.path}, found others: damaged there: remove it and push again"
        )
    advance(-file.size)
    _download(remote, file, part, advance)


def _block(read: Callable[[int, int], bytes], done: int, size: int) -> bytes:
    """The next bytes of a file; places that cannot give parts give all of it, of which the rest is taken."""
    stop = min(done + _BLOCK, size)
    block = read(done, stop)
    if len(block) == size:
        return block[done:]
    if len(block) != stop - done:
        raise RemoteError(f"expected {stop - done:,} bytes, found {len(block):,}; the same command goes on")
    return block


def _patiently(read: Callable[[int, int], bytes], start: int, stop: int) -> bytes:
    for seconds in _WAITS:
        try:
            return read(start, stop)
        except (NotThereError, GivenUpError):
            raise
        except RemoteError:
            time.sleep(seconds)
    return read(start, stop)


def _is(path: Path, file: StoreFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size and sha256_file(path) == file.sha256


def _copied(source: Path | None, part: Path, file: StoreFile) -> bool:
    """Whether a file of this disk has the content, and `part` is now a copy of it."""
    if source is None or not source.is_file() or source.stat().st_size != file.size:
        return False
    shutil.copyfile(source, part)
    if sha256_file(part) == file.sha256:
        return True
    part.unlink()
    return False
