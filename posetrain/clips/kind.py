"""Stores of video clips, as trainings of models of 3-D joints need them."""

from torch import nn

from posedata.clips.schema import KIND
from posedata.clips.store import ClipStore
from posedata.progress import Progress
from posetrain.clips.data import Clips, split_clips
from posetrain.clips.scores import score_clips
from posetrain.clips.tasks import Lifting
from posetrain.kinds import Kind


def _figures(model: nn.Module, task: Lifting, clips: Clips, progress: Progress, what: str) -> dict[str, float]:
    scores = score_clips(model, task, clips, progress, what)
    return {"val_loss": float(scores.loss or 0.0), "val_mpjpe": scores.mpjpe}


CLIPS = Kind(
    name=KIND, reader=ClipStore, samples=split_clips, figures=_figures, options=frozenset({"backbone", "frozen"})
)
