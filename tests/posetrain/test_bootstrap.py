import numpy as np
import pytest

from posedata.pck import Pck
from posedata.skeleton import INDEX, K
from posetrain.bootstrap import difference_intervals, intervals

NOSE = (INDEX["nose"],)


def counts(correct: list[int], counted: list[int]) -> Pck:
    """Noses of some videos: so many of them correct, at every threshold."""
    pck = Pck.of_videos(len(counted))
    pck.correct[:, :, NOSE[0]] = np.asarray(correct)[:, None]
    pck.counted[:, NOSE[0]] = counted
    return pck


def random_counts(videos: int, seed: int) -> Pck:
    """Frames of videos that differ in how hard they are."""
    rng = np.random.default_rng(seed)
    video = rng.integers(0, videos, 40 * videos)
    relative = rng.exponential(rng.uniform(0.05, 0.3, videos)[video][:, None], (len(video), K))
    pck = Pck.of_videos(videos)
    pck.add(np.where(rng.random(relative.shape) < 0.3, np.nan, relative), video)
    return pck


def by_hand(correct: np.ndarray, counted: np.ndarray, resamples: int = 40_000) -> tuple[float, float]:
    """The percentile bootstrap, of its own draws."""
    drawn = np.random.default_rng(1).integers(0, len(counted), (resamples, len(counted)))
    shares = 100 * correct[drawn].sum(axis=1) / counted[drawn].sum(axis=1)
    low, high = np.percentile(shares, [2.5, 97.5])
    return float(low), float(high)


def test_videos_of_the_same_share_leave_nothing_open() -> None:
    found = intervals(counts([30, 3], [40, 4]))
    assert found == dict.fromkeys(("0.05", "0.1", "0.2"), (75.0, 75.0))


def test_two_videos_reach_from_the_worse_to_the_better() -> None:
    # A quarter of the draws takes the one twice, a quarter the other: both are inside 95 %.
    assert intervals(counts([1, 9], [10, 10]))["0.2"] == (10.0, 90.0)


@pytest.mark.parametrize("pck", [Pck.of_videos(0), Pck.of_videos(3), counts([5], [9]), counts([5, 0], [9, 0])])
def test_fewer_than_two_videos_say_nothing(pck: Pck) -> None:
    assert intervals(pck) == {}
    assert difference_intervals(pck, pck) == {}


def test_a_video_in_which_nothing_counts_does_not_matter() -> None:
    assert intervals(counts([1, 0, 9], [10, 0, 10])) == intervals(counts([1, 9], [10, 10]))


def test_intervals_agree_with_a_bootstrap_by_hand() -> None:
    pck = random_counts(20, seed=0)
    found = intervals(pck)
    for i, threshold in enumerate(("0.05", "0.1", "0.2")):
        expected = by_hand(pck.correct[:, i].sum(axis=1), pck.counted.sum(axis=1))
        assert found[threshold] == pytest.approx(expected, abs=1.0)


def test_differences_agree_with_a_bootstrap_by_hand() -> None:
    better, worse = random_counts(20, seed=0), random_counts(20, seed=0)
    worse.correct[:] = worse.correct * np.random.default_rng(2).uniform(0.5, 1, (20, 1, 1))
    found = difference_intervals(better, worse)
    for i, threshold in enumerate(("0.05", "0.1", "0.2")):
        gained = (better.correct - worse.correct)[:, i].sum(axis=1)
        assert found[threshold] == pytest.approx(by_hand(gained, better.counted.sum(axis=1)), abs=1.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_percent_lies_in_its_interval(seed: int) -> None:
    pck = random_counts(6, seed)
    percent = pck.percent() or {}
    for threshold, (low, high) in intervals(pck).items():
        assert 0 <= low <= percent[threshold] <= high <= 100


def test_more_videos_make_it_surer() -> None:
    few, many = (counts([2, 5, 7, 9] * n, [10] * 4 * n) for n in (1, 16))
    wide, narrow = (high - low for low, high in (intervals(few)["0.1"], intervals(many)["0.1"]))
    assert narrow == pytest.approx(wide / 4, rel=0.15)


def test_only_the_chosen_keypoints_matter() -> None:
    pck = random_counts(8, seed=3)
    pck.correct[:, :, NOSE[0]] = 0
    assert intervals(pck, NOSE) == dict.fromkeys(("0.05", "0.1", "0.2"), (0.0, 0.0))
    assert intervals(pck)["0.2"][0] > 0


def test_nothing_differs_from_itself() -> None:
    pck = random_counts(9, seed=4)
    assert difference_intervals(pck, pck) == dict.fromkeys(("0.05", "0.1", "0.2"), (0.0, 0.0))


def test_what_is_better_on_every_video_differs_and_the_other_way_round() -> None:
    # Videos are so unlike that the two intervals overlap widely; video against video there is no doubt.
    worse, better = counts([10, 40, 70, 90], [100] * 4), counts([15, 46, 74, 95], [100] * 4)
    assert intervals(worse)["0.1"][1] > intervals(better)["0.1"][0]
    low, high = difference_intervals(better, worse)["0.1"]
    assert 4 <= low < 5 < high <= 6
    assert difference_intervals(worse, better)["0.1"] == pytest.approx((-high, -low))


def test_the_same_counts_give_the_same_interval_and_are_left_as_they_were() -> None:
    pck, other = random_counts(7, seed=5), random_counts(7, seed=5)
    assert intervals(pck) == intervals(other)
    assert difference_intervals(pck, other) == difference_intervals(pck, other)
    np.testing.assert_array_equal(pck.correct, random_counts(7, seed=5).correct)
    np.testing.assert_array_equal(pck.counted, random_counts(7, seed=5).counted)
