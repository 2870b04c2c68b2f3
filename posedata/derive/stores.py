"""Stores from stores.

    parents -> choice (a subset's sequences) -> row (of frames) -> describe (recipe, counts) -> assemble

Frames, splits and noise stay what they are. Heatmaps that are a function of cells and sigmas are rendered anew, which
gives the same bits; a detector's are decoded and encoded again.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.assemble import Contents, Encode, carry_out, encoder, frame_specs
from posedata.derive.choice import choose
from posedata.derive.contents import Derivation, describe
from posedata.derive.recipe import Kept, derived_recipe
from posedata.derive.row import Row, open_parent
from posedata.errors import ChoiceError, ConflictError, IntegrityError
from posedata.heatmaps import TARGET_SIGMA, renderable, row_table
from posedata.manifest import SOURCES_NAME
from posedata.progress import Progress, silent
from posedata.shards import rendered
from posedata.store import schema
from posedata.store.schema import ArraySpec
from posedata.store.writer import Frames


def subset(store: Path, kept: Kept) -> Derivation:
    """Some sequences of a store.

    Raises:
        ChoiceError: if nothing says what to keep.
        BadInputError: if there is no such store or sequence, or none is left.
        IntegrityError: if the store is damaged.
    """
    parent = open_parent(store)
    choice = choose(parent, kept)
    row = Row([parent], [np.flatnonzero(choice.kept)])
    return Derivation(row, derived_recipe([parent.store], kept, _actions(row)), choice.left_out, choice.warnings)


def merge(stores: Sequence[Path]) -> Derivation:
    """All sequences of several stores.

    Raises:
        ChoiceError: if there are not several.
        BadInputError: if there is no such store, two hold the same sequence, or they are not of one kind.
        IntegrityError: if one is damaged.
    """
    if len(stores) < 2:
        raise ChoiceError(f"expected two stores or more, found {len(stores)}")
    parents = [open_parent(store) for store in stores]
    row = Row(parents, [np.arange(len(parent.keys)) for parent in parents])
    return Derivation(row, derived_recipe([parent.store for parent in parents], None, _actions(row)))


def _actions(row: Row) -> dict[str, set[str]]:
    """Dataset -> the actions of its sequences."""
    found: dict[str, set[str]] = defaultdict(set)
    for dataset, action in zip(row.table["sequence_dataset"], row.table["sequence_action"], strict=True):
        found[dataset].add(action)
    return found


def make_store(
    derivation: Derivation, out: Path, *, workers: int = 1, overwrite: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """Make the store; it stands at `out` whole or not at all.

    Args:
        derivation: what to make.
        out: where the store will stand.
        workers: threads that render and compress; the result does not depend on it.
        overwrite: replace a store that stands at `out`.
        progress: told of every step.

    Returns:
        The report: see `posedata.assemble.report`.

    Raises:
        BadInputError: if the parents are not of one kind.
        ConflictError: if `out` exists, is a parent, or another process builds it.
        IntegrityError: where a parent is damaged.
    """
    if out.resolve() in {parent.store.path.resolve() for parent in derivation.row.parents}:
        raise ConflictError(
            f"{out}: expected a store that is not read for the new one, found one that is; use another --out"
        )
    return carry_out(partial(_prepare, derivation, workers, progress), out, overwrite=overwrite, progress=progress)


def dry_run(
    derivation: Derivation, out: Path, *, overwrite: bool = False, progress: Progress = silent
) -> dict[str, Any]:
    """What `make_store` would report; `bytes` and `content_digest` are None."""
    return carry_out(partial(_prepare, derivation, 1, progress), out, dry_run=True, overwrite=overwrite)


def _prepare(derivation: Derivation, workers: int, progress: Progress, scratch: Path) -> tuple[Contents, Encode]:
    contents = describe(derivation, scratch / SOURCES_NAME, progress)
    specs, looked_up = frame_specs(contents.attributes), contents.attributes["rendered"]
    arrays = partial(_arrays, derivation, specs, looked_up)
    return contents, encoder(arrays, contents.attributes, workers)


def _arrays(
    derivation: Derivation, specs: tuple[ArraySpec, ...], looked_up: Sequence[str], shard: int
) -> dict[str, Frames]:
    """Every array along frames of a shard; `looked_up` names the heatmaps that need not be read."""
    row, noise = derivation.row, derivation.recipe.noise
    start = shard * schema.SHARD_FRAMES
    stop = min(start + schema.SHARD_FRAMES, len(row))
    arrays: dict[str, Any] = {
        spec.name: partial(row.blocks, spec.name, start, stop) if spec.sharded else row.read(spec.name, start, stop)
        for spec in specs
    }
    if "target_heatmaps" in looked_up:
        sigma = np.full(stop - start, TARGET_SIGMA, np.float32)
        arrays["target_heatmaps"] = _rendered(row, arrays["target_cells"], sigma, (TARGET_SIGMA,))
    if "input_heatmaps" in looked_up and noise is not None:
        arrays["input_heatmaps"] = _rendered(row, arrays["input_cells"], arrays["input_sigma"], noise.sigmas)
    return arrays


def _rendered(row: Row, cells: NDArray[np.int8], sigma: NDArray[np.float32], sigmas: tuple[float, ...]) -> Frames:
    known, table = np.asarray(sigmas, np.float32), row_table(sigmas)
    which = np.searchsorted(known, sigma).clip(max=len(known) - 1)
    if not (known[which] == sigma).all() or not renderable(table, cells, which):
        paths = " or ".join(str(parent.store.path) for parent in row.parents)
        raise IntegrityError(f"{paths}: expected cells of the grid and sigmas of the recipe, found others")
    return partial(rendered, table, cells, which)
