"""The architectures, one module each, and what they work on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from posedata.errors import ChoiceError
from posetrain.config import TrainConfig
from posetrain.models.conv3d import Conv3D
from posetrain.models.convlstm import BiConvLSTMConcat, BiConvLSTMSum
from posetrain.models.deciwatch import DeciWatch
from posetrain.models.mixer import Mixer
from posetrain.models.smoothnet import SmoothNet
from posetrain.tasks import HEATMAPS, POINTS, SMOOTH_POINTS, TRACKS, Task


@dataclass(frozen=True)
class Architecture:
    """A model and its task.

    Attributes:
        make: from a configuration to a model; raises ChoiceError if they do not fit.
        task: what it is given, what it is asked, and how it is judged.
        any_window: whether it takes windows of any length and step, whatever it was trained on.
        regime: fields of the configuration that are other than `TrainConfig` has them, where a user does not choose.
        glorot: whether its weights begin as Glorot's; else as torch has them.
    """

    make: Callable[[TrainConfig], nn.Module]
    task: Task
    any_window: bool = False
    regime: Mapping[str, Any] = field(default_factory=dict)
    glorot: bool = True


_MIXING = {
    "window": 33,
    "epochs": 16,
    "batch_size": 64,
    "optimizer": "muon",
    "learning_rate": 3e-3,
    "schedule": "cosine",
    "average": 0.999,
}

MODELS: Mapping[str, Architecture] = {
    "conv3d": Architecture(lambda config: Conv3D(), HEATMAPS),
    "deciwatch": Architecture(lambda config: DeciWatch(config.window, config.sampling_step), POINTS),
    "convlstm-sum": Architecture(lambda config: BiConvLSTMSum(), HEATMAPS),
    "convlstm-concat": Architecture(lambda config: BiConvLSTMConcat(), HEATMAPS),
    "smoothnet": Architecture(lambda config: SmoothNet(config.window), SMOOTH_POINTS),
    "mixer": Architecture(lambda config: Mixer(), TRACKS, any_window=True, regime=_MIXING, glorot=False),
}
"""Name -> architecture."""


def find_model(name: str) -> Architecture:
    """The architecture of that name.

    Raises:
        ChoiceError: if there is none.
    """
    if name not in MODELS:
        raise ChoiceError(f"--model {name}: expected one of {', '.join(MODELS)}")
    return MODELS[name]


def make_model(config: TrainConfig) -> nn.Module:
    """A model with fresh weights.

    Those of published models are Glorot uniform (seed 000, equation 1) on whatever has two dimensions or more. A mixer
    keeps torch's: Glorot's rule takes the channels of its convolutions for connected, and makes them far too small.

    Raises:
        ChoiceError: if there is no such model, or it does not fit the configuration.
    """
    architecture = find_model(config.model)
    torch.manual_seed(config.seed)
    model = architecture.make(config)
    for parameter in model.parameters() if architecture.glorot else ():
        if parameter.dim() >= 2:
            nn.init.xavier_uniform_(parameter)
    return model


def count_parameters(model: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
