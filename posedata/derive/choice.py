"""Which sequences of a store a subset keeps, and why it leaves the others out."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.derive.recipe import Kept
from posedata.derive.row import Parent
from posedata.errors import BadInputError, ChoiceError
from posedata.splits import SPLITS

Flags = NDArray[np.bool_]

_MOST_NAMED = 3
"""Names like the one that was not found."""


class Option(NamedTuple):
    """One option of a subset, for a store of S sequences.

    Attributes:
        name: as typed.
        values: what was given.
        names: for every sequence, the values that it answers to.
        excludes: whether sequences that fit are left out, not kept.
    """

    name: str
    values: tuple[str, ...]
    names: Sequence[tuple[str, ...]]
    excludes: bool = False

    @property
    def kept(self) -> Flags:
        """(S,) whether the option lets a sequence stay."""
        values = set(self.values)
        fits = np.asarray([not values.isdisjoint(names) for names in self.names], bool)
        return fits != self.excludes if values else np.ones(len(self.names), bool)


class Choice(NamedTuple):
    """What a subset keeps of a store of S sequences.

    Attributes:
        kept: (S,) whether a sequence is kept.
        left_out: "dataset/name" of those that are not, and the option that left them out.
        warnings: what a careful person should know.
    """

    kept: Flags
    left_out: Mapping[str, str]
    warnings: tuple[str, ...]


def choose(parent: Parent, kept: Kept) -> Choice:
    """Choose the sequences of a subset.

    Raises:
        ChoiceError: if nothing says what to keep, or there is no such split.
        BadInputError: if a value fits no sequence, or no sequence fits all options.
    """
    if not any(kept.model_dump().values()):
        raise ChoiceError("expected an option that says what to keep, or --exclude, found none")
    unknown = sorted(set(kept.splits) - SPLITS.keys())
    if unknown:
        raise ChoiceError(f"--split {', '.join(unknown)}: expected one of {', '.join(SPLITS)}")
    options = _options(parent, kept)
    lost = [f"{parent.store.path}: {fault}" for option in options for fault in _unmatched(option)]
    if lost:
        raise BadInputError(*lost)
    fitting = np.logical_and.reduce([option.kept for option in options])
    whole, partly = _in_splits(parent, kept.splits)
    if not (fitting & whole).any():
        hint = "; --split keeps sequences that are in no other split" if (fitting & partly).any() else ""
        raise BadInputError(f"{parent.store.path}: expected a sequence that fits all options, found none{hint}")
    reasons = {
        parent.keys[n]: option.name for option in reversed(options) for n in np.flatnonzero(~option.kept).tolist()
    }
    left_by_split = np.flatnonzero(fitting & ~whole).tolist()
    reasons |= {parent.keys[n]: _split_reason(parent.splits[n], kept.splits) for n in left_by_split}
    return Choice(fitting & whole, reasons, tuple(_split_warnings(parent, kept.splits, fitting & partly)))


def _in_splits(parent: Parent, names: tuple[str, ...]) -> tuple[Flags, Flags]:
    """(S,) whether a sequence is in the splits of these names alone, and whether it is in others, too.

    Frames in no split do not count: a sequence is taken whole, or not at all.
    """
    named = np.asarray([name in names for name in SPLITS])
    inside: Flags = np.logical_or.reduce(parent.splits[:, named], axis=1)
    outside: Flags = np.logical_or.reduce(parent.splits[:, ~named], axis=1)
    whole = inside & ~outside if names else np.ones_like(inside)
    return whole, inside & outside


def _split_reason(found: Flags, names: tuple[str, ...]) -> str:
    there = [name for name, is_there in zip(SPLITS, found.tolist(), strict=True) if is_there]
    return f"--split {', '.join(names)}; it is in {', '.join(there) or 'none'}"


def _split_warnings(parent: Parent, names: tuple[str, ...], partly: Flags) -> Iterator[str]:
    if partly.any():
        count, frames = np.count_nonzero(partly), parent.store.lengths[partly].sum()
        which = ", ".join(names)
        yield f"--split {which} left out {count:,} sequences, {frames:,} frames, that are in other splits, too"


def _options(parent: Parent, kept: Kept) -> list[Option]:
    datasets, names, videos, actions = (
        parent.table[f"sequence_{column}"].tolist() for column in ("dataset", "name", "video", "action")
    )
    sequences = [(name, key) for name, key in zip(names, parent.keys, strict=True)]
    recordings = [(video, f"{dataset}/{video}") for dataset, video in zip(datasets, videos, strict=True)]
    return [
        Option("--dataset", kept.datasets, [(dataset,) for dataset in datasets]),
        Option("--action", kept.actions, [(action,) for action in actions]),
        Option("--sequence", kept.sequences, sequences),
        Option("--video", kept.videos, recordings),
        Option("--exclude", kept.exclude, [a + b for a, b in zip(sequences, recordings, strict=True)], excludes=True),
    ]


def _unmatched(option: Option) -> Iterator[str]:
    """Faults of values that no sequence answers to."""
    there = {name for names in option.names for name in names} if option.values else set()
    for value in option.values:
        if value not in there:
            like = get_close_matches(value, sorted(there), _MOST_NAMED, 0.4) or sorted(there)[:_MOST_NAMED]
            names = ", ".join(like)
            yield f"{option.name} {value!r}: expected a name that is in the store, found none; there are {names}"
