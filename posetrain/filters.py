"""Classical smoothing filters over tracks of keypoints. Pure functions over arrays; nothing is changed in place.

Letters: T frames, K keypoints; leading dimensions are a batch. Positions are grid px, NaN means missing. Every
keypoint and either axis is a track of its own. A missing frame has no weight and stays missing: nothing is
interpolated, before or after.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

TRUNCATE = 4.0
"""Standard deviations. A Gaussian has no weight further out; as in scipy.ndimage."""

RATE = 30.0
"""Frames per second."""

Floats = NDArray[np.float64]


def moving_average(points: Floats, radius: int) -> Floats:
    """The mean over the present frames at most `radius` away.

    Args:
        points: (..., T, K, 2) grid px, NaN = missing.
        radius: frames on either side, at least 0.

    Returns:
        (..., T, K, 2) grid px, NaN where `points` is.
    """
    return _weighted_mean(points, np.ones(radius + 1))


def gaussian(points: Floats, sigma: float) -> Floats:
    """The mean over the present frames, weighted by a Gaussian that ends at `TRUNCATE` standard deviations.

    Args:
        points: (..., T, K, 2) grid px, NaN = missing.
        sigma: standard deviation in frames, above 0.

    Returns:
        (..., T, K, 2) grid px, NaN where `points` is.
    """
    distances = np.arange(int(TRUNCATE * sigma + 0.5) + 1)
    return _weighted_mean(points, np.exp(-0.5 * (distances / sigma) ** 2))


def _weighted_mean(points: Floats, weights: Floats) -> Floats:
    """The mean over the present frames; weights: (R + 1,) by the distance in frames, the first above 0."""
    frames = points.shape[-3]
    present = ~np.isnan(points)
    values = np.where(present, points, 0.0)
    total, mass = weights[0] * values, weights[0] * present
    for distance, weight in enumerate(weights[1:frames], start=1):
        early, late = np.s_[..., : frames - distance, :, :], np.s_[..., distance:, :, :]
        for here, there in ((early, late), (late, early)):
            total[here] += weight * values[there]
            mass[here] += weight * present[there]
    mean: Floats = np.divide(total, mass, out=np.full(points.shape, np.nan), where=present)
    return mean


def savitzky_golay(points: Floats, radius: int, degree: int) -> Floats:
    """The value of the polynomial fitted to the present frames around each frame by least squares.

    A frame near either end takes the fit of the first or last full window of 2 * radius + 1 frames, as
    scipy.signal.savgol_filter does with mode="interp"; without gaps the two are equal. A sequence shorter than a
    window is one window. Where n frames of a window are present the degree is at most n - 1. The fit is a sum of
    polynomials that are orthogonal over the present frames, by Forsythe's recurrence.

    Sources: Savitzky and Golay 1964, doi:10.1021/ac60214a047; Forsythe 1957, doi:10.1137/0105007.

    Args:
        points: (..., T, K, 2) grid px, NaN = missing.
        radius: frames on either side, at least 0.
        degree: of the polynomial, at least 0.

    Returns:
        (..., T, K, 2) grid px, NaN where `points` is.
    """
    frames = points.shape[-3]
    length = min(2 * radius + 1, frames)
    last = frames - length
    smooth = np.full(points.shape, np.nan)
    for start in range(last + 1):
        first_served = 0 if start == 0 else start + radius
        end_served = frames if start == last else start + radius + 1
        fitted = _fit(points[..., start : start + length, :, :], degree)
        smooth[..., first_served:end_served, :, :] = fitted[..., first_served - start : end_served - start, :, :]
    return np.where(np.isnan(points), np.nan, smooth)


def _fit(window: Floats, degree: int) -> Floats:
    """One polynomial fitted to the present frames, at every frame; (..., T, K, 2), 0 where none is present."""
    present = ~np.isnan(window)
    count = present.sum(axis=-3, keepdims=True)
    frames = window.shape[-3]
    time = np.linspace(-1.0, 1.0, frames)[:, None, None] if frames > 1 else np.zeros((1, 1, 1))
    basis, previous = np.ones(window.shape), np.zeros(window.shape)
    norm = previous_norm = np.ones(count.shape)
    fitted = np.zeros(window.shape)
    for power in range(min(degree, frames - 1) + 1):
        allowed = count > power
        seen = np.where(present, basis, 0.0)
        norm = np.where(allowed, (seen * seen).sum(axis=-3, keepdims=True), 1.0)
        rest = np.where(present, window - fitted, 0.0)
        fitted += np.where(allowed, (seen * rest).sum(axis=-3, keepdims=True) / norm, 0.0) * basis
        shift = (time * seen * seen).sum(axis=-3, keepdims=True) / norm
        basis, previous = (time - shift) * basis - norm / previous_norm * previous, basis
        previous_norm = norm
    return fitted


def one_euro(points: Floats, min_cutoff: float, beta: float, d_cutoff: float = 1.0, rate: float = RATE) -> Floats:
    """The 1 euro filter: a causal low pass whose cutoff rises with the speed.

    A first frame passes unchanged, at speed 0. The speed is taken from the last filtered position, as in the
    authors' code. Over a gap the state is held; the frame after it sees the time that has gone by.

    Source: Casiez, Roussel and Vogel 2012, doi:10.1145/2207676.2208639.

    Args:
        points: (..., T, K, 2) grid px, NaN = missing.
        min_cutoff: Hz, of the positions at rest, above 0.
        beta: Hz per px/s, by which the cutoff rises.
        d_cutoff: Hz, of the speed, above 0.
        rate: frames per second.

    Returns:
        (..., T, K, 2) grid px, NaN where `points` is.
    """
    smooth = np.full(points.shape, np.nan)
    one_frame = points[..., 0, :, :].shape
    position, speed, elapsed = np.full(one_frame, np.nan), np.zeros(one_frame), np.ones(one_frame)
    for t in range(points.shape[-3]):
        point = points[..., t, :, :]
        missing, seconds = np.isnan(point), elapsed / rate
        change = point - position
        known = ~np.isnan(change)
        speed = np.where(known, speed + _share(d_cutoff, seconds) * (change / seconds - speed), speed)
        moved = position + _share(min_cutoff + beta * np.abs(speed), seconds) * change
        position = np.where(missing, position, np.where(known, moved, point))
        elapsed = np.where(missing, elapsed + 1.0, 1.0)
        smooth[..., t, :, :] = np.where(missing, np.nan, position)
    return smooth


def _share(cutoff: Floats | float, seconds: Floats) -> Floats:
    """The new value's share in a first-order low pass of `cutoff` Hz, `seconds` after the old value."""
    turn = 2 * np.pi * cutoff * seconds
    return turn / (turn + 1)


