"""What would make a careful person doubt a store. Every doubt has a rule; what the rule does not find is not told."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.skeleton import KEYPOINTS
from posedata.splits import SPLITS
from posedata.stats.measure import LOPSIDED, SHORT_TORSO, SMALL_BOX, STEP_TALLIES, Measured
from posedata.stats.motion import BOX_JUMP, JUMP, SWAP_MOTION, SWAP_SHARE
from posedata.stats.shift import measured_shift, relative_error
from posedata.windows import WINDOW

MOST_NAMED = 5

RARE = 0.5
"""A keypoint that is annotated in a smaller share of a dataset's frames is rare."""

FEW_VIDEOS = 10
"""Fewer in a split leave intervals by bootstrap too narrow."""

NOISE_OFF = 0.05
"""By this share the measured shift may differ from the recipe's, and by `_ERRORS` standard errors besides."""

_ERRORS = 4.0

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Doubt:
    """Something to mind.

    Attributes:
        name: of the rule.
        what: was found, in words.
        count: how many.
        which: some of them, the worst first.
        rule: by which it was found.
        why: it matters.
    """

    name: str
    what: str
    count: int
    which: tuple[str, ...]
    rule: str
    why: str


@dataclass(frozen=True, eq=False)
class Facts:
    """What doubts are drawn from.

    Attributes:
        measured: of the store.
        names: (S,) dataset/name of each sequence.
        videos: (S,) dataset/video of each sequence.
        attributes: of the store's root.
    """

    measured: Measured
    names: list[str]
    videos: list[str]
    attributes: Mapping[str, Any]

    @property
    def wanted(self) -> tuple[str, ...]:
        """Splits that should not be empty."""
        held_out = self.attributes["recipe"].get("split") == "held-out"
        return tuple(name for name in SPLITS if held_out or name != "held_out")


def find_doubts(facts: Facts) -> list[Doubt]:
    """All of them, those about the whole store first."""
    rules = (_synthetic, _empty_splits, _shared_videos, _few_videos, _duplicates, _noise, _keypoints, _by_sequence)
    return [doubt for rule in rules for doubt in rule(facts)]


def _synthetic(facts: Facts) -> Iterator[Doubt]:
    if facts.attributes["synthetic"]:
        rule, why = "a source is marked synthetic", "nobody moved like this: figures measured on it mean nothing"
        yield Doubt("synthetic", "the data is synthetic", len(facts.names), (), rule, why)


def _empty_splits(facts: Facts) -> Iterator[Doubt]:
    windows = facts.measured.windows
    empty = [name for name in facts.wanted if not windows[1][name]]
    half = [f"{name} at frame step 2" for name in facts.wanted if windows[1][name] and not windows[2][name]]
    if empty or half:
        yield Doubt(
            "empty_splits",
            f"{len(empty) + len(half)} splits without windows",
            len(empty) + len(half),
            (*empty, *half),
            f"no {WINDOW} frames in a row of one sequence, shot and split, at frame step 1 or 2",
            "nothing can be trained, chosen or scored on them",
        )
    totals = np.stack([facts.measured.frames[facts.measured.dataset == d].sum(axis=0) for d in _datasets(facts)])
    numbers = [(s, i) for i, s in enumerate(SPLITS) if s in facts.wanted and s != "held_out" and totals[:, i].any()]
    lost = [f"{facts.measured.datasets[d]}: {s}" for d in _datasets(facts) for s, i in numbers if not totals[d, i]]
    if lost:
        rule, why = "no frame of a dataset in a split that others have frames in", "scores say nothing of that dataset"
        yield Doubt("missing_datasets", f"{len(lost)} splits without a dataset", len(lost), _first(lost), rule, why)


def _shared_videos(facts: Facts) -> Iterator[Doubt]:
    shared = [video for video, in_splits in _splits_of_videos(facts).items() if len(in_splits) > 1]
    if shared:
        yield Doubt(
            "shared_videos",
            f"{len(shared):,} videos in more than one split",
            len(shared),
            _first(sorted(shared)),
            "frames of one video in two splits",
            "a model is scored on people and places that it has seen",
        )


