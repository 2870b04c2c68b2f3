from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d
from scipy.signal import savgol_filter

from posetrain.filters import FILTERS, gaussian, kalman, moving_average, one_euro, savitzky_golay

NAN = np.nan

SOME: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "moving-average": lambda points: moving_average(points, 2),
    "gaussian": lambda points: gaussian(points, 1.3),
    "savitzky-golay-1": lambda points: savitzky_golay(points, 3, 1),
    "savitzky-golay-3": lambda points: savitzky_golay(points, 3, 3),
    "one-euro": lambda points: one_euro(points, 1.0, 0.03),
    "kalman": lambda points: kalman(points, 0.3, 25.0),
}
any_filter = pytest.mark.parametrize("smooth", SOME.values(), ids=SOME)


def track(*values: float) -> np.ndarray:
    """One keypoint, the same on both axes; (T, 1, 2)."""
    return np.repeat(np.asarray(values, float)[:, None, None], 2, axis=-1)


def column(points: np.ndarray) -> np.ndarray:
    """What `track` was made of."""
    np.testing.assert_array_equal(points[:, 0, 0], points[:, 0, 1])
    return points[:, 0, 0]


def scattered(shape: tuple[int, ...], gaps: float, seed: int = 0) -> np.ndarray:
    """Random positions, some missing."""
    rng = np.random.default_rng(seed)
    points = rng.normal(28, 8, shape)
    points[rng.random(shape[:-1]) < gaps] = NAN
    return points


@st.composite
def tracks(draw: st.DrawFn) -> np.ndarray:
    """1 to 14 frames of a track with gaps, at least one frame present."""
    values = draw(st.lists(st.none() | st.floats(0, 56), min_size=1, max_size=14).filter(any_present))
    return np.asarray([NAN if value is None else value for value in values])


def any_present(values: list[float | None]) -> bool:
    return any(value is not None for value in values)


# Moving average, Gaussian


def test_moving_average_by_hand() -> None:
    smooth = moving_average(track(1, 2, 6, NAN, 4, 9), 1)
    np.testing.assert_allclose(column(smooth), [1.5, 3, 4, NAN, 6.5, 6.5])
    np.testing.assert_allclose(column(moving_average(track(1, 2, 6), 99)), [3, 3, 3])


def test_radius_0_is_the_identity() -> None:
    points = scattered((6, 3, 2), 0.3)
    np.testing.assert_array_equal(moving_average(points, 0), points)
    np.testing.assert_allclose(savitzky_golay(points, 0, 2), points)


def test_gaussian_agrees_with_scipy_away_from_the_ends() -> None:
    points = scattered((60, 3, 2), 0)
    for sigma in (0.6, 1.0, 2.3):
        reach = int(4 * sigma + 0.5)
        expected = gaussian_filter1d(points, sigma, axis=0)
        np.testing.assert_allclose(gaussian(points, sigma)[reach:-reach], expected[reach:-reach])


@given(tracks(), st.floats(0.3, 4))
@settings(max_examples=60, deadline=None)
def test_gaussian_is_a_weighted_mean_of_the_present_frames(values: np.ndarray, sigma: float) -> None:
    present = np.flatnonzero(~np.isnan(values))
    expected = np.full(values.shape, NAN)
    for t in present:
        near = present[abs(present - t) <= int(4 * sigma + 0.5)]
        weights = np.exp(-((near - t) ** 2) / (2 * sigma**2))
        expected[t] = (weights * values[near]).sum() / weights.sum()
    np.testing.assert_allclose(column(gaussian(track(*values), sigma)), expected, atol=1e-9)


def test_a_frame_removed_leaves_the_formula_without_its_weight() -> None:
    values = np.asarray([3.0, 8.0, 1.0, 5.0, 9.0])
    weights = np.exp(-0.5 * np.asarray([2.0, 1.0, 0.0, 1.0, 2.0]) ** 2)
    weights[3] = 0
    smooth = gaussian(track(3, 8, 1, NAN, 9), 1.0)
    assert column(smooth)[2] == pytest.approx(np.average(values, weights=weights))
    assert column(moving_average(track(3, 8, 1, NAN, 9), 2))[2] == pytest.approx((3 + 8 + 1 + 9) / 4)


# Savitzky and Golay


