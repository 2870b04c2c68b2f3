"""Read a store's arrays: what `writer` wrote, decoded after the Zarr 3 specification.

Nothing is filled in: a chunk that is not there is an error, and none can be larger than the schema says. Heatmaps are
decoded chunk by chunk, and the last chunks are kept, so that windows that come close to one another share them.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.store import schema
from posedata.store.codecs import decode, decode_text, without_crc
from posedata.store.kinds import described
from posedata.store.schema import ArraySpec

Array = NDArray[Any]

_THREADS = min(os.cpu_count() or 1, 8)

KEPT_CHUNKS = 40
"""Decoded chunks of heatmaps that are kept, 5 MB each: those of the blocks that training mixes at a time."""


class _Kept:
    """The chunks that were asked for last, by their numbers; threads may ask at once."""

    def __init__(self, most: int) -> None:
        self._most, self._chunks, self._lock = most, OrderedDict[int, Array](), Lock()

    def find(self, numbers: Iterable[int]) -> dict[int, Array]:
        """Those of some chunks that are kept."""
        with self._lock:
            found = {number: self._chunks[number] for number in numbers if number in self._chunks}
            for number in found:
                self._chunks.move_to_end(number)
        return found

    def add(self, number: int, chunk: Array) -> None:
        """Keep one more, for that which has not been asked for the longest."""
        with self._lock:
            self._chunks[number] = chunk
            while len(self._chunks) > self._most:
                self._chunks.popitem(last=False)


class StoredArray:
    """An array of a store; raises ValueError, RuntimeError or OSError where its files are damaged.

    Args:
        store: the folder.
        spec: the array.
        length: of its first dimension.
        kept_chunks: decoded chunks of heatmaps that are kept.
    """

    def __init__(self, store: Path, spec: ArraySpec, length: int, kept_chunks: int = KEPT_CHUNKS) -> None:
        self.spec = spec
        self.shape = (length, *spec.inner)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(object if spec.dtype == "string" else spec.dtype)
        self._chunk: Callable[[int], Array]
        if spec.sharded:
            # The cache does not refer to this object, so it goes with its memory as soon as nobody uses it.
            indexed = lru_cache(maxsize=None)(partial(_shard_index, store, spec))
            self._chunk = partial(_shard_chunk, store, spec, indexed)
        else:
            self._chunk = partial(_file_chunk, store, spec, length)
        self._kept = _Kept(kept_chunks if spec.sharded else 0)

    @property
    def chunk_frames(self) -> int:
        """Rows in a chunk."""
        if self.spec.sharded:
            return schema.CHUNK_FRAMES
        return schema.SHARD_FRAMES if self.spec.along_frames else self.shape[0]

    def rows(self, positions: NDArray[np.int64]) -> Array:
        """The rows at positions from 0 to length - 1, in the order and shape asked; each chunk is decoded once."""
        found = np.empty((positions.size, *self.spec.inner), self.dtype)
        if self.spec.sharded:
            for together, rows in self.pieces(positions):
                found[together] = rows
        else:
            for places, chunk, at in self._parts(positions):
                found[places] = chunk[at]
        return found.reshape(*positions.shape, *self.spec.inner)

    def pieces(self, positions: NDArray[np.int64]) -> Iterator[tuple[slice, Array]]:
        """The rows at positions, uncopied, those that follow each other together.

        Heatmaps of a frame are 157 kB: whoever wants them as another type, or elsewhere, copies them once.

        Args:
            positions: from 0 to length - 1, of any shape.

        Yields:
            Places among the positions, flattened, and the rows that belong there; not in their order.
        """
        for places, chunk, at in self._parts(positions):
            edges = np.flatnonzero((np.diff(places) != 1) | (np.diff(at) != 1)) + 1
            for first, end in pairwise([0, *edges.tolist(), len(places)]):
                place, row, count = int(places[first]), int(at[first]), end - first
                yield slice(place, place + count), chunk[row : row + count]

    def _parts(self, positions: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Array, NDArray[np.int64]]]:
        """By chunk: places among the positions, flattened; the chunk; which of its rows stand there."""
        flat = positions.ravel()
        numbers = flat // self.chunk_frames
        order = np.argsort(numbers, kind="stable")
        unique, first = np.unique(numbers[order], return_index=True)
        places = dict(zip(unique.tolist(), np.split(order, first[1:]), strict=False))
        for number, chunk in self._chunks(list(places)):
            yield places[number], chunk, flat[places[number]] - number * self.chunk_frames

    def _chunks(self, numbers: list[int]) -> Iterator[tuple[int, Array]]:
        """Some chunks with their numbers, those that are kept first.

        A few others are decoded at a time: zstd runs outside Python's lock. Where all are kept, threads would cost more
        than the copying.
        """
        kept = self._kept.find(numbers)
        yield from kept.items()
        missing = [number for number in numbers if number not in kept]
        if len(missing) < 2 or not self.spec.sharded:
            yield from ((number, self._read(number)) for number in missing)
            return
        with ThreadPoolExecutor(_THREADS) as pool:
            for start in range(0, len(missing), _THREADS):
                few = missing[start : start + _THREADS]
                yield from zip(few, pool.map(self._read, few), strict=True)

    def _read(self, number: int) -> Array:
        chunk = self._chunk(number)
        self._kept.add(number, chunk)
        return chunk

    def __getitem__(self, rows: slice) -> Array:
        """The rows of a slice."""
        return self.rows(np.arange(*rows.indices(self.shape[0])))


StoredArrays = Mapping[str, StoredArray]
"""The arrays of a store by name."""


def stored_arrays(store: Path, attributes: Mapping[str, Any], kept_chunks: int = KEPT_CHUNKS) -> StoredArrays:
    """The arrays that a store with these attributes of its root has; see `StoredArray`."""
    specs, lengths = described(attributes)
    return {spec.name: StoredArray(store, spec, lengths[spec.dims[0]], kept_chunks) for spec in specs}


def _file_chunk(store: Path, spec: ArraySpec, length: int, number: int) -> Array:
    """A chunk that is a file: beyond the array's end it is padded."""
    with _naming(spec.file(number)):
        data = (store / spec.file(number)).read_bytes()
        if spec.dtype == "string":
            return decode_text(data, length)
        frames = schema.SHARD_FRAMES if spec.along_frames else length
        return _decoded(data, (frames, *spec.inner), spec)


