"""Which frames train, validate and test. Pure: sequences in, split numbers out."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError
from posedata.windows import without_overlap

TRAIN, VALIDATION, TEST, HELD_OUT, NONE = 0, 1, 2, 3, 255

SPLITS: Mapping[str, int] = {"train": TRAIN, "validation": VALIDATION, "test": TEST, "held_out": HELD_OUT}
"""Name -> number in the store's `split` array; 255 = in none."""

SPLIT_NAMES: Mapping[int, str] = {number: name for name, number in SPLITS.items()}
"""Number -> name."""

QUOTAS = {TRAIN: 0.6, VALIDATION: 0.2, TEST: 0.2}
"""Shares of the frames (seed 000, section 1.2.2)."""

Splits = NDArray[np.uint8]


class Member(NamedTuple):
    """What a split rule knows of a sequence."""

    dataset: str
    video: str
    frames: int
    official: str | None = None


def by_video(members: Sequence[Member], seed: int) -> list[int]:
    """60 / 20 / 20 of each dataset's frames, whole videos only.

    Per dataset, videos come in the order of sha256(seed, dataset, video) and each goes to the split that is
    furthest below its quota of frames, so the result depends neither on k nor on sigma.

    Returns:
        A split number for every member.
    """
    frames: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for member in members:
        frames[member.dataset][member.video] += member.frames
    chosen = {
        (dataset, video): split
        for dataset, videos in frames.items()
        for video, split in _fill_quotas(dataset, videos, seed).items()
    }
    return [chosen[member.dataset, member.video] for member in members]


def _fill_quotas(dataset: str, videos: Mapping[str, int], seed: int) -> dict[str, int]:
    missing = {split: share * sum(videos.values()) for split, share in QUOTAS.items()}
    chosen = {}
    for video in sorted(videos, key=lambda v: hashlib.sha256(f"{seed}\n{dataset}\n{v}".encode()).digest()):
        chosen[video] = max(missing, key=missing.__getitem__)
        missing[chosen[video]] -= videos[video]
    return chosen


def official(members: Sequence[Member]) -> list[int]:
    """The authors' own split; no validation frames.

    Raises:
        BadInputError: if a dataset has none.
    """
    without = sorted({m.dataset for m in members if m.official is None})
    if without:
        raise BadInputError(
            f"--split official: expected a split by the authors, found none in {', '.join(without)}; use --split video"
        )
    return [SPLITS[m.official] for m in members if m.official is not None]


def shared_videos(members: Sequence[Member], splits: Sequence[int]) -> int:
    """How many videos have sequences in more than one split."""
    found = defaultdict(set)
    for member, split in zip(members, splits, strict=True):
        found[member.dataset, member.video].add(split)
    return sum(len(s) > 1 for s in found.values())


def hold_out_longest(
    videos: Sequence[str], sequence: NDArray[np.integer], starts: NDArray[np.int64], length: int
) -> Splits:
    """The finetuning split: a whole video apart, the rest by windows (seed 000, section 1.3.2).

    The video with most frames is held out whole. Of the other videos' windows, in order of video name, the
    first 60 % train; of the rest, windows that share no frame with training or with each other go
    alternately to validation and test.

    Args:
        videos: video of each sequence.
        sequence: (N,) number of each frame's sequence.
        starts: (W,) first positions of all windows at frame step 1.
        length: frames in a window.

    Returns:
        (N,) split numbers; 255 for frames between windows.
    """
    frames: dict[str, int] = defaultdict(int)
    for i, count in enumerate(np.bincount(sequence, minlength=len(videos))):
        frames[videos[i]] += int(count)
    longest = max(sorted(frames), key=frames.__getitem__)

    order = {video: i for i, video in enumerate(sorted(frames))}
    rank = np.asarray([order[video] for video in videos])
    split = np.full(len(sequence), NONE, np.uint8)
    split[rank[sequence] == order[longest]] = HELD_OUT

    rest = starts[rank[sequence[starts]] != order[longest]]
    rest = rest[np.lexsort((rest, rank[sequence[rest]]))]
    training = int(0.6 * len(rest))
    _mark(split, rest[:training], length, TRAIN)
    free = np.asarray([s for s in rest[training:] if (split[s : s + length] == NONE).all()], np.int64)
    apart = _in_video_order(free, rank[sequence[free]], length)
    _mark(split, apart[0::2], length, VALIDATION)
    _mark(split, apart[1::2], length, TEST)
    return split


def _in_video_order(starts: NDArray[np.int64], rank: NDArray[np.integer], length: int) -> NDArray[np.int64]:
    """Windows without overlap, video by video."""
    parts = [without_overlap(starts[rank == r], length - 1) for r in np.unique(rank)]
    return np.concatenate([np.empty(0, np.int64), *parts])


def _mark(split: Splits, starts: NDArray[np.int64], length: int, number: int) -> None:
    split[(starts[:, None] + np.arange(length)).ravel()] = number