@pytest.mark.parametrize("radius, degree", [(1, 1), (2, 0), (2, 2), (3, 3), (6, 2), (7, 4), (20, 3)])
def test_savitzky_golay_agrees_with_scipy_ends_included(radius: int, degree: int) -> None:
    points = scattered((41, 3, 2), 0)
    expected = savgol_filter(points, 2 * radius + 1, degree, axis=0, mode="interp")
    np.testing.assert_allclose(savitzky_golay(points, radius, degree), expected, atol=1e-9)


@given(tracks(), st.integers(0, 4), st.integers(0, 4))
@settings(max_examples=100, deadline=None)
def test_savitzky_golay_fits_the_present_frames_of_the_nearest_full_window(
    values: np.ndarray, radius: int, degree: int
) -> None:
    frames = np.arange(len(values))
    length = min(2 * radius + 1, len(values))
    expected = np.full(values.shape, NAN)
    for t in np.flatnonzero(~np.isnan(values)):
        start = int(np.clip(t - radius, 0, len(values) - length))
        near = frames[start : start + length]
        near = near[~np.isnan(values[near])]
        powers = np.vander(near - t, min(degree, len(near) - 1) + 1, increasing=True).astype(float)
        expected[t] = np.linalg.lstsq(powers, values[near], rcond=None)[0][0]
    np.testing.assert_allclose(column(savitzky_golay(track(*values), radius, degree)), expected, atol=1e-8)


def test_too_few_frames_for_the_degree_pass_unchanged() -> None:
    points = track(NAN, 3, NAN, 8, NAN, NAN, 1)
    np.testing.assert_allclose(savitzky_golay(points, 3, 4), points)
    np.testing.assert_allclose(savitzky_golay(track(5, 9, 2, 4), 2, 9), track(5, 9, 2, 4))


# 1 euro


def test_one_euro_by_hand() -> None:
    half = 1 / (2 * np.pi)  # Hz at which, one second on, the new value has a share of one half
    steady = one_euro(track(0, 4, 4, NAN, 9), half, 0.0, rate=1.0)
    np.testing.assert_allclose(column(steady), [0, 2, 3, NAN, 3 + 6 * 2 / 3])  # two seconds on: two thirds
    quick = one_euro(track(0, 4, 3, 5), half, half, half, 1.0)
    np.testing.assert_allclose(column(quick), [0, 3, 3, 3 + 2 * 5 / 7])  # speeds 0, 2, 1, 1.5


def published_one_euro(values: np.ndarray, min_cutoff: float, beta: float, rate: float) -> Iterator[float]:
    """As published, one value at a time; the speed's cutoff is 1 Hz."""
    last, position, speed = None, 0.0, 0.0
    for t, value in enumerate(values):
        if np.isnan(value):
            yield NAN
            continue
        if last is None:
            position = value
        else:
            period = (t - last) / rate
            alpha = 1 / (1 + 1 / (2 * np.pi) / period)
            speed = alpha * (value - position) / period + (1 - alpha) * speed
            cutoff = min_cutoff + beta * abs(speed)
            alpha = 1 / (1 + 1 / (2 * np.pi * cutoff) / period)
            position = alpha * value + (1 - alpha) * position
        last = t
        yield position


