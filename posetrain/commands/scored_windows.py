"""What `posetrain eval` tells of refiners."""

from collections.abc import Mapping
from typing import Any

import torch

from posedata.progress import Progress
from posetrain import scoring
from posetrain.bootstrap import intervals
from posetrain.commands.options import pck_line, store_name


def scored_windows(
    what: str, options: Mapping[str, Any], device: torch.device, progress: Progress
) -> tuple[dict[str, Any], list[tuple[object, ...]]]:
    """Scores of a refiner or a filter, see `posetrain.commands.scored.scored`."""
    split, given = options["split"] or "test", options["input"]
    subject = scoring.eval_subject(
        what, options["store"], options["window"], options["frame_step"], device, options["span"], given
    )
    scores, chosen = scoring.score(subject, split, device, options["feed"], progress)
    sure = intervals(scores.by_video)
    through = _handed_through(subject.not_refined)
    report = {
        "model": subject.model,
        "store": str(subject.store.path),
        "content_digest": subject.store.manifest.content_digest,
        "split": split,
        "window": subject.window,
        "frame_step": subject.frame_step,
        "epoch": subject.epoch,
        "input": given,
        "synthetic": subject.store.attributes["synthetic"],
        "pck_interval": sure,
        "keypoints_not_refined": None if subject.not_refined is None else list(subject.not_refined),
    }
    windows = f"{scores.windows:,} windows of {subject.window} frames at step {subject.frame_step}"
    rows: list[tuple[object, ...]] = [
        ("model", subject.model + (f", {chosen['span']}, {chosen['parameters']}" if chosen else "")),
        ("store", store_name(subject.store)),
        *([("input", "CLEAN: the target itself was the input; no score of a refiner")] if given == "clean" else []),
        ("split", f"{split}: {windows}, {scores.keypoints:,} keypoints"),
        ("frames", f"{scores.frames_scored:,} scored, {scores.frames_unscored:,} without a torso"),
        ("PCK", pck_line(scores.pck)),
        ("95 %", _intervals(sure)),
        ("PCK point", pck_line(scores.pck_point)),
        *((f"  {joint}", pck_line(score)) for joint, score in scores.per_joint.items()),
        *([("as given", through)] if through else []),
        ("trembles", _acceleration(scores.acceleration)),
        ("loss", f"{scores.loss:.5f}"),
    ]
    return report | chosen | scores.as_dict(), rows


def _handed_through(not_refined: tuple[str, ...] | None) -> str:
    if not_refined is None:
        return "not known: the store that the run was trained on is not at hand"
    return f"{', '.join(not_refined)}: the model was not trained on these" if not_refined else ""


def _acceleration(error: float | None) -> str:
    if error is None:
        return "unknown: no keypoint in three frames on end that have a torso"
    return f"{100 * error:.2f} % of a torso (acceleration error)"


def _intervals(sure: Any) -> str:
    shown = (f"@{threshold} {low:.1f} to {high:.1f} %" for threshold, (low, high) in sure.items())
    return "   ".join(shown) or "unknown: fewer than two videos"