def kalman(points: Floats, process: float, measurement: float) -> Floats:
    """The Kalman smoother of a constant velocity that white noise accelerates; the whole sequence counts.

    An acceleration a, constant during a frame, moves the position by a / 2 and the velocity by a. Nothing is
    known before the first present frame. Computed as two filters, one from either end, in information form, where
    knowing nothing is exactly 0; equal to a Kalman filter with a diffuse start and Rauch, Tung and Striebel's
    backward pass. Only the ratio of the two variances matters.

    Sources: Rauch, Tung and Striebel 1965, doi:10.2514/3.3166; Fraser and Potter 1969,
    doi:10.1109/TAC.1969.1099196.

    Args:
        points: (..., T, K, 2) grid px, NaN = missing.
        process: variance of the acceleration in px^2/frame^4, at least 0.
        measurement: variance of a position's noise in px^2, above 0.

    Returns:
        (..., T, K, 2) grid px, NaN where `points` is.
    """
    present = ~np.isnan(points)
    past = _predict(points, process, measurement)
    future = _predict(points[..., ::-1, :, :], process, measurement)[..., ::-1, :, :]
    # Reversed in time the model is itself, with the velocity's sign turned.
    pp, pv, vv = past[0] + future[0] + present / measurement, past[1] - future[1], past[2] + future[2]
    p, v = past[3] + future[3] + np.where(present, points, 0.0) / measurement, past[4] - future[4]
    slope = np.divide(pv, vv, out=np.zeros(points.shape), where=vv > 0)
    smooth: Floats = np.divide(p - slope * v, pp - slope * pv, out=np.full(points.shape, np.nan), where=present)
    return smooth


def _predict(points: Floats, process: float, measurement: float) -> Floats:
    """What the frames before each frame tell about it: an information filter's predictions.

    Returns:
        (5, ..., T, K, 2): the information matrix of position and velocity (pp, pv, vv), and its product with
        the predicted position and velocity (p, v).
    """
    present = ~np.isnan(points)
    weights, weighted = present / measurement, np.where(present, points, 0.0) / measurement
    told = np.zeros((5, *points.shape))
    for t in range(1, points.shape[-3]):
        pp, pv, vv, p, v = told[..., t - 1, :, :]
        pp, p = pp + weights[..., t - 1, :, :], p + weighted[..., t - 1, :, :]
        pv, vv, v = pv - pp, vv - 2 * pv + pp, v - p  # one frame on at constant velocity
        ap, av = pp / 2 + pv, pv / 2 + vv  # information along (1/2, 1), the direction of an acceleration
        lost = process / (1 + process * (ap / 2 + av))
        known = lost * (p / 2 + v)
        for row, value in zip(
            told,
            (pp - lost * ap * ap, pv - lost * ap * av, vv - lost * av * av, p - known * ap, v - known * av),
            strict=True,
        ):
            row[..., t, :, :] = value
    return told


@dataclass(frozen=True)
class Filter:
    """A filter and the parameters worth trying.

    Attributes:
        function: points (..., T, K, 2) and the parameters by name -> the smoothed points.
        choices: parameters by name. The best one is picked on data that is not the test's.
    """

    function: Callable[..., Floats]
    choices: tuple[Mapping[str, float], ...]


FILTERS: Mapping[str, Filter] = {
    "moving-average": Filter(
        moving_average,
        tuple({"radius": radius} for radius in (1, 2, 3, 4, 5, 6, 8, 10, 12, 16)),
    ),
    "gaussian": Filter(
        gaussian,
        tuple({"sigma": sigma} for sigma in (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0)),
    ),
    "savitzky-golay": Filter(
        savitzky_golay,
        tuple(
            {"radius": radius, "degree": degree}
            for degree, radii in ((1, (1, 2, 3, 4, 6, 8, 12, 16)), (2, (2, 3, 4, 6, 8, 12, 16)), (3, (4, 6, 8, 12)))
            for radius in radii
        ),
    ),
    "one-euro": Filter(
        one_euro,
        tuple(
            {"min_cutoff": cutoff, "beta": beta}
            for cutoff, beta in product((0.5, 1.0, 2.0, 4.0, 8.0), (0.0, 0.01, 0.03, 0.1))
        ),
    ),
    "kalman": Filter(
        kalman,
        tuple(
            {"process": process, "measurement": 25.0}
            for process in (1e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
        ),
    ),
}
"""Name -> filter. The choices suit noise of 3 to 7 px, drawn anew every frame, on people with a torso of 16 px
who move at about 30 frames a second."""
