"""A prediction depends on the input alone: the published scoring broke this, and no figure of it can be used."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
import zarr
from torch import Tensor

from posedata import open_store
from posedata.manifest import MANIFEST_NAME, list_files, read_manifest, write_manifest
from posetrain.config import TrainConfig
from posetrain.data import Windows
from posetrain.evaluation import evaluate, identity
from posetrain.models import MODELS, find_model, make_model
from posetrain.refining import WINDOWS
from posetrain.tasks import HEATMAPS, TrackTask

REFINERS = tuple(name for name, architecture in MODELS.items() if architecture.kind is WINDOWS)
CASES = [*((model, "render") for model in ("identity", *REFINERS)), ("identity", "store"), ("conv3d", "store")]
TARGETS = ("target_heatmaps", "target_cells", "target_points", "annotated")


def perturbed(store: Path, path: Path, names: Sequence[str]) -> Path:
    """A sound store with the same inputs, and other targets in every frame."""
    shutil.copytree(store, path)
    manifest = read_manifest(path)
    (path / MANIFEST_NAME).unlink()
    group = zarr.open_group(path, mode="r+")
    for name in names:
        array = group[name]
        assert isinstance(array, zarr.Array)
        array[:] = np.roll(np.asarray(array[:]), 7, axis=0)
    write_manifest(path, manifest.model_copy(update={"files": list_files(path)}))
    return path


@pytest.mark.parametrize(("model", "feed"), CASES)
def test_perturbed_targets_move_no_prediction(stores: dict[str, Path], tmp_path: Path, model: str, feed: str) -> None:
    refine = identity if model == "identity" else make_model(TrainConfig(model=model)).eval()
    task = HEATMAPS if model == "identity" else find_model(model).task
    # A mixer is given where in the image its peaks are, for which it takes the boxes of a window; no other sees a box.
    changed = TARGETS if isinstance(task, TrackTask) else (*TARGETS, "box")
    other = perturbed(stores["brace"], tmp_path / "perturbed.zarr", changed)
    predictions: list[list[Tensor]] = []
    losses = []
    for path in (stores["brace"], other):
        store = open_store(path)
        windows = Windows(store, store.windows("test")[:3], 5, 1, torch.device("cpu"), feed)  # type: ignore[arg-type]
        seen: list[Tensor] = []

        def watch(heatmaps: Tensor, seen: list[Tensor] = seen) -> Tensor:
            seen.append(refine(heatmaps))
            return seen[-1]

        losses.append(evaluate(watch, task, windows).loss)
        predictions.append(seen)
    assert losses[0] != losses[1]  # the targets did change
    for before, after in zip(*predictions, strict=True):
        assert torch.equal(before, after)
