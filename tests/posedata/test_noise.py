import hashlib
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from posedata.geometry import jitter_boxes
from posedata.noise import sigma_choices, standard_box_errors, standard_shifts

PER = ("frame", "keypoint", "sequence")
MASK = 2**64 - 1


def philox(key: tuple[int, int], counter: int) -> list[int]:
    """Philox 4x64 with ten rounds after Salmon et al. 2011, in plain integers."""
    k0, k1 = key
    a, b, c, d = (counter >> shift & MASK for shift in (0, 64, 128, 192))
    for _ in range(10):
        first, second = a * 0xD2E7470EE14C6C93, c * 0xCA5A826395121157
        a, b, c, d = second >> 64 ^ b ^ k0, second & MASK, first >> 64 ^ d ^ k1, first & MASK
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & MASK, (k1 + 0xBB67AE8584CAA73B) & MASK
    return [a, b, c, d]


def words(seed: int, sequence: str, purpose: str, frame: int, width: int) -> list[int]:
    """The words of one frame, by the definition of the stream; numpy counts from one."""
    key = hashlib.sha256(f"{seed}\n{sequence}\n{purpose}".encode()).digest()
    halves = int.from_bytes(key[:8], "little"), int.from_bytes(key[8:16], "little")
    counts = -(-width // 4)
    found = [word for i in range(counts) for word in philox(halves, frame * counts + i + 1)]
    return found[:width]


def test_the_reference_generator_gives_the_published_answer() -> None:
    expected = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert philox((0, 0), 0) == expected


@pytest.mark.parametrize(
    ("seed", "sequence", "frame"), [(0, "brace/a", 0), (7, "penn_action/0001", 12_345), (2**63 - 1, "x/ü", 3)]
)
def test_draws_follow_the_definition_of_the_stream(seed: int, sequence: str, frame: int) -> None:
    uniform = [((word >> 11) + 0.5) / 2**53 for word in words(seed, sequence, "shift", frame, 50)]
    expected = np.reshape([NormalDist().inv_cdf(u) for u in uniform], (25, 2))
    found = standard_shifts(seed, sequence, range(frame, frame + 1))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)

    uniform = [((word >> 11) + 0.5) / 2**53 for word in words(seed, sequence, "box", frame, 3)]
    found = standard_box_errors(seed, sequence, range(frame, frame + 1))[0]
    np.testing.assert_allclose(found, [NormalDist().inv_cdf(u) for u in uniform], rtol=1e-9, atol=1e-12)

    numbers = [(word >> 32) * 5 >> 32 for word in words(seed, sequence, "sigma", frame, 25)]
    assert sigma_choices(seed, sequence, range(frame, frame + 1), 5, "keypoint")[0].tolist() == numbers


def test_the_stream_has_not_changed() -> None:
    shifts = standard_shifts(0, "brace/a", range(3))
    found = [shifts[0, 0, 0], shifts[0, 0, 1], shifts[1, 24, 1], shifts[2, 12, 0]]
    golden = [-2.39194274918764702, 0.46366535047836911, -1.52932047525607397, 0.83297490599233375]
    np.testing.assert_allclose(found, golden, rtol=1e-14)
    errors = standard_box_errors(0, "brace/a", range(2))
    golden = [
        [0.08348710464229550, 0.25223185480007165, 1.84261871086114115],
        [-0.31578885097632281, -0.69427929447908832, 1.87432240218544099],
    ]
    np.testing.assert_allclose(errors, golden, rtol=1e-14)
    sigmas = sigma_choices(0, "brace/a", range(12), 5, "frame")
    assert sigmas.tolist() == [3, 0, 3, 0, 3, 4, 3, 3, 3, 0, 0, 4]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True).map(sorted))
def test_draws_do_not_depend_on_how_frames_are_asked_for(cuts: list[int]) -> None:
    whole = standard_shifts(3, "a/b", range(61))
    parts = [standard_shifts(3, "a/b", range(a, b)) for a, b in pairwise(cuts)]
    np.testing.assert_array_equal(np.concatenate(parts), whole[cuts[0] : cuts[-1]])
    parts = [standard_box_errors(3, "a/b", range(a, b)) for a, b in pairwise(cuts)]
    whole = standard_box_errors(3, "a/b", range(61))
    np.testing.assert_array_equal(np.concatenate(parts), whole[cuts[0] : cuts[-1]])
    for per in PER:
        numbers = sigma_choices(3, "a/b", range(61), 5, per)
        pieces = [sigma_choices(3, "a/b", range(a, b), 5, per) for a, b in reversed(list(pairwise(cuts)))]
        np.testing.assert_array_equal(np.concatenate(pieces[::-1]), numbers[cuts[0] : cuts[-1]])


