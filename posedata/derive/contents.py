"""What a derived store holds besides its frames: what its parents say, as far as it is true of it, and counts anew."""

import csv
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.assemble import Contents
from posedata.config import canonical_json
from posedata.counts import Block, count, exact_mean, splits_without_windows, whole_sequences
from posedata.derive.recipe import DerivedRecipe, same
from posedata.derive.row import Row
from posedata.errors import BadInputError
from posedata.geometry import torso_diameters
from posedata.manifest import READERS, SOURCES_NAME, Skipped
from posedata.progress import Progress
from posedata.skeleton import KEYPOINTS
from posedata.splits import Member, shared_videos
from posedata.store import schema
from posedata.store.reader import Store

_OWN = {"synthetic", "samples", "recipe", "measured", "counts", "licences", READERS}
"""Attributes of the root in which parents may differ."""

_OF_SPLITS = re.compile(r"no \w+ windows|\d+ videos have sequences in more than one split")
"""Warnings that are made anew."""


@dataclass(frozen=True, eq=False)
class Derivation:
    """A store to be made from others, which are held until it is.

    Attributes:
        row: its frames.
        recipe: how it is made.
        left_out: "dataset/name" of what a subset leaves out, and why.
        warnings: what a careful person should know.
    """

    row: Row
    recipe: DerivedRecipe
    left_out: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def describe(derivation: Derivation, sources: Path, progress: Progress) -> Contents:
    """All of a derived store but its frames, which are read once to be counted.

    Args:
        derivation: what is to be made.
        sources: where the raw files of the parents are to be listed.
        progress: told of the frames.

    Raises:
        BadInputError: if the parents are not of one kind.
        IntegrityError: where one is damaged.
    """
    row, recipe = derivation.row, derivation.recipe
    stores = [parent.store for parent in row.parents]
    datasets = {selection.dataset for selection in recipe.datasets}
    samples, readers = _samples(stores, datasets), _said(stores, datasets, READERS)
    attributes = _common_attributes(stores) | {
        "synthetic": bool(samples),
        "samples": samples,
        "recipe": recipe.model_dump(mode="json"),
        **_measured(row, progress),
        "licences": _said(stores, datasets, "licences", always=True),
        **({READERS: readers} if readers else {}),
    }
    _write_sources(sources, stores, datasets)
    return Contents(
        name=recipe.store_name.removesuffix(".zarr"),
        attributes=attributes,
        table={"keypoint": np.asarray(KEYPOINTS, object), **row.table},
        sources=sources,
        skipped=tuple(_skipped(row, datasets, derivation.left_out)),
        warnings=(*_warnings(row, attributes["counts"]), *derivation.warnings),
    )


def _common_attributes(stores: Sequence[Store]) -> dict[str, Any]:
    """The attributes of the root of the first; raises BadInputError if one differs where it may not."""
    first, *others = stores
    for store in others:
        for key in sorted((first.attributes.keys() | store.attributes.keys()) - _OWN):
            expected, found = (canonical_json(s.attributes.get(key)).decode() for s in (first, store))
            if expected != found:
                raise BadInputError(
                    f"{store.path}: {key}: expected {expected:.80} as in {first.path}, found {found:.80}"
                )
    return {key: value for key, value in first.attributes.items() if key != READERS}


def _measured(row: Row, progress: Progress) -> dict[str, Any]:
    """The attributes `measured` and `counts`."""
    annotated = empty = 0

    def torsos() -> Iterator[NDArray[np.float64]]:
        nonlocal annotated, empty
        for start in range(0, len(row), schema.SHARD_FRAMES):
            stop = min(start + schema.SHARD_FRAMES, len(row))
            annotated += int(np.count_nonzero(row.read("annotated", start, stop)))
            empty += int(np.isnan(row.read("box", start, stop)[:, 0]).sum())
            yield torso_diameters(row.read("target_points", start, stop).astype(np.float64))
            advance(stop - start)

    with progress("counting", len(row), "frames") as advance:
        mean = exact_mean(torsos())
    shift_std = same(parent.store.attributes["measured"]["shift_std"] for parent in row.parents)
    return {
        "measured": {"mean_torso_diameter": None if math.isnan(mean) else mean, "shift_std": shift_std},
        "counts": count(_blocks(row), len(row.keys), annotated, empty),
    }


