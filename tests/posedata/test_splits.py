from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posedata.errors import BadInputError
from posedata.splits import (
    HELD_OUT,
    NONE,
    SPLITS,
    TEST,
    TRAIN,
    VALIDATION,
    Member,
    by_video,
    hold_out_longest,
    official,
    shared_videos,
)
from posedata.windows import window_starts, within_split


def many(dataset: str = "brace", videos: int = 300) -> list[Member]:
    rng = np.random.default_rng(1)
    return [Member(dataset, f"v{rng.integers(videos)}", int(rng.integers(20, 400))) for _ in range(3 * videos)]


def shares(members: list[Member], splits: list[int]) -> dict[int, float]:
    frames: Counter[int] = Counter()
    for member, split in zip(members, splits, strict=True):
        frames[split] += member.frames
    return {split: count / frames.total() for split, count in frames.items()}


def test_the_numbers_are_those_of_the_store_format() -> None:
    assert SPLITS == {"train": 0, "validation": 1, "test": 2, "held_out": 3}
    assert NONE == 255


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.builds(Member, st.sampled_from(["a", "b"]), st.sampled_from("uvwxyz"), st.integers(1, 500)), max_size=30
    ),
    st.integers(0, 5),
)
def test_whole_videos_are_dealt(members: list[Member], seed: int) -> None:
    splits = by_video(members, seed)
    assert len(splits) == len(members)
    assert set(splits) <= {TRAIN, VALIDATION, TEST}
    assert shared_videos(members, splits) == 0


@pytest.mark.parametrize("seed", range(5))
def test_many_videos_fill_the_quotas(seed: int) -> None:
    members = many()
    found = shares(members, by_video(members, seed))
    assert found == pytest.approx({TRAIN: 0.6, VALIDATION: 0.2, TEST: 0.2}, abs=0.01)


def test_every_dataset_fills_its_own_quotas() -> None:
    large, small = many("brace", 300), many("penn_action", 60)
    found = by_video([*large, *small], 0)
    assert shares(small, found[len(large) :]) == pytest.approx({TRAIN: 0.6, VALIDATION: 0.2, TEST: 0.2}, abs=0.04)
    assert found == [*by_video(large, 0), *by_video(small, 0)]


def test_the_same_video_name_in_two_datasets_is_two_videos() -> None:
    members = [Member(d, f"v{i}", 100) for d in ("a", "b") for i in range(40)]
    found = by_video(members, 0)
    assert found[:40] != found[40:]


def test_the_order_of_the_members_does_not_matter() -> None:
    members = many()
    expected = by_video(members, 3)
    for turn in range(3):
        order = np.random.default_rng(turn).permutation(len(members))
        assert by_video([members[i] for i in order], 3) == [expected[i] for i in order]


def test_seeds_deal_differently() -> None:
    members = many()
    assert len({tuple(by_video(members, seed)) for seed in range(5)}) == 5


def test_videos_go_to_the_split_furthest_below_its_quota_in_the_order_of_their_hashes() -> None:
    # sha256("0\nd\nv") rises in the order b, c, e, a, d (checked with sha256sum).
    frames = {"a": 10, "b": 20, "c": 50, "d": 15, "e": 5}
    # Quotas 60, 20, 20. b: train, which leaves 40, 20, 20; c: train (-10, 20, 20); e: validation, the first of
    # two that miss as much (-10, 15, 20); a: test (-10, 15, 10); d: validation.
    expected = {"a": TEST, "b": TRAIN, "c": TRAIN, "d": VALIDATION, "e": VALIDATION}
    found = by_video([Member("d", video, count) for video, count in frames.items()], 0)
    assert dict(zip(frames, found, strict=True)) == expected


def test_one_video_trains() -> None:
    assert by_video([Member("d", "v", 9), Member("d", "v", 1)], 0) == [TRAIN, TRAIN]


def test_official_splits_are_taken_as_they_are() -> None:
    members = [Member("d", "v", 1, "train"), Member("d", "w", 1, "test"), Member("d", "v", 1, "train")]
    assert official(members) == [TRAIN, TEST, TRAIN]


def test_datasets_without_an_official_split_are_named() -> None:
    members = [Member("brace", "v", 1, "train"), Member("speed21", "w", 1), Member("climbs", "x", 1)]
    with pytest.raises(BadInputError, match="found none in climbs, speed21"):
        official(members)