def _few_videos(facts: Facts) -> Iterator[Doubt]:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for video, in_splits in _splits_of_videos(facts).items():
        for split in in_splits - {"train"}:
            counts[video.partition("/")[0], split] += 1
    few = [f"{d}: {split} ({count})" for (d, split), count in sorted(counts.items()) if count < FEW_VIDEOS]
    if few:
        yield Doubt(
            "few_videos",
            f"{len(few)} splits with few videos of a dataset",
            len(few),
            _first(few),
            f"fewer than {FEW_VIDEOS} videos of a dataset to choose or score on",
            "another draw of videos would give other scores, by more than their intervals say",
        )


def _duplicates(facts: Facts) -> Iterator[Doubt]:
    groups = facts.measured.duplicates
    if groups:
        across = [group for group in groups if (facts.measured.frames[group].sum(axis=0)[:-1] > 0).sum() > 1]
        ordered = across + [group for group in groups if group not in across]
        yield Doubt(
            "duplicates",
            f"{len(groups):,} groups of sequences with the same points, {len(across):,} of them across splits",
            len(groups),
            _first([" = ".join(facts.names[n] for n in group[:3]) for group in ordered]),
            "every target point of every frame is the same",
            "they count twice; across splits, a model is scored on what it was trained on",
        )


def _noise(facts: Facts) -> Iterator[Doubt]:
    std, shifts = facts.attributes["measured"]["shift_std"], facts.measured.axis_shift
    found = measured_shift(std, shifts)
    if found is not None and abs(found / std - 1) > max(NOISE_OFF, _ERRORS * relative_error(shifts)):
        k = facts.attributes["recipe"]["noise"]["k"]  # None in a merge of several
        measured, recorded = ("", "") if k is None else (f", as with k {k * found / std:.3g}", f", k {k:g}")
        yield Doubt(
            "noise",
            f"the input is shifted by {found:.3f} grid px{measured}, not by {std:.3f}{recorded}",
            shifts.count,
            (),
            f"measured and recorded standard deviation differ by more than {100 * NOISE_OFF:g} %",
            "scores are compared at equal k, and this one is another",
        )


def _keypoints(facts: Facts) -> Iterator[Doubt]:
    for number, dataset in enumerate(facts.measured.datasets):
        frames = int(facts.measured.frames[facts.measured.dataset == number].sum())
        share = facts.measured.annotated[number] / max(frames, 1)
        never = [name for name, part in zip(KEYPOINTS, share, strict=True) if part == 0]
        rare = {name: part for name, part in zip(KEYPOINTS, share, strict=True) if 0 < part < RARE}
        if never:
            what, rule = f"{dataset}: {len(never)} of {len(KEYPOINTS)} keypoints never annotated", "in no frame"
            why = "their heatmaps are all zeros: nothing is learnt or scored there"
            yield Doubt("never_annotated", what, len(never), tuple(never), rule, why)
        if rare:
            named = [f"{name} ({100 * part:.1f} %)" for name, part in sorted(rare.items(), key=lambda item: item[1])]
            what, rule = (
                f"{dataset}: {len(rare)} keypoints rarely annotated",
                f"in less than {100 * RARE:g} % of the frames",
            )
            why = "their scores rest on few frames, and not on typical ones"
            yield Doubt("rarely_annotated", what, len(rare), _first(named), rule, why)


