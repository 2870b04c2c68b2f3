"""Small files of a store, many in one object: each by itself costs a request, which takes longer than its bytes.

They lie in a collection by themselves too, for whoever has most of them, or wants one. A pack proves nothing, its files
do: what does not come by it whole is fetched by itself.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from posedata.errors import IntegrityError, RemoteError
from posedata.manifest import StoreFile
from posedata.sharing.blocks import blocks
from posedata.sharing.remote import GivenUpError, Remote, listed

PACKS = "packs"

_SMALL = 1 << 16
"""Bytes of the largest file that is packed."""

_MOST = 4 << 20
"""Bytes of the largest pack: so much is in memory for each that is under way."""


class Pack(NamedTuple):
    """Files whose bytes stand one after the other."""

    files: tuple[StoreFile, ...]

    @property
    def name(self) -> str:
        """The hash of what it holds: whoever has a store's list of files knows how its packs are called."""
        return hashlib.sha256("\n".join(file.sha256 for file in self.files).encode()).hexdigest()

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(file.size for file in self.files)


def packs_of(files: Iterable[StoreFile]) -> list[Pack]:
    """The packs of a store's small files, which keep their order; a file alone is none."""
    groups: list[list[StoreFile]] = [[]]
    room = _MOST
    for file in files:
        if file.size > _SMALL:
            continue
        if file.size > room:
            groups.append([])
            room = _MOST
        groups[-1].append(file)
        room -= file.size
    return [Pack(tuple(group)) for group in groups if len(group) > 1]


def send_packs(remote: Remote, store: Path, files: Iterable[StoreFile], scratch: Path) -> None:
    """Send the packs that the collection lacks.

    Args:
        remote: the collection.
        store: the folder.
        files: all of the store.
        scratch: a folder for the packs, which some places read when the dataset manifest is written.

    Raises:
        IntegrityError: if a file is not what the manifest says.
        RemoteError: if the place fails.
    """
    wanted = packs_of(files)
    there = listed(remote, PACKS) if wanted else {}
    for pack in wanted:
        if there.get(pack.name, -1) not in (pack.size, None):
            made = scratch / pack.name
            made.write_bytes(b"".join(_proven(store / file.path, file) for file in pack.files))
            remote.send(made, f"{PACKS}/{pack.name}")


def _proven(path: Path, file: StoreFile) -> bytes:
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise IntegrityError(f"{path}: expected sha256 {file.sha256}, found another: it is damaged")
    return content


def unpacked(remote: Remote, pack: Pack) -> Iterator[tuple[StoreFile, bytes]]:
    """The files of a pack, each proven; what is damaged in it is left out, as is all of one that does not come.

    Raises:
        GivenUpError: if somebody called `stop`.
    """
    try:
        content = b"".join(blocks(remote, f"{PACKS}/{pack.name}", pack.size))
    except GivenUpError:
        raise
    except RemoteError:  # one that is cut, or there is none: pushed by a version without packs
        return
    start = 0
    for file in pack.files:
        part = content[start : start + file.size]
        start += file.size
        if hashlib.sha256(part).hexdigest() == file.sha256:
            yield file, part
