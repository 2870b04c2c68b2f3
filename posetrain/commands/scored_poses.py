"""What `posetrain eval` tells of models that look at pixels."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from posedata.progress import Progress
from posetrain.clips.scores import ClipScores
from posetrain.commands.options import pck_line, store_name
from posetrain.crops.scores import CropScores
from posetrain.judging import Judge, score_what

Rows = list[tuple[object, ...]]


def scored_poses(
    judge: Judge,
    figures: Callable[[Any], Rows],
    what: str,
    options: Mapping[str, Any],
    device: torch.device,
    progress: Progress,
) -> tuple[dict[str, Any], Rows]:
    """Scores of a model or the mean pose, see `posetrain.commands.scored.scored`; `figures` are rows of them."""
    split = options["split"] or judge.splits[0]
    found = score_what(judge, what, options["store"], split, device, progress)
    scores = found.scores
    report = {
        "model": found.model,
        "store": str(found.store.path),
        "split": split,
        "epoch": found.epoch,
        "synthetic": found.store.attributes["synthetic"],
    }
    rows: Rows = [
        ("model", found.model),
        ("store", store_name(found.store)),
        ("split", f"{split}: {scores.counted}"),
        *figures(scores),
        *([] if scores.loss is None else [("loss", f"{scores.loss:.5g}")]),
    ]
    return report | scores.as_dict(), rows


def crop_figures(scores: CropScores) -> Rows:
    """PCK, by visibility and by joint; nothing of what says no keypoints."""
    if not scores.keypoints:
        return []
    return [
        ("PCK", pck_line(scores.pck)),
        *((name, f"{pck_line(seen.pck)}   of {seen.keypoints:,}") for name, seen in scores.by_visibility.items()),
        *((f"  {joint}", pck_line(score)) for joint, score in scores.per_joint.items()),
    ]


def clip_figures(scores: ClipScores) -> Rows:
    """MPJPE, and that of each joint."""
    joints = ((f"  {joint}", f"{apart:.1f} mm") for joint, apart in scores.per_joint.items())
    return [("MPJPE", f"{scores.mpjpe:.1f} mm"), *joints]