def test_shared_videos_are_counted_once_each() -> None:
    members = [Member("a", "v", 1), Member("a", "v", 1), Member("a", "v", 1), Member("b", "v", 1), Member("a", "w", 1)]
    assert shared_videos(members, [0, 0, 0, 1, 2]) == 0
    assert shared_videos(members, [0, 1, 2, 1, 2]) == 1
    assert shared_videos([*members, Member("a", "w", 1)], [0, 1, 1, 1, 2, 0]) == 2


def held_out(counts: dict[str, list[int]], names: list[str], length: int = 5) -> tuple[np.ndarray, ...]:
    """Sequences in the order of `names`, whose frames have the given numbers; split, sequence and starts."""
    rows = [(i, number) for i, name in enumerate(names) for number in counts[name]]
    sequence, number = np.asarray(rows).T
    starts = [
        s
        for s in range(len(rows) - length + 1)
        if sequence[s] == sequence[s + length - 1] and number[s + length - 1] - number[s] == length - 1
    ]
    return sequence, np.asarray(starts, np.int64)


def deal(videos: list[str], sequence: np.ndarray, starts: np.ndarray, length: int) -> list[int]:
    """The rule in plain loops."""
    frames = Counter(videos[i] for i in sequence)
    longest = min(frames, key=lambda v: (-frames[v], v))
    split = [HELD_OUT if videos[i] == longest else NONE for i in sequence]
    rest = sorted((videos[sequence[s]], int(s)) for s in starts if videos[sequence[s]] != longest)
    for _, s in rest[: len(rest) * 6 // 10]:
        split[s : s + length] = [TRAIN] * length
    turn = [VALIDATION, TEST]
    for _, s in rest[len(rest) * 6 // 10 :]:
        if split[s : s + length] == [NONE] * length:
            split[s : s + length] = [turn[0]] * length
            turn.reverse()
    return split


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("uvwxy"), st.integers(1, 40), st.integers(0, 40)), min_size=1, max_size=6))
def test_hold_out_follows_the_rule(made: list[tuple[str, int, int]]) -> None:
    videos = [video for video, _, _ in made]
    numbers = {str(i): [n + 3 * (n >= gap) for n in range(count)] for i, (_, count, gap) in enumerate(made)}
    sequence, starts = held_out(numbers, list(numbers))
    found = hold_out_longest(videos, sequence, starts, 5)
    assert found.dtype == np.uint8
    assert found.tolist() == deal(videos, sequence, starts, 5)


def test_the_longest_video_is_held_out_whole_over_its_sequences() -> None:
    videos = ["b", "a", "b", "c"]
    sequence = np.repeat([0, 1, 2, 3], [30, 50, 25, 40])
    starts = np.asarray([s for s in range(len(sequence) - 4) if sequence[s] == sequence[s + 4]])
    found = hold_out_longest(videos, sequence, starts, 5)
    np.testing.assert_array_equal(found == HELD_OUT, np.isin(sequence, [0, 2]))


def test_of_equally_long_videos_the_first_by_name_is_held_out() -> None:
    sequence = np.repeat([0, 1], 20)
    starts = np.asarray([*range(16), *range(20, 36)])
    assert (hold_out_longest(["z", "y"], sequence, starts, 5)[20:] == HELD_OUT).all()


def test_validation_and_test_alternate_after_training() -> None:
    # 50 frames, 46 windows: the first 27 train and cover frames 0 to 30; then 31-35, 36-40, 41-45 in turn.
    sequence = np.repeat([0, 1], [50, 60])
    starts = np.asarray([*range(46), *range(50, 106)])
    found = hold_out_longest(["a", "b"], sequence, starts, 5).tolist()
    rest = [VALIDATION] * 5 + [TEST] * 5 + [VALIDATION] * 5 + [NONE] * 4
    assert found == [TRAIN] * 31 + rest + [HELD_OUT] * 60


def test_a_single_video_is_all_held_out() -> None:
    assert hold_out_longest(["a"], np.zeros(9, int), np.arange(5), 5).tolist() == [HELD_OUT] * 9


@pytest.mark.parametrize(("dealt", "at_half_rate"), [(5, False), (9, True)])
def test_a_longer_span_leaves_windows_at_half_the_frame_rate(dealt: int, at_half_rate: bool) -> None:
    sequence = np.repeat([0, 1, 2], [60, 60, 90])
    number, shot = np.arange(len(sequence)), np.zeros(len(sequence), np.int64)
    starts = window_starts(sequence, number, shot, dealt)
    split = hold_out_longest(["a", "b", "c"], sequence, starts, dealt)
    halved = window_starts(sequence, number, shot, 5, 2)
    for kind in (VALIDATION, TEST):
        assert bool(len(within_split(halved, split, kind, 8))) == at_half_rate
