"""Takes the wanted files out of an archive that nobody vouches for.

Names, sizes and numbers are checked before anything is written, only wanted files are, and their paths are put together
from checked parts. A .tar.gz is read from front to back once; what is not wanted is passed over.
"""

import gzip
import os
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from posedata.errors import BadInputError
from posedata.formats.base import MOST_FILE
from posedata.progress import Advance, Progress

MOST_MEMBERS = 1_000_000
"""Of an archive: six times those of the one that holds most."""

MOST_KEPT = 1 << 32
"""Bytes of all wanted files of an archive."""

MOST_STREAM = 1 << 35
"""Bytes that a .tar.gz expands to: ten times those of the largest."""

_MOST_DIRECTORY = 1 << 24
"""Bytes of a .zip's list of members, and of what stands before a member of a .tar: they are read whole."""

_PIECE = 1 << 20

_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    LookupError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)
"""What reading a damaged archive raises, besides what the disk does."""


class _Member(NamedTuple):
    """A file, or something else, in an archive; `odd` tells why it cannot be taken."""

    name: str
    size: int
    odd: str
    open: Callable[[], IO[bytes] | None]


def unpack(archive: Path, keep: Sequence[str], into: Path, progress: Progress) -> None:
    """Write the wanted files of a .zip or .tar.gz.

    Args:
        archive: the file.
        keep: patterns of members' paths; each must match a member, and its group is the path below `into`.
        into: a folder that only this process uses.
        progress: told of the bytes of the archive.

    Raises:
        BadInputError: if the archive is damaged, encrypted or dangerous, or lacks what is wanted. Nothing is written
            outside of `into`, which is then half full.
    """
    patterns = [re.compile(pattern) for pattern in keep]
    missing = dict.fromkeys(keep)
    count = total = 0
    with _damage_told(archive), progress(f"unpacking {archive.name}", archive.stat().st_size, "bytes") as advance:
        for member in _members(archive, advance):
            count += 1
            path = _wanted(member, patterns, missing)
            total += member.size if path else 0
            if count > MOST_MEMBERS or total > MOST_KEPT:
                raise ValueError(f"more than {MOST_MEMBERS:,} members or {MOST_KEPT:,} bytes")
            if path:
                _write(member, into / path)
        if missing:
            raise ValueError(f"no member like {next(iter(missing))}")


@contextmanager
def _damage_told(archive: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        found = str(error).partition("\n")[0] or type(error).__name__
        raise BadInputError(
            f"{archive}: expected the archive that its authors publish, found {found}; remove it to download it again"
        ) from error


def _wanted(member: _Member, patterns: Sequence[re.Pattern[str]], missing: dict[str, None]) -> str | None:
    """Where a member goes, if it is wanted; raises ValueError if it is dangerous."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"member {member.name!r}, which lies outside of it")
    for pattern in patterns:
        match = pattern.fullmatch(path.as_posix())
        if match is None:
            continue
        if member.odd:
            raise ValueError(f"member {member.name!r}: {member.odd}")
        if not 0 <= member.size <= MOST_FILE:
            raise ValueError(f"member {member.name!r} of {member.size:,} bytes")
        missing.pop(pattern.pattern, None)
        return match[1]
    return None


def _write(member: _Member, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source = member.open()
    if source is None:
        raise ValueError(f"member {member.name!r} without content")
    try:
        file = target.open("xb")
    except FileExistsError as error:
        raise ValueError(f"member {member.name!r} twice") from error
    with source, file:
        size = 0
        while piece := source.read(_PIECE):
            size += file.write(piece)
    if size != member.size:
        raise EOFError(f"{size:,} of {member.size:,} bytes of member {member.name!r}")


def _members(archive: Path, advance: Advance) -> Iterator[_Member]:
    with archive.open("rb") as file:
        zipped = file.read(2) == b"PK"
    return _zip_members(archive, advance) if zipped else _tar_members(archive, advance)


class _ShortReads(FileIO):
    """A file of which no reader gets much at once: a .zip says itself how long its list of members is."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = os.fstat(self.fileno()).st_size - self.tell()
        if size > _MOST_DIRECTORY:
            raise zipfile.BadZipFile("a list of members that is too large to be meant")
        return super().read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_SET and offset < 0:
            raise zipfile.BadZipFile("a member in front of its beginning")
        return super().seek(offset, whence)


def _zip_members(archive: Path, advance: Advance) -> Iterator[_Member]:
    with _ShortReads(archive) as file, zipfile.ZipFile(file) as reader:
        for info in reader.infolist():
            if not info.is_dir():
                yield _Member(info.filename, info.file_size, _odd_in_zip(info), partial(reader.open, info))
            advance(info.compress_size)


def _odd_in_zip(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "no regular file"
    return "" if info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) else "an unusual compression"


class _Expanded:
    """The bytes of a .gz, up to `most`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._gzip = gzip.GzipFile(fileobj=file)
        self._at = 0
        self.most = _MOST_DIRECTORY

    def read(self, size: int) -> bytes:
        piece = self._gzip.read(size)
        self._at += len(piece)
        if self._at > self.most:
            raise tarfile.ReadError("more bytes than a member says, or than can be meant")
        return piece


def _tar_members(archive: Path, advance: Advance) -> Iterator[_Member]:
    with archive.open("rb") as file:
        expanded = _Expanded(file)
        at = 0
        with tarfile.open(fileobj=expanded, mode="r|") as reader:  # type: ignore[call-overload]
            while (info := reader.next()) is not None:
                if info.issparse():
                    raise ValueError(f"member {info.name!r}: a sparse file")
                end = info.offset_data + (info.size if info.isreg() else 0)
                expanded.most = min(end + _MOST_DIRECTORY, MOST_STREAM)
                if not info.isdir():
                    odd = "" if info.isreg() else "no regular file"
                    yield _Member(info.name, info.size, odd, partial(reader.extractfile, info))
                reader.members.clear()  # it would keep all
                advance(file.tell() - at)
                at = file.tell()
            expanded.most = MOST_STREAM
            _need_zeros(reader.fileobj)


def _need_zeros(rest: IO[bytes]) -> None:
    """Raise ReadError unless a tar's end is its end: tarfile takes a damaged header for it. At the end gzip checks."""
    while piece := rest.read(_PIECE):
        if piece.strip(b"\0"):
            raise tarfile.ReadError("a damaged header")
