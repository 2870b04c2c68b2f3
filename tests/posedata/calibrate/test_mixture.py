"""Peaks drawn by numpy, and probabilities by hand."""

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import norm

from posedata.calibrate.mixture import EDGE, Mixture, Peaks, fit, loss, residuals, shares

from .conftest import Detector, simulated_peaks

NOBODY = (np.nan, np.nan)


def one(cell: tuple[int, int], target: tuple[float, float], partner: tuple[float, float] = NOBODY) -> Peaks:
    return Peaks(np.asarray([cell], np.int8), np.asarray([target]), np.asarray([partner]))


def probability(peaks: Peaks, std: float, outliers: float = 0.0, exchanged: float = 0.0) -> float:
    """Of the one cell."""
    return exp(-loss(np.asarray([log(std), outliers, exchanged]), peaks)[0])


def test_a_cell_is_as_likely_as_a_shift_into_it() -> None:
    x, y = norm(28.3, 2.0), norm(20.0, 2.0)
    by_hand = (x.cdf(30) - x.cdf(29)) * (y.cdf(18) - y.cdf(17))
    assert probability(one((29, 17), (28.3, 20.0)), 2.0) == pytest.approx(by_hand, rel=1e-9)


def test_swaps_and_strays_add_their_shares() -> None:
    peaks = one((40, 30), (20.5, 30.5), (40.5, 30.5))
    other = (norm.cdf(0.5) - norm.cdf(-0.5)) ** 2
    assert probability(peaks, 1.0, 0.1, 0.2) == pytest.approx(0.1 / 56**2 + 0.9 * 0.2 * other, rel=1e-9)
    alone = one((40, 30), (20.5, 30.5))
    assert probability(alone, 1.0, 0.1, 0.2) == pytest.approx(0.1 / 56**2, rel=1e-9)


@pytest.mark.parametrize("target", [(28.0, 28.0), (4.1, 51.9), (9.0, 20.0)])
@pytest.mark.parametrize("std", [0.3, 3.0, 20.0])
def test_all_cells_together_are_certain(target: tuple[float, float], std: float) -> None:
    """The outermost cells of a side are one interval, so each side counts once."""
    apart = [0, *range(EDGE, 56 - EDGE), 55]
    cells = np.stack(np.meshgrid(apart, apart), axis=-1).reshape(-1, 2).astype(np.int8)
    total = sum(probability(one((int(x), int(y)), target, (30.0, 10.0)), std, 0.1, 0.2) for x, y in cells)
    assert total == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("cell", range(EDGE))
def test_cells_at_the_border_are_not_told_apart(cell: int) -> None:
    assert probability(one((cell, 28), (6.0, 28.5)), 3.0) == probability(one((0, 28), (6.0, 28.5)), 3.0)
    assert probability(one((55 - cell, 28), (50.0, 28.5)), 3.0) == probability(one((55, 28), (50.0, 28.5)), 3.0)


@pytest.mark.parametrize("parameters", [(0.5, 0.1, 0.2), (0.0, 0.01, 0.01), (2.0, 0.5, 0.9)])
def test_the_gradient_is_that_of_the_loss(parameters: tuple[float, float, float]) -> None:
    peaks = simulated_peaks(Detector(outliers=0.1, swaps=0.1, frames=20), 3.0)
    at = np.asarray(parameters)
    numeric = approx_fprime(at, lambda p: loss(p, peaks)[0], 1e-7)
    np.testing.assert_allclose(loss(at, peaks)[1], numeric, rtol=1e-4, atol=1e-6)


KNOWN = [
    (Detector(), 3.0),
    (Detector(), 0.4),
    (Detector(outliers=0.03, swaps=0.05), 1.0),
    (Detector(outliers=0.03, swaps=0.05), 3.0),
    (Detector(outliers=0.03, swaps=0.05), 6.0),
    (Detector(outliers=0.3), 2.0),
    (Detector(swaps=0.3), 2.0),
    (Detector(outliers=0.2, swaps=0.2), 4.0),
]


@pytest.mark.parametrize(("detector", "std"), KNOWN)
def test_what_was_simulated_is_found_again_without_bias(detector: Detector, std: float) -> None:
    """The mean of 20 simulations of 2,500 peaks is within 4 of its own standard errors.

    Besides a ten-thousandth: rates cannot be found below 0, so where they are 0 the mean is a little above.
    """
    found = [fit(simulated_peaks(replace(detector, frames=100, seed=seed), std)) for seed in range(20)]
    for values, truth in (
        ([mixture.std for mixture in found], std),
        ([mixture.outliers for mixture in found], detector.outliers),
        ([mixture.swaps for mixture in found], detector.swaps),
    ):
        sampling = float(np.std(values, ddof=1)) / np.sqrt(len(values))
        assert abs(np.mean(values) - truth) < 4 * sampling + 1e-4 * (1 + (truth == 0) * 10)


def test_the_start_does_not_matter() -> None:
    peaks = simulated_peaks(Detector(outliers=0.05, swaps=0.1, frames=100), 3.0)
    usual, other = fit(peaks), fit(peaks, Mixture(9.0, 0.3, 0.4))
    assert (other.std, other.swaps) == pytest.approx((usual.std, usual.swaps), rel=1e-3)


def test_peaks_that_never_leave_their_cells_have_no_shift_to_speak_of() -> None:
    found = fit(simulated_peaks(Detector(), 1e-6))
    assert found.std < 0.1
    assert (found.outliers, found.swaps) == pytest.approx((0, 0), abs=1e-3)


def test_shares_tell_the_three_apart() -> None:
    targets = np.tile([20.5, 30.5], (3, 1))
    peaks = Peaks(np.asarray([[21, 30], [40, 31], [5, 50]], np.int8), targets, np.tile([40.5, 30.5], (3, 1)))
    found = shares(peaks, Mixture(1.0, 0.01, 0.05))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found.argmax(axis=1).tolist() == [0, 1, 2]
    assert found.max(axis=1).min() > 0.99


def test_residuals_go_to_the_centre_of_the_cell() -> None:
    np.testing.assert_allclose(residuals(one((21, 30), (20.5, 31.0))), [[1.0, -0.5]])
