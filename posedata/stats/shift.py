"""How far the input was shifted, found again in the shifts themselves. Pure."""

from posedata.stats.distribution import Distribution

LEAST_SHIFT = 0.5
"""Grid px: a smaller shift cannot be told from the rounding to cells."""

_HALF_NORMAL = 0.6745
"""Median of the absolute value of a standard normal number."""

_MEDIAN_ERROR = 1.17
"""Standard error of a standard deviation taken from the median of n absolute values, times the root of n."""

_ROUNDING = 1 / 12
"""Variance of a position within its cell."""


def measured_shift(recorded: float | None, shifts: Distribution) -> float | None:
    """Standard deviation of the shift on one axis, grid px.

    It comes from the median, which the border does not move: shifts that it cut off are longer. The variance of
    rounding to a cell is taken from its square.

    Args:
        recorded: what it should be; None = there is no noise.
        shifts: absolute shifts on one axis, of keypoints at least that far from the border.

    Returns:
        None if there is none, or if it is too small or too large to be measured.
    """
    if recorded is None or recorded < LEAST_SHIFT or not shifts.count:
        return None
    variance = (shifts.quantile(0.5) / _HALF_NORMAL) ** 2 - _ROUNDING
    return float(max(variance, 0.0) ** 0.5)


def relative_error(shifts: Distribution) -> float:
    """Standard error of `measured_shift`, as a share of it."""
    return float(_MEDIAN_ERROR / shifts.count**0.5)
