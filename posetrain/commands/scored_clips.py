"""What `posetrain eval` tells of models of 3-D joints."""

from collections.abc import Mapping
from typing import Any

import torch

from posedata.progress import Progress
from posetrain.clips.scoring import score_what
from posetrain.commands.options import store_name


def scored_clips(
    what: str, options: Mapping[str, Any], device: torch.device, progress: Progress
) -> tuple[dict[str, Any], list[tuple[object, ...]]]:
    """Scores of a model or the mean pose, see `posetrain.commands.scored.scored`."""
    split = options["split"] or "validation"  # there is no test split
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
        ("split", f"{split}: {scores.clips:,} clips"),
        ("MPJPE", f"{scores.mpjpe:.1f} mm"),
        *((f"  {joint}", f"{apart:.1f} mm") for joint, apart in scores.per_joint.items()),
        *([] if scores.loss is None else [("loss", f"{scores.loss:.5g}")]),
    ]
    return report | scores.as_dict(), rows