@given(tracks(), st.floats(0.1, 10), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_one_euro_agrees_with_the_published_loop(values: np.ndarray, min_cutoff: float, beta: float) -> None:
    expected = list(published_one_euro(values, min_cutoff, beta, 30.0))
    np.testing.assert_allclose(column(one_euro(track(*values), min_cutoff, beta)), expected, atol=1e-9)


def test_one_euro_is_causal() -> None:
    points = scattered((20, 3, 2), 0.2)
    np.testing.assert_array_equal(one_euro(points, 1, 0.1)[:12], one_euro(points[:12], 1, 0.1))


# Kalman


def textbook_smoother(values: np.ndarray, process: float, measurement: float) -> np.ndarray:
    """Kalman filter and Rauch-Tung-Striebel pass of one track; the start is known to 10 million px^2."""
    move, see = np.asarray([[1.0, 1.0], [0.0, 1.0]]), np.asarray([[1.0, 0.0]])
    push = process * np.asarray([[0.25, 0.5], [0.5, 1.0]])
    state, spread = np.zeros(2), 1e7 * np.eye(2)
    predicted, filtered = [], []
    for t, value in enumerate(values):
        if t:
            state, spread = move @ state, move @ spread @ move.T + push
        predicted.append((state, spread))
        if not np.isnan(value):
            gain = spread @ see.T / (see @ spread @ see.T + measurement)
            state = state + gain @ (value - see @ state)
            left = np.eye(2) - gain @ see
            spread = left @ spread @ left.T + measurement * gain @ gain.T
        filtered.append((state, spread))
    smooth = [filtered[-1][0]]
    for t in range(len(values) - 2, -1, -1):
        gain = filtered[t][1] @ move.T @ np.linalg.inv(predicted[t + 1][1])
        smooth.insert(0, filtered[t][0] + gain @ (smooth[0] - predicted[t + 1][0]))
    return np.where(np.isnan(values), NAN, [state[0] for state in smooth])


@pytest.mark.parametrize("process", [1e-3, 0.1, 10.0])
def test_kalman_agrees_with_the_textbook(process: float) -> None:
    values = np.random.default_rng(1).normal(28, 8, 40)
    values[[0, 5, 6, 7, 20, 39]] = NAN
    np.testing.assert_allclose(
        column(kalman(track(*values), process, 9.0)), textbook_smoother(values, process, 9.0), atol=1e-4
    )


def least_squares_smoother(values: np.ndarray, process: float, measurement: float) -> np.ndarray:
    """The likeliest track: its first position, first velocity and accelerations, all at once."""
    frames, present = np.arange(len(values)), ~np.isnan(values)
    design = np.zeros((len(values), len(values) + 1))
    design[:, 0], design[:, 1] = 1, frames
    for step in range(len(values) - 1):
        design[:, 2 + step] = np.maximum(frames - step - 0.5, 0)
    seen = design[present] / np.sqrt(measurement)
    prior = np.eye(len(values) + 1)[2:] / np.sqrt(process)
    right = np.concatenate([values[present] / np.sqrt(measurement), np.zeros(len(prior))])
    solution = np.linalg.lstsq(np.concatenate([seen, prior]), right, rcond=None)[0]
    return np.where(present, design @ solution, NAN)


@given(tracks(), st.floats(1e-3, 100), st.floats(0.1, 100))
@settings(max_examples=100, deadline=None)
def test_kalman_is_the_likeliest_track(values: np.ndarray, process: float, measurement: float) -> None:
    expected = least_squares_smoother(values, process, measurement)
    np.testing.assert_allclose(column(kalman(track(*values), process, measurement)), expected, atol=1e-6)


def test_kalman_without_acceleration_is_linear_regression() -> None:
    points = scattered((200, 4, 2), 0.3)
    np.testing.assert_allclose(kalman(points, 0.0, 25.0), savitzky_golay(points, 100, 1), atol=1e-7)


def test_kalman_depends_on_the_ratio_of_the_variances_only() -> None:
    points = scattered((30, 3, 2), 0.2)
    np.testing.assert_allclose(kalman(points, 0.2, 5.0), kalman(points, 2.0, 50.0))


def test_kalman_holds_over_long_gaps() -> None:
    values = np.full(1500, NAN)
    values[[0, 700, 701, 1499]] = 3.0, 20.0, 22.0, 50.0
    for process in (1e-4, 1.0, 100.0):
        smooth = column(kalman(track(*values), process, 25.0))
        alone = column(kalman(track(*values[:701]), process, 25.0))
        np.testing.assert_allclose(alone[[0, 700]], [3, 20], atol=1e-6)  # two frames: the line through them
        assert np.isfinite(smooth[[0, 700, 701, 1499]]).all()
        assert smooth[0] == pytest.approx(3, abs=0.1)
        assert smooth[1499] == pytest.approx(50, abs=0.1)


# All of them


@given(st.floats(-2, 2), st.floats(0, 56), st.lists(st.booleans(), min_size=1, max_size=20), st.data())
@settings(max_examples=60, deadline=None)
def test_a_straight_line_stays(slope: float, start: float, present: list[bool], data: st.DataObject) -> None:
    line = track(*np.where(present, start + slope * np.arange(len(present)), NAN))
    radius = data.draw(st.integers(1, 12))
    for degree in (1, 2, 3):
        np.testing.assert_allclose(savitzky_golay(line, radius, degree), line, atol=1e-8)
    for process in (0.0, 0.01, 10.0):
        np.testing.assert_allclose(kalman(line, process, 25.0), line, atol=1e-6)


def test_a_straight_line_stays_inside_under_symmetric_weights() -> None:
    line = track(*(5 + 0.7 * np.arange(30)))
    np.testing.assert_allclose(moving_average(line, 4)[4:-4], line[4:-4])
    np.testing.assert_allclose(gaussian(line, 1.0)[4:-4], line[4:-4])


@any_filter
@pytest.mark.parametrize("gaps", [0.0, 0.2, 0.6])
@pytest.mark.parametrize("frames", [1, 2, 5, 40])
def test_shape_and_gaps_stay_and_arguments_do_too(
    smooth: Callable[[np.ndarray], np.ndarray], gaps: float, frames: int
) -> None:
    points = scattered((3, frames, 7, 2), gaps)
    copy = points.copy()
    points.flags.writeable = False
    result = smooth(points)
    np.testing.assert_array_equal(points, copy)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(points))
    assert result.dtype == np.float64
    assert not np.shares_memory(result, points)