@pytest.mark.parametrize("frames", [range(0), range(5, 5)])
def test_no_frames_have_no_draws(frames: range) -> None:
    assert standard_shifts(0, "a/b", frames).shape == (0, 25, 2)
    assert standard_box_errors(0, "a/b", frames).shape == (0, 3)
    assert sigma_choices(0, "a/b", frames, 5, "frame").shape == (0,)
    assert sigma_choices(0, "a/b", frames, 5, "keypoint").shape == (0, 25)


def test_seeds_sequences_frames_and_keypoints_have_draws_of_their_own() -> None:
    shifts = [standard_shifts(seed, name, range(20)) for seed in (0, 1, 10) for name in ("a/b", "a/c", "b/b")]
    assert len(np.unique(np.stack(shifts))) == 9 * 20 * 25 * 2


def test_shift_and_sigma_come_from_separate_streams() -> None:
    uniform = stats.norm.cdf(standard_shifts(0, "a/b", range(4000))[:, 0, 0])
    numbers = sigma_choices(0, "a/b", range(4000), 5, "frame")
    assert abs(np.corrcoef(uniform, numbers)[0, 1]) < 0.05


def test_seed_and_sequence_do_not_run_into_each_other() -> None:
    assert not np.array_equal(standard_shifts(1, "1/b", range(1)), standard_shifts(11, "/b", range(1)))


def test_shifts_are_standard_normal() -> None:
    shifts = standard_shifts(0, "a/b", range(2000))
    flat = shifts.ravel()
    assert abs(flat.mean()) < 4 / np.sqrt(flat.size)
    assert abs(flat.var() - 1) < 4 * np.sqrt(2 / flat.size)
    assert abs(stats.skew(flat)) < 4 * np.sqrt(6 / flat.size)
    assert abs(stats.kurtosis(flat)) < 4 * np.sqrt(24 / flat.size)
    assert stats.kstest(flat, "norm").pvalue > 0.01


def test_shifts_of_keypoints_axes_and_frames_are_uncorrelated() -> None:
    shifts = standard_shifts(0, "a/b", range(4000)).reshape(4000, 50)
    between = np.corrcoef(shifts.T) - np.eye(50)
    after = np.corrcoef(shifts[:-1].T, shifts[1:].T)[:50, 50:]
    assert max(np.abs(between).max(), np.abs(after).max()) < 0.1


def test_boxes_are_off_by_the_share_in_place_and_size_and_by_neither_more_in_the_mean() -> None:
    count, share = 20_000, 0.05
    boxes = np.tile([10.0, 20.0, 110.0, 120.0], (count, 1))
    found = jitter_boxes(boxes, standard_box_errors(0, "a/b", range(count)), share)
    centre, side = (found[:, :2] + found[:, 2:]) / 2, found[:, 2] - found[:, 0]
    off = np.column_stack([(centre - [60, 70]) / 100, np.log(side / 100)])
    assert np.abs(off.mean(axis=0)).max() < 4 * share / np.sqrt(count)
    assert np.abs(off.std(axis=0) / share - 1).max() < 4 / np.sqrt(2 * count)
    assert all(stats.kstest(column / share, "norm").pvalue > 0.01 for column in off.T)
    assert np.abs(np.corrcoef(off.T) - np.eye(3)).max() < 0.05
    assert np.abs(np.corrcoef(off[:-1].T, off[1:].T)[:3, 3:]).max() < 0.05


def test_seeds_sequences_and_frames_have_boxes_of_their_own_apart_from_their_shifts() -> None:
    errors = [standard_box_errors(seed, name, range(20)) for seed in (0, 1) for name in ("a/b", "a/c")]
    shifts = standard_shifts(0, "a/b", range(20))
    assert len(np.unique(np.concatenate([np.ravel(errors), shifts.ravel()]))) == 4 * 20 * 3 + 20 * 50


@pytest.mark.parametrize("choices", [1, 2, 5, 16])
def test_sigma_choices_are_uniform(choices: int) -> None:
    numbers = sigma_choices(0, "a/b", range(1000), choices, "keypoint")
    counts = np.bincount(numbers.ravel(), minlength=choices)
    assert len(counts) == choices
    assert choices == 1 or stats.chisquare(counts).pvalue > 0.01


def test_sigma_is_shared_by_what_it_is_drawn_per() -> None:
    frame, keypoint, sequence = (sigma_choices(0, "a/b", range(200), 5, per) for per in PER)
    assert (frame.shape, keypoint.shape, sequence.shape) == ((200,), (200, 25), (200,))
    assert set(frame.tolist()) == set(range(5))
    assert (np.ptp(keypoint, axis=1) > 0).all()
    assert np.ptp(sequence) == 0


def test_sequences_have_sigmas_of_their_own() -> None:
    drawn = [int(sigma_choices(0, f"a/{i}", range(7, 8), 5, "sequence")[0]) for i in range(1000)]
    assert stats.chisquare(np.bincount(drawn, minlength=5)).pvalue > 0.01