def _blocks(row: Row) -> Iterator[Block]:
    for start, stop in whole_sequences(row.table["sequence_length"].tolist()):
        number, shot, split = (row.read(name, start, stop) for name in ("frame_number", "shot", "split"))
        yield Block(row.sequence(start, stop), number, shot, split)


def _samples(stores: Sequence[Store], datasets: Set[str]) -> dict[str, str | None]:
    """Synthetic datasets, and the command that made each; None where several did, or none is known."""
    found: dict[str, list[str | None]] = defaultdict(list)
    for dataset, command in chain.from_iterable(store.attributes["samples"].items() for store in stores):
        if dataset in datasets:
            found[dataset].append(command)
    return {dataset: same(commands) for dataset, commands in sorted(found.items())}


def _said(stores: Sequence[Store], datasets: Set[str], key: str, always: bool = False) -> dict[str, str]:
    """Dataset -> its text in that attribute; what two parents say in different words is told in the words of both.

    Of a dataset of which nothing is said the text is empty, and left out unless `always`.
    """
    said = {
        dataset: dict.fromkeys(str(store.attributes.get(key, {}).get(dataset, "")) for store in stores)
        for dataset in sorted(datasets)
    }
    joined = {dataset: "; ".join(text for text in texts if text) for dataset, texts in said.items()}
    return {dataset: text for dataset, text in joined.items() if text or always}


def _skipped(row: Row, datasets: Set[str], left_out: Mapping[str, str]) -> list[Skipped]:
    """What the parents say of sequences that were taken, and of what was never in them; and what is left out now."""
    found = {Skipped(item=item, reason=f"left out by subset: {why}"): None for item, why in left_out.items()}
    taken = set(row.keys)
    for number, parent in enumerate(row.parents):
        own = {key for key, origin in zip(row.keys, row.origin.tolist(), strict=True) if origin == number}
        there = set(parent.keys)
        for entry in parent.store.manifest.skipped:
            of_kept = entry.item.partition("/")[0] in datasets and entry.item not in taken
            if entry.item in own if entry.item in there else of_kept:
                found[entry] = None
    return sorted(found, key=lambda entry: entry.item)


def _warnings(row: Row, counts: Mapping[str, Any]) -> Iterator[str]:
    """What the parents warn of, with their digests, but for their splits; then what is true of the store's own."""
    for parent in row.parents:
        told_by = f"parent {parent.store.manifest.content_digest[:8]}: "
        for warning in parent.store.manifest.warnings:
            if not _OF_SPLITS.match(warning):
                yield warning if warning.startswith("parent ") else told_by + warning
    one = np.flatnonzero(row.splits.sum(axis=1) == 1)
    columns = (row.table[f"sequence_{column}"][one].tolist() for column in ("dataset", "video", "length"))
    members = [Member(*fields) for fields in zip(*columns, strict=True)]
    shared = shared_videos(members, row.splits[one].argmax(axis=1).tolist())
    if shared:
        yield f"{shared} videos have sequences in more than one split"
    yield from (f"no {name} windows" for name in splits_without_windows(counts))


def _write_sources(path: Path, stores: Sequence[Store], datasets: Set[str]) -> None:
    """The raw files of the datasets, each once, in the order of a build: by dataset, then as the parents have them."""
    rows: dict[str, dict[tuple[str, ...], None]] = {dataset: {} for dataset in sorted(datasets)}
    header: tuple[str, ...] = ()
    for store in stores:
        with store.file(SOURCES_NAME).open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            lines = csv.reader(file)
            header = tuple(next(lines))
            for line in lines:
                if line[0] in datasets:
                    rows[line[0]][tuple(line)] = None
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *chain.from_iterable(rows.values())])