def _shard_index(store: Path, spec: ArraySpec, shard: int) -> NDArray[np.int64]:
    """(chunks, 2): offset and length of the chunks of a shard; the index stands at the end of the file."""
    chunks = schema.SHARD_FRAMES // schema.CHUNK_FRAMES
    size = chunks * 16 + 4
    with _naming(spec.file(shard)), (store / spec.file(shard)).open("rb") as file:
        if file.seek(0, os.SEEK_END) < size:
            raise ValueError(f"expected an index of {size} bytes, found fewer")
        file.seek(-size, os.SEEK_END)
        return np.frombuffer(without_crc(file.read()), "<i8").reshape(chunks, 2)


def _shard_chunk(store: Path, spec: ArraySpec, indexed: Callable[[int], NDArray[np.int64]], number: int) -> Array:
    shard, at = divmod(number, schema.SHARD_FRAMES // schema.CHUNK_FRAMES)
    offset, size = indexed(shard)[at].tolist()
    path = store / spec.file(shard)
    if not 0 <= size <= path.stat().st_size or offset < 0:  # 2^64 - 1 marks a chunk that was not written
        raise ValueError(f"{spec.file(shard)}: expected chunk {at}, found none")
    with _naming(spec.file(shard)), path.open("rb") as file:
        file.seek(offset)
        return _decoded(file.read(size), (schema.CHUNK_FRAMES, *spec.inner), spec)


@contextmanager
def _naming(file: str) -> Iterator[None]:
    """What decoders raise names the file."""
    try:
        yield
    except (ValueError, RuntimeError, TypeError, OverflowError) as error:
        raise ValueError(f"{file}: {error}") from error


def _decoded(data: bytes, shape: tuple[int, ...], spec: ArraySpec) -> Array:
    chunk = np.empty(shape, np.dtype(spec.dtype).newbyteorder("<"))
    decode(data, chunk)
    return chunk
