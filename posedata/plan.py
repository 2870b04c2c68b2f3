"""Between the two passes of a build: what can be decided only when all frames are known."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from posedata import geometry, heatmaps, splits
from posedata.config import Recipe
from posedata.counts import Block, count, splits_without_windows, whole_sequences
from posedata.errors import BadInputError
from posedata.gather import Gathered
from posedata.noise import SHIFT_SHARE
from posedata.skeleton import KEYPOINTS, LIMBS, PAIRS
from posedata.store import schema
from posedata.windows import window_starts


@dataclass(frozen=True, eq=False)
class Plan:
    """What the first pass decided for the second.

    Attributes:
        recipe: what was asked for.
        gathered: the frames.
        split: (N,) split numbers.
        shift_std: grid px; None for detector input.
        attributes: of the store's root.
        warnings: what a careful person should know.
    """

    recipe: Recipe
    gathered: Gathered
    split: splits.Splits
    shift_std: float | None
    attributes: dict[str, Any]
    warnings: tuple[str, ...]


def make_plan(recipe: Recipe, gathered: Gathered) -> Plan:
    """Decide what needs all frames to be known: shift, windows, splits, counts.

    Raises:
        BadInputError: if no torso can be measured and the recipe gives none; if a split does not fit.
    """
    split, warnings = _split(recipe, gathered)
    mean_torso = gathered.mean_torso()
    shift_std = _shift_std(recipe, mean_torso)
    counts = count(_blocks(gathered, split), len(gathered.entries), gathered.annotated, gathered.empty)
    warnings += [f"no {n} windows: --split {recipe.split} left none" for n in splits_without_windows(counts)]
    if gathered.outside:
        told = f"{gathered.outside:,} of {gathered.annotated:,} keypoints"
        warnings.append(f"--box-jitter {recipe.box_jitter} moved {told} to the border of their box")
    noisy = recipe.noise is not None
    attributes = {
        "format_version": schema.FORMAT_VERSION,
        "kind": schema.KIND,
        "input": "noise" if noisy else "detector",
        "rendered": ["input_heatmaps", "target_heatmaps"] if noisy else ["target_heatmaps"],
        "synthetic": gathered.synthetic,
        "samples": gathered.samples,
        "skeleton": {"keypoints": KEYPOINTS, "pairs": PAIRS, "limbs": LIMBS},
        "rendering": {
            "amplitude": heatmaps.AMPLITUDE,
            "target_sigma": heatmaps.TARGET_SIGMA,
            "filter": "scipy.ndimage.gaussian_filter(impulse, sigma, mode='reflect', truncate=4.0)",
            "grid": geometry.GRID,
            "cell_position": "centre: i + 0.5",
            "box": _box_rule(recipe),
        },
        "recipe": recipe.model_dump(mode="json"),
        "measured": {
            "mean_torso_diameter": None if math.isnan(mean_torso) else mean_torso,
            "shift_std": shift_std,
        },
        "counts": counts,
        "licences": gathered.licences,
        **({"readers": gathered.readers} if gathered.readers else {}),
    }
    return Plan(recipe, gathered, split, shift_std, attributes, (*gathered.warnings, *warnings))


def _box_rule(recipe: Recipe) -> str:
    """How boxes are made, in words."""
    if recipe.noise is None:
        return "the detector's"
    rule = f"squared, {geometry.PADDING} of the extent added on each side"
    if recipe.box_span == "sequence":
        rule = f"one for all frames of a shot, {rule}"
    share = recipe.box_jitter
    return f"{rule}, moved by Normal(0, {share}) sides, side times exp(Normal(0, {share}))" if share else rule


def _shift_std(recipe: Recipe, mean_torso: float) -> float | None:
    if recipe.noise is None:
        return None
    torso = recipe.noise.torso or mean_torso
    if math.isnan(torso):
        raise BadInputError(
            "mean torso: expected a frame with shoulder and hip of one side, found none; give the diameter in "
            "grid px with --torso"
        )
    return recipe.noise.k * SHIFT_SHARE * torso


def _split(recipe: Recipe, gathered: Gathered) -> tuple[splits.Splits, list[str]]:
    """(N,) split numbers, and warnings."""
    entries = gathered.entries
    if recipe.split == "held-out":
        videos = [f"{e.dataset}/{e.video}" for e in entries]
        number, shot = (gathered.spool.read(name, 0, gathered.frames) for name in ("frame_number", "shot"))
        starts = window_starts(gathered.sequence(), number, shot, recipe.split_span)
        return splits.hold_out_longest(videos, gathered.sequence(), starts, recipe.split_span), []
    if recipe.split == "train":
        return np.full(gathered.frames, splits.TRAIN, np.uint8), []
    members = [splits.Member(e.dataset, e.video, e.length, e.official) for e in entries]
    by_sequence = splits.by_video(members, recipe.seed) if recipe.split == "video" else splits.official(members)
    shared = splits.shared_videos(members, by_sequence)
    warnings = [f"{shared} videos have sequences in more than one split"] if shared else []
    return np.repeat(np.asarray(by_sequence, np.uint8), [e.length for e in entries]), warnings


def _blocks(gathered: Gathered, split: splits.Splits) -> Iterator[Block]:
    """All frames, some sequences at a time, so that memory does not grow with them."""
    for start, stop in whole_sequences(e.length for e in gathered.entries):
        number, shot = (gathered.spool.read(name, start, stop) for name in ("frame_number", "shot"))
        yield Block(gathered.sequence(start, stop), number, shot, split[start:stop])
