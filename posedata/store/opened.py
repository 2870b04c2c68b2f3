"""Open any store, and verify it. A store that is not complete does not open."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError, ChoiceError, IntegrityError
from posedata.locks import hold_for_reading
from posedata.manifest import MANIFEST_NAME, Manifest, StoreFile, read_manifest
from posedata.progress import Progress, silent
from posedata.sharing.mirror import Fetch, fetches
from posedata.store.allowed import Problem, metadata_problems
from posedata.store.arrays import KEPT_CHUNKS, StoredArray, StoredArrays, stored_arrays
from posedata.store.digest import content_digest
from posedata.store.proof import file_problems, hash_problems
from posedata.store.schema import SHARD_FRAMES

Array = NDArray[Any]
_MOST_TOLD = 10
"""Problems that an error lists; `verify` lists all."""

_ADVICE = "; see posedata verify"
"""What `verify` itself does not say."""


_NO_FILE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)


@dataclass(frozen=True, eq=False)
class Opened:
    """A complete store of any kind, opened for reading.

    Attributes:
        path: the folder.
        manifest: what it is.
        attributes: of the root: format, skeleton, recipe, counts.
        arrays: by name.
        holder: keeps the store from being replaced for as long as this object is in use.
        fetch: makes files be there, proven, where the store is a mirror of a published one.
    """

    path: Path
    manifest: Manifest
    attributes: Mapping[str, Any]
    arrays: StoredArrays
    holder: object
    fetch: Fetch | None = None

    @property
    def rendered(self) -> tuple[str, ...]:
        """The arrays that are a pure function of others: heatmaps, of cells and sigma."""
        return tuple(self.attributes["rendered"])

    def __len__(self) -> int:
        return int(self.attributes["counts"]["frames"])

    @cached_property
    def _unproven(self) -> dict[str, dict[int, StoreFile]]:
        """Array -> number of a file -> the file, as long as nobody has hashed it."""
        found: dict[str, dict[int, StoreFile]] = {}
        for file in self.manifest.files:
            if "/c/" in file.path:
                name, _, chunk = file.path.partition("/c/")
                found.setdefault(name, {})[int(chunk.partition("/")[0])] = file
        return found

    def _prove(self, name: str, numbers: Iterable[int] | None = None) -> None:
        """Hash some files of an array, or all, before anything is read from them; each once.

        A chunk's own checksum cannot tell that a file stands in another's place.

        Raises:
            IntegrityError: if one is not what the manifest says.
            RemoteError: if it is one of a mirror, and does not come.
        """
        left = self._unproven.get(name, {})
        wanted = {number: left.get(number) for number in (list(left) if numbers is None else numbers)}
        self._prove_files([file for file in wanted.values() if file])
        for number in wanted:
            left.pop(number, None)

    def _prove_files(self, files: Sequence[StoreFile]) -> None:
        if self.fetch and files:
            self.fetch(files)
        elif problems := hash_problems(self.path, files, silent):
            raise IntegrityError(*_first(self.path, problems))

    def file(self, name: str) -> Path:
        """A file beside the arrays, like sources.csv, once it is proven.

        Raises:
            IntegrityError: if it is not what the manifest says.
            RemoteError: if it is one of a mirror, and does not come.
        """
        self._prove_files([file for file in self.manifest.files if file.path == name])
        return self.path / name

    def __getitem__(self, name: str) -> Array:
        """A whole array; for heatmaps, ask `frames` instead.

        Raises:
            ChoiceError: if the store has no such array.
            IntegrityError: where a file is damaged.
        """
        array = self._array(name)
        self._prove(name)
        with _decoding(self.path / name):
            return array[:]

    def _array(self, name: str) -> StoredArray:
        if name not in self.arrays:
            raise ChoiceError(f"{self.path}: array {name!r}: expected one of {', '.join(self.arrays)}")
        return self.arrays[name]

    def frames(self, name: str, positions: NDArray[np.int64]) -> Array:
        """Rows of an array along frames, in the order asked; each chunk is decoded once.

        Raises:
            ChoiceError: if the store has no such array or frame.
            IntegrityError: where a file is damaged.
        """
        with self._reading(name, positions) as array:
            return array.rows(positions)

    def pieces(self, name: str, positions: NDArray[np.int64]) -> Iterator[tuple[slice, Array]]:
        """Frames of heatmaps as they are decoded, see `StoredArray.pieces`; raises as `frames`, once it is iterated."""
        with self._reading(name, positions) as array:
            yield from array.pieces(positions)

    @contextmanager
    def _reading(self, name: str, positions: NDArray[np.int64]) -> Iterator[StoredArray]:
        array = self._array(name)
        if len(positions) and not (positions.min() >= 0 and positions.max() < len(self)):
            found = [int(positions.min()), int(positions.max())]
            raise ChoiceError(f"{self.path}: expected positions from 0 to {len(self) - 1}, found {found}")
        self._prove(name, np.unique(positions // SHARD_FRAMES).tolist())
        with _decoding(self.path / name):
            yield array


@contextmanager
def _decoding(what: Path) -> Iterator[None]:
    """Whatever decoders say of damaged bytes becomes an IntegrityError; what a disk refuses stays what it is."""
    try:
        yield
    except (ValueError, TypeError, KeyError, OverflowError, RuntimeError, *_NO_FILE) as error:
        raise IntegrityError(f"{what}: expected sound data, found {error}{_ADVICE}") from error


def open_any(path: Path | str, kept_chunks: int = KEPT_CHUNKS) -> Opened:
    """Open a store of any kind after proving that it is complete: manifest, set of files, sizes, metadata, arrays.

    Args:
        path: the store; `posedata.find_store` finds one by its name or URL.
        kept_chunks: decoded chunks that each array with large rows keeps in memory, some 5 MB each.

    Raises:
        BadInputError: if there is nothing at `path`.
        ConflictError: if it is being replaced at this moment.
        IntegrityError: if it is no complete store.
    """
    path = Path(path)
    if not path.exists():
        raise BadInputError(f"{path}: expected a store, found nothing; make one with `posedata build`")
    holder = _held(path)
    fetch = fetches(path)
    manifest = read_manifest(path)
    problems = [*file_problems(path, manifest, fetch is not None)] or _metadata_problems(path, manifest)
    if problems:
        raise IntegrityError(*_first(path, problems))
    attributes = json.loads((path / "zarr.json").read_bytes())["attributes"]
    return Opened(path, manifest, attributes, stored_arrays(path, attributes, kept_chunks), holder, fetch)


OfKind = TypeVar("OfKind", bound=Opened)


def open_kind(
    reader: type[OfKind],
    kind: str,
    path: Path | str,
    kept_chunks: int = KEPT_CHUNKS,
    *,
    whose: str = "",
    advice: str = "posedata info shows what it is",
) -> OfKind:
    """Open a store of one kind; arguments and errors as of `open_any`.

    Args:
        reader: an `Opened` with the methods that such stores have.
        kind: of the store.
        path: the store.
        kept_chunks: see `open_any`.
        whose: it is to be, for the error: " for conv3d".
        advice: what to do if it is of another kind.

    Raises:
        BadInputError: if it is of another kind.
    """
    opened = open_any(path, kept_chunks)
    if opened.manifest.kind != kind:
        raise BadInputError(
            f"{opened.path}: expected a store of kind {kind}{whose}, found {opened.manifest.kind}; {advice}"
        )
    return reader(**{field.name: getattr(opened, field.name) for field in fields(opened)})


def _first(path: Path, problems: list[Problem]) -> Iterator[str]:
    """The first problems, and how many there are."""
    for problem in problems[:_MOST_TOLD]:
        yield f"{path}/{problem.file}: {problem.problem}"
    if len(problems) > _MOST_TOLD:
        yield f"{path}: {len(problems):,} problems in all{_ADVICE}"


class _Holder:
    """While it lives, the store is not replaced."""


def _held(path: Path) -> _Holder:
    holder = _Holder()
    if path.is_dir():
        hold_for_reading(path, holder)
    return holder


def _metadata_problems(path: Path, manifest: Manifest) -> list[Problem]:
    metadata = [file for file in manifest.files if file.path.endswith("zarr.json")]
    return hash_problems(path, metadata, silent) or metadata_problems(path, manifest)


def verify(path: Path, quick: bool = False, progress: Progress = silent) -> tuple[int, list[Problem]]:
    """Everything that can be wrong with a store.

    Args:
        path: the store.
        quick: only what `open_store` proves; otherwise every byte is hashed and the content digest made anew.
        progress: told of the files.

    Returns:
        The number of files that the manifest lists, and all problems found.

    Raises:
        BadInputError: if there is nothing at `path`.
        ConflictError: if it is being replaced at this moment.
    """
    if not path.exists():
        raise BadInputError(f"{path}: expected a store, found nothing")
    holder, files = _held(path), 0
    try:
        manifest = read_manifest(path)
        files = len(manifest.files)
        if fetch := fetches(path):
            fetch(manifest.files)
        problems = [*file_problems(path, manifest, fetch is not None)]
        if not quick:
            wrong = {p.file for p in problems}
            problems += hash_problems(path, [f for f in manifest.files if f.path not in wrong], progress)
        problems = problems or _metadata_problems(path, manifest)
        if not (problems or quick):
            problems += _content_problems(open_any(path))
    except IntegrityError as error:
        return files, [Problem(*_file_and_fault(path, fault)) for fault in error.faults]
    finally:
        del holder
    return files, problems


def _content_problems(store: Opened) -> Iterator[Problem]:
    with _decoding(store.path):
        found = content_digest(store.arrays, store.attributes["recipe"], store.rendered)
    if found != store.manifest.content_digest:
        yield Problem(MANIFEST_NAME, f"content digest: expected {store.manifest.content_digest}, found {found}")


def _file_and_fault(path: Path, fault: str) -> tuple[str, str]:
    """A fault of a file of the store, apart from its path."""
    file, _, problem = fault.removeprefix(f"{path}/").partition(": ")
    return file, problem.removesuffix(_ADVICE)
