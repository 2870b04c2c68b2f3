import numpy as np
import pytest

from posedata.stats.distribution import Distribution
from posedata.stats.shift import measured_shift, relative_error


def drawn(std: float, border: float = np.inf, count: int = 40_000) -> Distribution:
    """Shifts from a random place in a cell to the centre of the cell shifted to, cut off at a border."""
    random = np.random.default_rng(1)
    place = random.uniform(0, 1, count)
    cell = np.floor(np.clip(place + random.normal(0, std, count), -border, border)) + 0.5
    found = Distribution()
    found.add(np.abs(cell - place))
    return found


@pytest.mark.parametrize("std", [0.5, 1.0, 3.5, 14.0])
def test_the_standard_deviation_is_found_again_even_where_the_border_cuts(std: float) -> None:
    error = relative_error(drawn(std))
    assert error == pytest.approx(1.17 / 200)
    for border in (np.inf, max(std, 5.0)):
        assert measured_shift(std, drawn(std, border)) == pytest.approx(std, rel=max(4 * error, 0.02))


def test_what_is_too_small_or_nowhere_is_not_measured() -> None:
    assert measured_shift(0.49, drawn(0.49)) is None
    assert measured_shift(None, drawn(1.0)) is None
    assert measured_shift(1.0, Distribution()) is None
    nothing = Distribution()
    nothing.add(np.zeros(10))
    assert measured_shift(1.0, nothing) == 0.0
