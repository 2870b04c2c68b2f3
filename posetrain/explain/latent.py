"""A latent space taken apart: principal components, walks along them, clusters. Arrays in, arrays out.

Letters: N samples, D dimensions. After seed 001, sections 6.3 and 6.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import pairwise_distances, silhouette_score

from posedata.progress import Advance

Floats = NDArray[np.floating]

MOST_CLUSTERS, RESTARTS = 10, 10
"""K goes from 2 to this; each is begun so many times."""


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components, the strongest first.

    Attributes:
        mean: (D,) of the samples.
        directions: (C, D) of length 1.
        variances: (C,) along them.
        shares: (C,) of the variance of all dimensions, 0 to 1.
    """

    mean: Floats
    directions: Floats
    variances: Floats
    shares: Floats

    def project(self, latents: Floats, count: int) -> Floats:
        """(N, count) coordinates along the first components."""
        return np.asarray((latents - self.mean) @ self.directions[:count].T)

    def needed(self, share: float) -> int:
        """How many explain that share of the variance; all of them where rounding keeps them below it."""
        return min(int(np.searchsorted(np.cumsum(self.shares), share)) + 1, len(self.shares))


@dataclass(frozen=True, eq=False)
class Clustering:
    """Samples in groups.

    Attributes:
        labels: (N,) from 0, the largest group first.
        nearest: (K,) the sample that is nearest to each centroid.
        silhouette: how much nearer samples are to their own group than to the next, -1 to 1.
    """

    labels: NDArray[np.int64]
    nearest: NDArray[np.int64]
    silhouette: float


def principal_components(latents: Floats) -> Components:
    """All components of (N, D) samples; there are min(N, D)."""
    found = PCA(svd_solver="full").fit(latents)
    return Components(found.mean_, found.components_, found.explained_variance_, found.explained_variance_ratio_)


def nearest(latents: Floats, places: Floats) -> NDArray[np.int64]:
    """(P,) the samples that are nearest to (P, D) places, the first of those at one distance."""
    return np.asarray(pairwise_distances(places, latents).argmin(axis=1), np.int64)


def walk(latents: Floats, components: Components, number: int, steps: Sequence[float]) -> NDArray[np.int64]:
    """The samples that a walk from the mean along a component comes by.

    Args:
        latents: (N, D) samples.
        components: theirs.
        number: of the component, from 0.
        steps: where it stops, in standard deviations along that component: c in c * sqrt(lambda).

    Returns:
        (S,) the nearest sample at each stop.
    """
    lengths = np.asarray(steps) * np.sqrt(components.variances[number])
    return nearest(latents, components.mean + lengths[:, None] * components.directions[number])


def clusterings(latents: Floats, seed: int, advance: Advance = lambda done: None) -> list[Clustering]:
    """The best clustering of (N, D) samples by k-means for every K from 2, by its silhouette, of `RESTARTS` tries.

    There are fewer than `MOST_CLUSTERS` where samples are: a silhouette takes one more than there are groups. `advance`
    is told of every K.
    """
    distances = pairwise_distances(latents)
    most = min(MOST_CLUSTERS, len(np.unique(latents, axis=0)) - 1)
    found = []
    for k in range(2, most + 1):
        found.append(_clustering(latents, distances, k, seed))
        advance(1)
    return found


def _clustering(latents: Floats, distances: Floats, k: int, seed: int) -> Clustering:
    tries = [KMeans(k, n_init=1, random_state=seed + number).fit(latents) for number in range(RESTARTS)]
    scores = [float(silhouette_score(distances, one.labels_, metric="precomputed")) for one in tries]
    best = tries[int(np.argmax(scores))]
    order = np.argsort(-np.bincount(best.labels_, minlength=k), kind="stable")
    labels = np.argsort(order)[best.labels_]
    return Clustering(labels, nearest(latents, best.cluster_centers_[order]), max(scores))
