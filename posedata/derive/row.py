"""Sequences of several stores in one row, read some frames at a time."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError
from posedata.poses import name_order
from posedata.splits import SPLITS
from posedata.store import schema
from posedata.store.reader import Store, open_store

Array = NDArray[Any]
Ints = NDArray[np.int64]

_KEPT_CHUNKS = 8
"""Of a detector's heatmaps, in every parent: each thread reads frames in order, and needs the last two again."""

_MOST_TOLD = 10


@dataclass(frozen=True, eq=False)
class Parent:
    """A store that sequences are taken from; it holds S.

    Attributes:
        store: opened, so it is not replaced.
        table: its arrays along sequences, by name.
        keys: (S,) "dataset/name".
        splits: (S, 4) whether a sequence has frames in the split of that number.
    """

    store: Store
    table: Mapping[str, Array]
    keys: tuple[str, ...]
    splits: NDArray[np.bool_]

    @property
    def starts(self) -> Ints:
        """(S,) first frame of each sequence."""
        return np.cumsum(self.store.lengths) - self.store.lengths


def open_parent(path: Path) -> Parent:
    """A parent; raises what `open_store` does."""
    store = open_store(path, _KEPT_CHUNKS)
    table = {spec.name: store[spec.name] for spec in schema.TABLE if spec.dims[0] == "sequence"}
    split, starts = store["split"], np.cumsum(store.lengths) - store.lengths
    splits = [np.logical_or.reduceat(split == number, starts) for number in SPLITS.values()]
    return Parent(store, table, tuple(_keys(table)), np.stack(splits, axis=1))


class Row:
    """N frames of S sequences, in the order of a build: by dataset, then by name.

    Args:
        parents: where they are from.
        kept: numbers of the sequences taken from each.

    Attributes:
        parents: as given.
        origin: (S,) number of the parent of each sequence.
        table: the arrays along sequences, by name.
        keys: (S,) "dataset/name".
        splits: (S, 4) as those of `Parent`.

    Raises:
        BadInputError: if a sequence is there twice.
    """

    def __init__(self, parents: Sequence[Parent], kept: Sequence[Ints]) -> None:
        self.parents = tuple(parents)
        origin = np.repeat(np.arange(len(parents)), [len(numbers) for numbers in kept])
        table = {name: _joined([p.table[name] for p in parents], kept) for name in parents[0].table}
        places = [(dataset, name_order(name)) for dataset, name in _names(table)]
        order = np.asarray(sorted(range(len(places)), key=places.__getitem__), np.int64)
        self.origin = origin[order]
        self.table = {name: values[order] for name, values in table.items()}
        self.keys = tuple(_keys(self.table))
        self.splits = _joined([p.splits for p in parents], kept)[order]
        self._need_each_once()
        lengths = self.table["sequence_length"]
        self._starts = self.table["sequence_start"] = np.cumsum(lengths) - lengths
        self._there = _joined([p.starts for p in parents], kept)[order]

    def __len__(self) -> int:
        return int(self.table["sequence_length"].sum())

    def sequence(self, start: int, stop: int) -> Ints:
        """Number of the sequence of every frame from start to stop."""
        return np.asarray(np.searchsorted(self._starts, np.arange(start, stop), side="right") - 1, np.int64)

    def read(self, name: str, start: int, stop: int) -> Array:
        """Frames start to stop of an array along frames; raises IntegrityError where a parent is damaged."""
        sequence = self.sequence(start, stop)
        positions = self._there[sequence] + np.arange(start, stop) - self._starts[sequence]
        origin = self.origin[sequence]
        array = self.parents[0].store.arrays[name]
        found = np.empty((stop - start, *array.shape[1:]), array.dtype)
        for number in np.unique(origin).tolist():
            here = origin == number
            found[here] = self.parents[number].store.frames(name, positions[here])
        return found

    def blocks(self, name: str, start: int, stop: int) -> Iterator[Array]:
        """The frames of an array of heatmaps, a chunk's at a time."""
        for first in range(start, stop, schema.CHUNK_FRAMES):
            yield self.read(name, first, min(first + schema.CHUNK_FRAMES, stop))

    def _need_each_once(self) -> None:
        twice = [key for key, count in Counter(self.keys).items() if count > 1]
        if twice:
            told = [self._where(key) for key in twice[:_MOST_TOLD]]
            more = len(twice) - len(told)
            raise BadInputError(*told, *([f"{more:,} sequences more are in several stores"] if more else []))

    def _where(self, key: str) -> str:
        paths = [self.parents[p].store.path for k, p in zip(self.keys, self.origin.tolist(), strict=True) if k == key]
        return f"{key}: expected in one of the stores, found in {' and '.join(map(str, paths))}; leave it out of one"


def _keys(table: Mapping[str, Array]) -> list[str]:
    return [f"{dataset}/{name}" for dataset, name in _names(table)]


def _names(table: Mapping[str, Array]) -> list[tuple[str, str]]:
    return list(zip(table["sequence_dataset"].tolist(), table["sequence_name"].tolist(), strict=True))


def _joined(arrays: Sequence[Array], kept: Sequence[Ints]) -> Array:
    return np.concatenate([array[numbers] for array, numbers in zip(arrays, kept, strict=True)])
