"""One page that needs nothing beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from posedata import __version__
from posedata.pages import environment
from posedata.preview.draw import Picture, png


@dataclass(frozen=True, eq=False)
class Groups:
    """The best clustering of some samples.

    Attributes:
        name: of the samples.
        sizes: samples in each group.
        silhouettes: the best of each K from 2.
        explained: share of the variance that the plane shows, 0 to 1.
        centroids: the samples nearest to the centroids.
        plane: samples where they lie.
    """

    name: str
    sizes: Sequence[int]
    silhouettes: Sequence[float]
    explained: float
    centroids: Picture
    plane: Picture


@dataclass(frozen=True, eq=False)
class Page:
    """What the page shows; what could not be made is empty or None.

    Attributes:
        run: name of the run.
        epoch: of its weights.
        store: name of the store.
        digest: its content digest.
        split: that the samples are of.
        samples: how many.
        complete: of them with all keypoints labelled.
        joints: names.
        pck: with and without -> percent of all keypoints, then of each joint; None where nothing counts.
        scores: SVG.
        clearest: labels, and predictions with and without.
        needed: latent space -> how many components explain 95 %.
        variance: SVG.
        walks: samples along components.
        silhouettes: SVG.
        groups: by kind of sample.
    """

    run: str
    epoch: int
    store: str
    digest: str
    split: str
    samples: int
    complete: int
    joints: Sequence[str]
    pck: Mapping[str, Sequence[float | None]]
    scores: bytes
    clearest: Picture | None
    needed: Mapping[str, int]
    variance: bytes
    walks: Picture | None
    silhouettes: bytes
    groups: Sequence[Groups]


def figures(page: Page) -> dict[str, Any]:
    """What of a page is numbers, for JSON."""
    kept = ("run", "epoch", "store", "split", "samples", "complete", "pck", "needed")
    groups = [{"name": g.name, "sizes": g.sizes, "silhouettes": g.silhouettes} for g in page.groups]
    return {**{name: getattr(page, name) for name in kept}, "clusters": groups}


def html(page: Page) -> str:
    """The page with its pictures inside."""
    templates = environment("posetrain.explain")
    templates.filters["png"] = png
    return templates.get_template("explain.html.j2").render(page=page, version=__version__)
