"""Between the two passes of a build: what can be decided only when all frames are known."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata import geometry, heatmaps, splits
from posedata.config import Recipe
from posedata.errors import BadInputError
from posedata.gather import Gathered
from posedata.skeleton import KEYPOINTS, LIMBS, PAIRS
from posedata.store import schema
from posedata.windows import span, window_starts, within_split, without_overlap

SHIFT_SHARE = 0.2
"""x of seed 000, section 1.2.1: the share of the mean torso diameter by which k = 1 shifts."""

_WANTED = ("train", "validation", "test")
"""Splits without which a store cannot be trained on or scored."""

_WINDOW = 5
"""Frames of the windows that are counted (seed 000, section 1.2.2)."""


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
    windows_total, windows = _count_windows(gathered, split)
    warnings += [f"no {n} windows: --split {recipe.split} left none" for n in _WANTED if not windows[n]]
    counts = {
        "frames": gathered.frames,
        "sequences": len(gathered.entries),
        "windows_total": windows_total,
        "windows": windows,
        "annotated_keypoints": gathered.annotated,
        "empty_frames": gathered.empty,
    }
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
            "box": f"squared, {geometry.PADDING} of the extent added on each side" if noisy else "the detector's",
        },
        "recipe": recipe.model_dump(mode="json"),
        "measured": {
            "mean_torso_diameter": None if math.isnan(mean_torso) else mean_torso,
            "shift_std": shift_std,
        },
        "counts": counts,
        "licences": gathered.licences,
    }
    return Plan(recipe, gathered, split, shift_std, attributes, (*gathered.warnings, *warnings))


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
        starts = _starts(gathered, 0, gathered.frames, recipe.split_span)
        return splits.hold_out_longest(videos, gathered.sequence(), starts, recipe.split_span), []
    members = [splits.Member(e.dataset, e.video, e.length, e.official) for e in entries]
    by_sequence = splits.by_video(members, recipe.seed) if recipe.split == "video" else splits.official(members)
    shared = splits.shared_videos(members, by_sequence)
    warnings = [f"{shared} videos have sequences in more than one split"] if shared else []
    return np.repeat(np.asarray(by_sequence, np.uint8), [e.length for e in entries]), warnings


def _count_windows(gathered: Gathered, split: splits.Splits) -> tuple[int, dict[str, int]]:
    """All windows, and those of each split; some sequences at a time, so that memory does not grow with the frames."""
    total, counts, reach = 0, dict.fromkeys(splits.SPLITS, 0), span(_WINDOW, 1) - 1
    for start, stop in gathered.blocks():
        starts = _starts(gathered, start, stop, _WINDOW)
        total += len(starts)
        for name, number in splits.SPLITS.items():
            inside = within_split(starts, split[start:stop], number, reach)
            counts[name] += len(inside if number == splits.TRAIN else without_overlap(inside, reach))
    return total, counts


def _starts(gathered: Gathered, start: int, stop: int, length: int) -> NDArray[np.int64]:
    """First positions, counted from `start`, of the windows of whole sequences."""
    number, shot = (gathered.spool.read(name, start, stop) for name in ("frame_number", "shot"))
    return window_starts(gathered.sequence(start, stop), number, shot, length)
