"""From what a detector made of crops to what the page shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posedata.crops.store import CropStore
from posedata.preview.draw import Picture
from posedata.progress import Advance, Progress, silent
from posedata.skeleton import COCO_NAMES
from posetrain.crops.scores import correct
from posetrain.explain.examine import Examined
from posetrain.explain.latent import (
    MOST_CLUSTERS,
    Clustering,
    Components,
    clusterings,
    principal_components,
    walk,
)
from posetrain.explain.page import Groups, Page
from posetrain.explain.pictures import compared, figures, labelled, plane_of, side_by_side, spread, walks
from posetrain.explain.plots import scores_svg, silhouettes_svg, variance_svg

CLEAREST = 20
"""Crops that are shown of what skip connections do."""

WALKED = (1, 2, 3, 10, 30, 50)
"""Principal components that are walked along, from 1."""

STOPS = (-3, -2, -1, 0, 1, 2, 3)
"""Standard deviations."""

EXPLAINED = 0.95
"""Share of the variance; what is left may be noise (seed 001, section 8.3.2)."""

WITH, WITHOUT = "with skip connections", "without"

_LEAST = 3
"""Crops that components and clusters take."""

Positions = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Space:
    """Crops in a latent space.

    Attributes:
        name: of the crops.
        positions: (N,) theirs in the store.
        latents: (N, D).
        components: of these.
        clusterings: by K from 2.
    """

    name: str
    positions: Positions
    latents: NDArray[np.float32]
    components: Components
    clusterings: Sequence[Clustering]


def page_of(
    run: str,
    epoch: int,
    split: str,
    store: CropStore,
    positions: Positions,
    seen: Examined,
    seed: int,
    progress: Progress = silent,
) -> Page:
    """Everything on the page.

    Args:
        run: name of the run.
        epoch: of its weights.
        split: that the crops are of.
        store: where they are from.
        positions: (N,) theirs.
        seen: what the detector made of them.
        seed: of the clusters.
        progress: told of the latent spaces.
    """
    points, visibility = (store.frames(name, positions) for name in ("points", "visibility"))
    counts = visibility > 0
    right = {name: correct(found, points) for name, found in ((WITH, seen.found), (WITHOUT, seen.bare))}
    scores = {name: _percent(each, counts, axis=1) for name, each in right.items()}
    whole = np.asarray(counts.all(axis=1))
    first = next(iter(seen.latents.values()))
    complete = _complete(seen.latents, whole)
    with progress("clustering", 2 * (MOST_CLUSTERS - 1), "numbers of clusters") as advance:
        spaces = list(_spaces(positions, first, whole, seed, advance))
    return Page(
        run=run,
        epoch=epoch,
        store=store.path.name,
        digest=store.manifest.content_digest,
        split=split,
        samples=len(positions),
        complete=int(whole.sum()),
        joints=COCO_NAMES,
        pck={name: _row(each, counts) for name, each in right.items()},
        scores=scores_svg(scores),
        clearest=_clearest(store, positions, seen, scores),
        needed={name: found.needed(EXPLAINED) for name, found in complete.items()},
        variance=variance_svg({name: found.shares for name, found in complete.items()}) if complete else b"",
        walks=_walks(store, positions[whole], first[whole], next(iter(complete.values()))) if complete else None,
        silhouettes=silhouettes_svg({space.name: space.clusterings for space in spaces}) if spaces else b"",
        groups=[_groups(store, space) for space in spaces],
    )


def _percent(right: Bools, counts: Bools, axis: int) -> NDArray[np.float64]:
    """PCK along an axis, in percent; NaN where nothing counts."""
    total = counts.sum(axis=axis)
    return np.where(total > 0, 100 * (right & counts).sum(axis=axis) / np.maximum(total, 1), np.nan)


def _row(right: Bools, counts: Bools) -> list[float | None]:
    """PCK of all keypoints, then of each joint."""
    values = [*_percent(right.reshape(1, -1), counts.reshape(1, -1), axis=1), *_percent(right, counts, axis=0)]
    return [None if np.isnan(value) else float(value) for value in values]


def _complete(latents: Mapping[str, NDArray[np.float32]], whole: Bools) -> dict[str, Components]:
    """Components of every latent space, of the crops with all keypoints."""
    if whole.sum() < _LEAST:
        return {}
    return {name: principal_components(each[whole]) for name, each in latents.items()}


def _spaces(
    positions: Positions, latents: NDArray[np.float32], whole: Bools, seed: int, advance: Advance
) -> Iterator[_Space]:
    """All crops, and those with all keypoints, where there are enough of them."""
    for name, chosen in (("all crops", np.ones_like(whole)), ("crops with all keypoints", whole)):
        if chosen.sum() >= _LEAST:
            part = latents[chosen]
            if found := clusterings(part, seed, advance):
                yield _Space(name, positions[chosen], part, principal_components(part), found)


def _clearest(
    store: CropStore, positions: Positions, seen: Examined, scores: Mapping[str, NDArray[np.float64]]
) -> Picture | None:
    """Crops that are wholly right with skip connections, those first that lose most without (figure 14)."""
    whole = np.flatnonzero(scores[WITH] == 100)
    shown = whole[np.argsort(scores[WITHOUT][whole], kind="stable")][:CLEAREST]
    if not len(shown):
        return None
    at = positions[shown]
    return compared(
        {
            "labels": labelled(store, at),
            "with": figures(store, at, seen.found[shown]),
            "without": figures(store, at, seen.bare[shown]),
        }
    )


def _walks(store: CropStore, positions: Positions, latents: NDArray[np.float32], components: Components) -> Picture:
    """The crops along some components (figure 15)."""
    rows = {}
    for number in (number for number in WALKED if number <= len(components.shares)):
        stops = walk(latents, components, number - 1, STOPS)
        share = 100 * components.shares[number - 1]
        rows[f"component {number}: {share:.2f} %"] = labelled(store, positions[stops])
    return walks(rows, [f"{stop:+d} sd" if stop else "mean" for stop in STOPS])


def _groups(store: CropStore, space: _Space) -> Groups:
    best = max(space.clusterings, key=lambda one: one.silhouette)
    centroids = labelled(store, space.positions[best.nearest])
    chosen = spread(space.components.project(space.latents, 2))
    return Groups(
        name=space.name,
        sizes=np.bincount(best.labels).tolist(),
        silhouettes=[one.silhouette for one in space.clusterings],
        explained=float(space.components.shares[:2].sum()),
        centroids=side_by_side({f"cluster {number}": picture for number, picture in enumerate(centroids)}),
        plane=plane_of(store, space.positions, chosen, best.labels),
    )
