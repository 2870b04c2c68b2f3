"""Stores of temporal heatmaps, as trainings of refiners need them."""

from torch import nn

from posedata.progress import Progress
from posedata.store.reader import Store
from posedata.store.schema import KIND
from posetrain.data import Windows, split_windows
from posetrain.evaluation import evaluate
from posetrain.kinds import Kind
from posetrain.tasks import Task


def _figures(model: nn.Module, task: Task, windows: Windows, progress: Progress, what: str) -> dict[str, float]:
    scores = evaluate(model, task, windows, progress, what)
    return {"val_loss": scores.loss, **{f"val_pck@{t}": percent for t, percent in scores.pck.items()}}


WINDOWS = Kind(
    name=KIND,
    reader=Store,
    samples=split_windows,
    figures=_figures,
    options=frozenset(
        {"window", "frame_step", "sampling_step", "setup", "experiment", "feed", "span", "input", "sequences"}
    ),
)
