"""What `posetrain eval` tells of detectors."""

from collections.abc import Mapping
from typing import Any

import torch

from posedata.progress import Progress
from posetrain.commands.options import pck_line, store_name
from posetrain.crops.scores import CropScores
from posetrain.crops.scoring import score_what


def scored_crops(
    what: str, options: Mapping[str, Any], device: torch.device, progress: Progress
) -> tuple[dict[str, Any], list[tuple[object, ...]]]:
    """Scores of a detector or the mean pose, see `posetrain.commands.scored.scored`."""
    split = options["split"] or "test"
    found = score_what(what, options["store"], split, device, progress)
    scores = found.scores
    report = {
        "model": found.model,
        "store": str(found.store.path),
        "split": split,
        "epoch": found.epoch,
        "synthetic": found.store.attributes["synthetic"],
    }
    rows: list[tuple[object, ...]] = [
        ("model", found.model),
        ("store", store_name(found.store)),
        ("split", f"{split}: {scores.crops:,} crops, {scores.keypoints:,} keypoints"),
        *(_found(scores) if scores.keypoints else []),
        *([] if scores.loss is None else [("loss", f"{scores.loss:.5g}")]),
    ]
    return report | scores.as_dict(), rows


def _found(scores: CropScores) -> list[tuple[object, ...]]:
    """Of what says keypoints."""
    return [
        ("PCK", pck_line(scores.pck)),
        *((name, f"{pck_line(seen.pck)}   of {seen.keypoints:,}") for name, seen in scores.by_visibility.items()),
        *((f"  {joint}", pck_line(score)) for joint, score in scores.per_joint.items()),
    ]
