"""Runs that answer what they are given, and inputs of every kind."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from posedata.samples.base import motion
from posedata.store.reader import open_store
from posetrain import checkpoints
from posetrain.checkpoints import RunInfo, StoreReference
from posetrain.config import TrainConfig
from posetrain.models import make_model

CPU = torch.device("cpu")
Floats = NDArray[np.float64]


def still(model: nn.Module, name: str) -> None:
    """Weights with which a model answers its input, up to rounding."""
    with torch.no_grad():
        if name == "conv3d":
            model.convolution.weight.zero_()
            model.convolution.bias.zero_()
            model.convolution.weight[range(25), range(25), 2, 2, 2] = 1.0
        if name == "deciwatch":
            for layer in (model.denoise, model.recover):
                layer.weight.zero_()
                layer.bias.zero_()
        if name == "smoothnet":  # a leaky ReLU less the one of the opposite is linear
            for parameter in model.parameters():
                parameter.zero_()
            for t in range(model.decode.out_features):
                model.encode[0].weight[2 * t, t], model.encode[0].weight[2 * t + 1, t] = 1.0, -1.0
                model.decode.weight[t, 2 * t], model.decode.weight[t, 2 * t + 1] = 1 / 1.1, -1 / 1.1


@pytest.fixture
def make_run(tmp_path: Path, stores: dict[str, Path]) -> Callable[..., Path]:
    """A run with one epoch, trained on a store of all 25 keypoints; `make_run("conv3d", still=True, frame_step=2)`."""

    def make(model: str, is_still: bool = False, store: str = "climbalong", **config: object) -> Path:
        run = tmp_path / "home" / "runs" / f"{model}{'-still' if is_still else ''}-{len(list(tmp_path.iterdir()))}"
        chosen = TrainConfig.model_validate({"model": model, "sampling_step": 1 if is_still else 4} | config)
        made = make_model(chosen)
        if is_still:
            still(made, model)
        digest = open_store(stores[store]).manifest.content_digest
        info = RunInfo(config=chosen, store=StoreReference(path=str(stores[store]), content_digest=digest))
        checkpoints.write_json(run / checkpoints.RUN_NAME, info.model_dump())
        history = [{"epoch": 1, "val_loss": 1.0}]
        checkpoints.save_checkpoint(run, 1, made.state_dict(), {"history": history})
        return run

    return make


@pytest.fixture
def walk() -> Callable[..., Floats]:
    """(T, 25, 2) pixels of somebody who moves in an image of 1280 x 720; some joints are missing at times."""

    def make(frames: int, seed: int = 0) -> Floats:
        rng = np.random.default_rng(seed)
        points = motion(rng, frames, 1280, 720).round(3)
        points[rng.random((frames, 25)) < 0.05] = np.nan
        return points

    return make
