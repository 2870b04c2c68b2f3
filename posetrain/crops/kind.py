"""Stores of image crops, as trainings of detectors need them."""

from torch import nn

from posedata.crops.schema import KIND
from posedata.crops.store import CropStore
from posedata.progress import Progress
from posetrain.crops.data import Crops, split_crops
from posetrain.crops.scores import score_crops
from posetrain.crops.tasks import CropTask
from posetrain.kinds import Kind

MEAN_RGB = "mean_rgb"


def _figures(model: nn.Module, task: CropTask, crops: Crops, progress: Progress, what: str) -> dict[str, float]:
    scores = score_crops(model, task, crops, progress, what)
    return {"val_loss": float(scores.loss or 0.0), **{f"val_pck@{t}": percent for t, percent in scores.pck.items()}}


def _facts(store: CropStore) -> dict[str, tuple[float, ...]]:
    return {MEAN_RGB: tuple(store.mean_rgb.tolist())}


CROPS = Kind(
    name=KIND,
    reader=CropStore,
    samples=split_crops,
    figures=_figures,
    options=frozenset({"stacks", "width"}),
    facts=_facts,
)
