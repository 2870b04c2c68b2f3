"""Which shards of a build are finished, so that a killed one goes on where it was.

A line of JSON for the build itself, then one a shard, appended and flushed when all its files are on disk. A shard
counts as finished only if its line has the files of that shard, and every one still has the size and hash of its line.
"""

import json
import os
import threading
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

from pydantic import NonNegativeInt, ValidationError

from posedata.config import Frozen
from posedata.files import sha256_file
from posedata.manifest import StoreFile


class _Line(Frozen):
    shard: NonNegativeInt
    files: tuple[StoreFile, ...]


class Journal:
    """The finished shards of one build.

    Args:
        path: the journal, there or not.
        key: names all that the shards' bytes depend on; a journal of another key is thrown away.
        folder: the store being built.
        names: for every shard, the paths of its files in the store.
    """

    def __init__(self, path: Path, key: str, folder: Path, names: Sequence[Set[str]]) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.finished = {
            line.shard: line.files
            for line in _lines(path, key)
            if line.shard < len(names)
            and {file.path for file in line.files} == names[line.shard]
            and _proven(folder, line.files)
        }
        """Shard -> its files."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"key": key}) + "\n")
        for shard, files in self.finished.items():
            self._append(shard, files)

    def add(self, shard: int, files: Sequence[StoreFile]) -> None:
        """Take note of a shard whose files are on disk."""
        with self._lock:
            self.finished[shard] = tuple(files)
            self._append(shard, tuple(files))

    def _append(self, shard: int, files: tuple[StoreFile, ...]) -> None:
        with self._path.open("a") as journal:
            journal.write(_Line(shard=shard, files=files).model_dump_json() + "\n")
            journal.flush()
            os.fsync(journal.fileno())


def _lines(path: Path, key: str) -> Iterator[_Line]:
    """The lines of a journal of that key; the last may have been cut."""
    if not path.is_file():
        return
    first, *rest = path.read_text(errors="replace").split("\n")
    if first != json.dumps({"key": key}):
        return
    for line in rest:
        try:
            yield _Line.model_validate_json(line)
        except ValidationError:
            return


def _proven(folder: Path, files: Sequence[StoreFile]) -> bool:
    paths = [(folder / file.path, file) for file in files]
    return all(
        path.is_file() and path.stat().st_size == file.size and sha256_file(path) == file.sha256 for path, file in paths
    )