_SEQUENCE_RULES: tuple[tuple[str, str, str, str], ...] = (
    ("empty", "empty frames", "fewer than two points, or nobody detected", "there is nothing to see in them"),
    (
        "unannotated",
        "frames with a box but without keypoints",
        "a detector's box, and no keypoint is annotated",
        "nothing is learnt or scored there",
    ),
    (
        "no_torso",
        "frames with keypoints but without a torso",
        "no side has both shoulder and hip",
        "PCK leaves them out, and they are not like the others: sides, backs, cut-off people",
    ),
    (
        "short_torso",
        "frames with a very short torso",
        f"below {SHORT_TORSO:g} grid px",
        "even the widest threshold of PCK is less than a cell there: what is nearly right counts as wrong",
    ),
    (
        "frozen",
        "frames in which nothing moves at all",
        f"{WINDOW} frames or more with the same box and points, bit for bit",
        "labels were copied, not made; motion is learnt wrong, and standing still is scored well",
    ),
    (
        "jumps",
        "steps in which a keypoint jumps",
        f"more than {JUMP:g} torso diameter in one frame of the image, the box taken out",
        "a wrong label, another person, a detector's slip; or a throw at a low frame rate: look at it",
    ),
    (
        "swaps",
        "steps in which left and right seem exchanged",
        f"a pair moves over {SWAP_MOTION:g} torso diameters, with sides exchanged under {100 * SWAP_SHARE:g} % of that",
        "targets jump across the body, which no smooth prediction can follow",
    ),
    (
        "box_jumps",
        "steps in which the box jumps",
        f"its side changes by more than a factor {BOX_JUMP:g} in one frame",
        "on the grid all keypoints move at once: mostly because one of them came or went",
    ),
    (
        "small_box",
        "frames with a very small box",
        f"its longer side is below {SMALL_BOX:g} px",
        "a cell is finer than a pixel of the source: labels were rounded more coarsely than the grid",
    ),
    (
        "lopsided",
        "frames with a lopsided box",
        f"one side is more than {LOPSIDED:g} times the other",
        "a grid px means another length across than down, and a torso another when it turns",
    ),
)
"""Tally, what it counts, its rule, why it matters."""


def _by_sequence(facts: Facts) -> Iterator[Doubt]:
    without = facts.measured.windows_of == 0
    if without.any():
        yield Doubt(
            "no_window",
            f"{int(without.sum()):,} of {len(without):,} sequences hold no window",
            int(without.sum()),
            _first([facts.names[n] for n in np.flatnonzero(without)]),
            f"no {WINDOW} frames in a row in one shot",
            "they are in the counts, and in nothing that is trained or scored",
        )
    for number, dataset in enumerate(facts.measured.datasets):
        inside = facts.measured.dataset == number
        frames, steps = (int(count[inside].sum()) for count in (facts.measured.frames, facts.measured.steps))
        for name, what, rule, why in _SEQUENCE_RULES:
            tally = np.where(inside, facts.measured.tallies[name], 0)
            if total := int(tally.sum()):
                share = _percent(total, steps if name in STEP_TALLIES else frames)
                where = f"in {int((tally > 0).sum()):,} of {int(inside.sum()):,} sequences"
                words = f"{dataset}: {what}: {total:,} ({share}), {where}"
                yield Doubt(name, words, total, _worst(facts.names, tally), rule, why)


def _percent(part: int, whole: int) -> str:
    percent = 100 * part / whole
    return "over 99 %" if 99 < percent < 100 else f"{percent:.{2 if percent < 100 else 3}g} %"


def _worst(names: list[str], tally: Ints) -> tuple[str, ...]:
    """The sequences with most, and how many each has; of equals the first."""
    order = np.argsort(-tally, kind="stable")[:MOST_NAMED]
    return tuple(f"{names[n]} ({int(tally[n]):,})" for n in order if tally[n])


def _first(names: list[str]) -> tuple[str, ...]:
    return tuple(names[:MOST_NAMED])


def _datasets(facts: Facts) -> range:
    return range(len(facts.measured.datasets))


def _splits_of_videos(facts: Facts) -> dict[str, set[str]]:
    """Video -> the splits that have frames of it."""
    found: dict[str, set[str]] = defaultdict(set)
    for video, frames in zip(facts.videos, facts.measured.frames, strict=True):
        found[video] |= {name for name, count in zip(SPLITS, frames, strict=False) if count}
    return found
