import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posedata.stats.distribution import BARS, EDGES, QUANTILES, Distribution, shared_edges


def counted(*parts: object) -> Distribution:
    found = Distribution()
    for part in parts:
        found.add(np.asarray(part, np.float64))
    return found


def test_by_hand() -> None:
    found = counted([1.0, np.nan, 3.0], [[2.0, 2.0]])
    assert (found.count, found.total, found.least, found.most) == (4, 8.0, 1.0, 3.0)
    assert [found.quantile(share) for share in (0.0, 0.5, 1.0)] == pytest.approx([1, 2, 3], rel=0.01)
    assert found.below(np.asarray([0.5, 1.5, 2.5, 3.5])).tolist() == [0, 1, 3, 4]


def test_nothing() -> None:
    found = counted([np.nan, np.nan], [])
    assert found.count == 0
    assert np.isnan(found.quantile(0.5))
    assert found.as_dict(EDGES[:3]) == {"count": 0}


def test_what_is_beyond_the_edges_counts_all_the_same() -> None:
    found = counted([0.0, 0.0, 5e6])
    assert found.counts[0] == 2
    assert found.counts[-1] == 1
    assert found.quantile(0.5) < 0.01
    assert found.most == 5e6


@given(st.lists(st.floats(0.01, 9e5), min_size=1, max_size=60), st.integers(0, 60))
def test_quantiles_are_numpys_to_one_percent_however_the_numbers_come(numbers: list[float], cut: int) -> None:
    found = counted(numbers[:cut], numbers[cut:])
    for share in QUANTILES:
        # A quantile between two numbers may be any number between them.
        low, high = (np.quantile(numbers, share, method=method) for method in ("inverted_cdf", "higher"))
        assert low / 1.011 <= found.quantile(share) <= max(low, high) * 1.011
    assert found.counts.sum() == len(numbers)
    assert found.total / found.count == pytest.approx(np.mean(numbers))


def test_histograms_of_two_share_edges_and_lose_only_the_tail() -> None:
    few, many = counted(np.linspace(0, 10, 1001)), counted(np.linspace(0, 4, 1001), [500.0])
    edges = shared_edges([few, many, counted([])])
    assert len(edges) == BARS + 1
    assert edges[0] == 0.0
    assert 9.9 < edges[-1] < 10.1
    assert sum(many.as_dict(edges)["histogram"]) == pytest.approx(1001, abs=1)
    assert sum(few.as_dict(edges)["histogram"]) == pytest.approx(1001, rel=0.01)
    assert few.as_dict(edges)["histogram"][30] == pytest.approx(1001 / BARS, rel=0.05)