@any_filter
def test_a_batch_is_its_tracks_one_by_one(smooth: Callable[[np.ndarray], np.ndarray]) -> None:
    points = scattered((2, 3, 12, 4, 2), 0.3)
    points[..., 5, :, 1] = NAN  # an axis is a track of its own
    whole = smooth(points)
    for index in np.ndindex(2, 3):
        np.testing.assert_allclose(smooth(points[index]), whole[index], rtol=1e-12)
        for k in range(4):
            for axis in range(2):
                alone = smooth(track(*points[index][:, k, axis]))
                np.testing.assert_allclose(column(alone), whole[index][:, k, axis], rtol=1e-12)


@any_filter
def test_a_single_frame_and_a_lone_present_frame_pass_unchanged(smooth: Callable[[np.ndarray], np.ndarray]) -> None:
    for points in (track(7), track(NAN), track(NAN, NAN, 7, NAN), track(NAN, NAN), np.zeros((0, 5, 25, 2))):
        np.testing.assert_allclose(smooth(points), points)


@any_filter
def test_a_still_point_stays(smooth: Callable[[np.ndarray], np.ndarray]) -> None:
    still = np.where(np.isnan(scattered((50, 3, 2), 0.4)), NAN, 31.25)
    np.testing.assert_allclose(smooth(still), still)


# The table


def moving_people(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Keypoints that swing by 5 px, 0.2 to 0.8 times a second."""
    rng = np.random.default_rng(seed)
    frames, tail = shape[-3], (*shape[:-3], 1, *shape[-2:])
    turns = rng.uniform(0.2, 0.8, tail) * np.arange(frames)[:, None, None] / 30 + rng.random(tail)
    return rng.uniform(15, 40, tail) + 5 * np.sin(2 * np.pi * turns)


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("noise", [3.0, 7.0])
@pytest.mark.parametrize("shape", [(200, 5, 5, 2), (200, 5, 2)], ids=["windows", "sequence"])
def test_the_best_choice_lowers_the_error(name: str, noise: float, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(5)
    truth = moving_people(shape, 4)
    noisy = truth + rng.normal(0, noise, shape)
    noisy[rng.random(shape[:-1]) < 0.1] = NAN
    raw = np.sqrt(np.nanmean((noisy - truth) ** 2))
    entry = FILTERS[name]
    errors = []
    for choice in entry.choices:
        smooth = entry.function(noisy, **choice)
        np.testing.assert_array_equal(np.isnan(smooth), np.isnan(noisy))
        errors.append(np.sqrt(np.nanmean((smooth - truth) ** 2)))
    assert min(errors) < (0.85 if len(shape) == 4 else 0.6) * raw


def test_the_table_names_the_filters_and_their_choices() -> None:
    assert set(FILTERS) == {"moving-average", "gaussian", "savitzky-golay", "one-euro", "kalman"}
    for entry in FILTERS.values():
        assert 8 <= len(entry.choices) <= 20
        assert len({tuple(sorted(choice.items())) for choice in entry.choices}) == len(entry.choices)
