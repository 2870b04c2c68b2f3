import numpy as np
import pytest
from numpy.typing import NDArray

from posetrain.explain.latent import Components, clusterings, nearest, principal_components, walk

Floats = NDArray[np.float64]


@pytest.fixture
def stretched() -> Floats:
    """Samples that lie along (3, 4) / 5 mostly, with a standard deviation of 10, and 1 and 0.1 across it."""
    draws = np.random.default_rng(0).normal(size=(400, 3)) * [10.0, 1.0, 0.1]
    draws -= draws.mean(axis=0)
    axes = np.array([[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    return draws @ axes + [5.0, 6.0, 7.0]


def test_components_are_those_of_the_covariance(stretched: Floats) -> None:
    found = principal_components(stretched)
    variances, directions = np.linalg.eigh(np.cov(stretched.T))
    np.testing.assert_allclose(found.mean, stretched.mean(axis=0))
    np.testing.assert_allclose(found.variances, variances[::-1])
    np.testing.assert_allclose(found.shares, variances[::-1] / variances.sum())
    np.testing.assert_allclose(np.abs(found.directions), np.abs(directions.T[::-1]), atol=1e-6)
    np.testing.assert_allclose(np.abs(found.directions[0]), [0.6, 0.8, 0.0], atol=0.02)


def test_a_projection_is_the_way_along_a_component(stretched: Floats) -> None:
    found = principal_components(stretched)
    place = found.mean + 3 * found.directions[0] - 2 * found.directions[1] + found.directions[2]
    np.testing.assert_allclose(found.project(place[None], 2), [[3.0, -2.0]], atol=1e-9)


def test_how_many_components_explain_a_share() -> None:
    found = Components(np.zeros(3), np.eye(3), np.array([5.0, 3.0, 2.0]), np.array([0.5, 0.3, 0.2]))
    assert [found.needed(share) for share in (0.0, 0.4, 0.6, 0.9, 1.0)] == [1, 1, 2, 3, 3]
    short = Components(np.zeros(1), np.eye(1), np.ones(1), np.array([1 - 1e-9]))
    assert short.needed(1.0) == 1


def test_a_walk_stops_at_samples_by_standard_deviations(stretched: Floats) -> None:
    found = principal_components(stretched)
    stops = stretched[walk(stretched, found, 0, [-2, -1, 0, 1, 2])]
    along = found.project(stops, 1)[:, 0] / np.sqrt(found.variances[0])
    np.testing.assert_allclose(along, [-2, -1, 0, 1, 2], atol=0.15)


def test_the_nearest_of_some_samples_is_the_first() -> None:
    samples = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 0.0]])
    assert nearest(samples, np.array([[1.0, 0.0], [3.9, 1.0]])).tolist() == [0, 1]


def test_three_heaps_are_three_clusters_the_largest_first() -> None:
    middles = np.array([[0.0, 0.0], [20.0, 0.0], [0.0, 20.0]])
    heaps = np.repeat([0, 1, 2], [10, 30, 20])
    samples = middles[heaps] + np.random.default_rng(0).normal(size=(60, 2))
    found = clusterings(samples, seed=0)
    assert [len(one.nearest) for one in found] == list(range(2, 11))
    best = max(found, key=lambda one: one.silhouette)
    assert best is found[1]
    assert best.labels.tolist() == [{1: 0, 2: 1, 0: 2}[heap] for heap in heaps]
    assert heaps[best.nearest].tolist() == [1, 2, 0]
    assert best.silhouette > 0.8


def test_a_silhouette_by_hand() -> None:
    samples = np.array([[0.0], [1.0], [10.0]])
    (found,) = clusterings(samples, seed=0)
    # 0: to its own 1, to the other 10; 1: 1 and 9; the lone one counts 0.
    assert found.silhouette == pytest.approx(((10 - 1) / 10 + (9 - 1) / 9 + 0) / 3)
    assert found.labels.tolist() == [0, 0, 1]


def test_clusters_are_the_same_every_time() -> None:
    samples = np.random.default_rng(1).normal(size=(50, 4))
    one, two = clusterings(samples, seed=3), clusterings(samples, seed=3)
    assert all(np.array_equal(a.labels, b.labels) for a, b in zip(one, two, strict=True))


def test_too_few_samples_for_any_cluster_give_none() -> None:
    assert clusterings(np.zeros((5, 3)), seed=0) == []
