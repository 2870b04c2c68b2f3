"""Files of a collection, each under the sha256 of its bytes: sent if it is not there, proven when it comes."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from posedata.ahead import in_threads
from posedata.errors import IntegrityError, RemoteError
from posedata.files import sha256_file
from posedata.manifest import StoreFile
from posedata.progress import Advance
from posedata.sharing.remote import GivenUpError, NotThereError, Remote

OBJECTS = "objects"

_THREADS = 16
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
) -> list[StoreFile]:
    """Make files lie below a folder, each proven.

    What lies there already is not fetched again, nor is the part of a file that came before a cut.

    Args:
        remote: the collection.
        files: what is wanted; paths are relative to `folder`.
        folder: where to.
        known: files on this disk that may have the content, by sha256.
        advance: told of the bytes.
        mine: goes into the names of files that are not whole yet, where others may fetch to the same folder.

    Returns:
        Those that had to be fetched.

    Raises:
        IntegrityError: if what comes is not what was published.
        RemoteError: if it does not come.
    """

    def one(file: StoreFile) -> StoreFile | None:
        path = folder / file.path
        part = path.with_name(part_name(f"{path.name}{mine and '.'}{mine}"))
        if _is(path, file):
            part.unlink(missing_ok=True)
            advance(file.size)
            return None
        copied = _copied(known.get(file.sha256), part, file)
        if copied:
            advance(file.size)
        else:
            _download(remote, file, part, advance)
        part.replace(path)
        return None if copied else file

    unique = {file.path: file for file in files}
    for parent in {(folder / path).parent for path in unique}:
        parent.mkdir(parents=True, exist_ok=True)
    largest_first = sorted(unique.values(), key=lambda file: -file.size)  # none is waited for alone at the end
    return [file for file in in_threads(one, largest_first, _THREADS, remote.stop) if file]


def _download(remote: Remote, file: StoreFile, part: Path, advance: Advance) -> None:
    """Fetch one file, or what is missing of it; where that does not fit together, all of it."""
    there = part.stat().st_size if part.is_file() else 0
    for begun in dict.fromkeys((there if there <= file.size else 0, 0)):
        advance(begun)
        if _append(remote, file, part, begun, advance) == file.sha256:
            return
        advance(-file.size)
    part.unlink()
    raise IntegrityError(
        f"{remote.url}/{OBJECTS}/{file.sha256}: expected the bytes of {file.path}, found others; it is damaged there: "
        "remove it and push again"
    )


def _append(remote: Remote, file: StoreFile, part: Path, begun: int, advance: Advance) -> str:
    """Fetch the bytes of a file from `begun` on; returns the sha256 of all that is there then."""
    with part.open("r+b" if begun else "w+b") as out:
        digest = hashlib.file_digest(out, "sha256")
        while begun < file.size:
            block = _patiently(remote, file, begun)
            out.write(block)
            out.flush()
            digest.update(block)
            begun += len(block)
            advance(len(block))
    return digest.hexdigest()


def _patiently(remote: Remote, file: StoreFile, start: int) -> bytes:
    for seconds in _WAITS:
        try:
            return _block(remote, file, start)
        except (NotThereError, GivenUpError):
            raise
        except RemoteError:
            if remote.given_up.wait(seconds):
                raise
    return _block(remote, file, start)


def _block(remote: Remote, file: StoreFile, start: int) -> bytes:
    """The next bytes of a file; places that cannot give parts give all of it, of which the rest is taken."""
    name, stop = f"{OBJECTS}/{file.sha256}", min(start + _BLOCK, file.size)
    block = remote.read(name, file.size, start, stop)
    if len(block) == file.size:
        return block[start:]
    if len(block) != stop - start:
        raise RemoteError(
            f"{remote.url}/{name}: expected {stop - start:,} bytes, found {len(block):,}; the same command goes on"
        )
    return block


def _is(path: Path, file: StoreFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size and sha256_file(path) == file.sha256


def _copied(source: Path | None, part: Path, file: StoreFile) -> bool:
    """Whether a file of this disk has the content, and `part` is now a copy of it."""
    if source is None or not source.is_file() or source.stat().st_size != file.size:
        return False
    try:
        content = source.read_bytes()
    except OSError:  # it has gone, or its disk fails: it can be fetched
        return False
    if hashlib.sha256(content).hexdigest() != file.sha256:
        return False
    part.write_bytes(content)
    return True
