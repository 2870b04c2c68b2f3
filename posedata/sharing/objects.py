"""Files of a collection, each under the sha256 of its bytes: sent if it is not there, proven when it comes."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from posedata.ahead import in_threads
from posedata.errors import IntegrityError
from posedata.files import own_name, sha256_file
from posedata.manifest import StoreFile
from posedata.progress import Advance
from posedata.sharing.blocks import blocks
from posedata.sharing.packs import Pack, unpacked
from posedata.sharing.remote import Remote, listed

OBJECTS = "objects"

_THREADS = 16

_COPIED = 1 << 20
"""Bytes of a file of this disk that are in memory at a time."""


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
    there = listed(remote, OBJECTS)
    unique = {file.sha256: file for file in files}.values()
    return Parts(
        tuple(file for file in unique if there.get(file.sha256, -1) not in (file.size, None)),
        tuple(file for file in unique if there.get(file.sha256, -1) in (file.size, None)),
    )


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
    packs: Sequence[Pack] = (),
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
        packs: of these files, which are tried first.

    Returns:
        Those that had to be fetched.

    Raises:
        IntegrityError: if what comes is not what was published.
        RemoteError: if it does not come.
    """
    unique = {file.path: file for file in files}
    for parent in {(folder / path).parent for path in unique}:
        parent.mkdir(parents=True, exist_ok=True)
    into = _Into(remote, folder, known, advance, mine)
    fetched = [file for found in in_threads(into.unpack, packs, _THREADS, remote.stop) for file in found]
    rest = unique.keys() - {file.path for file in fetched}
    largest_first = sorted((unique[path] for path in rest), key=lambda file: (-file.size, file.path))
    return fetched + [file for file in in_threads(into.fetch, largest_first, _THREADS, remote.stop) if file]


@dataclass(frozen=True)
class _Into:
    """Where files are fetched to; see `fetch`."""

    remote: Remote
    folder: Path
    known: Mapping[str, Path]
    advance: Advance
    mine: str

    def fetch(self, file: StoreFile) -> StoreFile | None:
        """Make one file lie there; None if it did, or a copy of it was on this disk."""
        path, part = self.folder / file.path, self._part(file)
        if _is(path, file):
            part.unlink(missing_ok=True)
            self.advance(file.size)
            return None
        copied = _copied(self.known.get(file.sha256), part, file)
        if copied:
            self.advance(file.size)
        else:
            _download(self.remote, file, part, self.advance)
        part.replace(path)
        return None if copied else file

    def unpack(self, pack: Pack) -> list[StoreFile]:
        """Fetch what lacks of a pack, if that is half of it at least; what does not come can be fetched by itself."""
        lacking = {
            file.path for file in pack.files if file.sha256 not in self.known and not (self.folder / file.path).exists()
        }
        if 2 * len(lacking) < len(pack.files):
            return []
        came = [(file, content) for file, content in unpacked(self.remote, pack) if file.path in lacking]
        for file, content in came:
            self._part(file).write_bytes(content)
            self._part(file).replace(self.folder / file.path)
            self.advance(file.size)
        return [file for file, _ in came]

    def _part(self, file: StoreFile) -> Path:
        path = self.folder / file.path
        return path.with_name(part_name(f"{path.name}{self.mine and '.'}{self.mine}"))


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
        for block in blocks(remote, f"{OBJECTS}/{file.sha256}", file.size, begun):
            out.write(block)
            out.flush()
            digest.update(block)
            advance(len(block))
    return digest.hexdigest()


def _is(path: Path, file: StoreFile) -> bool:
    return path.is_file() and path.stat().st_size == file.size and sha256_file(path) == file.sha256


def _copied(source: Path | None, part: Path, file: StoreFile) -> bool:
    """Whether a file of this disk has the content, and `part` is now a copy of it."""
    if source is None or not source.is_file() or source.stat().st_size != file.size:
        return False
    digest = hashlib.sha256()
    with own_name(part) as mine:  # `part` may hold what came before a cut
        with mine.open("wb") as out:
            for block in _readable(source):
                out.write(block)
                digest.update(block)
        if digest.hexdigest() != file.sha256:
            return False
        mine.replace(part)
    return True


def _readable(path: Path) -> Iterator[bytes]:
    """The bytes of a file, up to where it has gone or its disk fails: it can be fetched."""
    with suppress(OSError), path.open("rb") as file:
        yield from iter(lambda: file.read(_COPIED), b"")
