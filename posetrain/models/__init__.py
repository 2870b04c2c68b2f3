"""The architectures, one module each.

A model maps heatmaps (B, T, 25, 56, 56) to heatmaps of the same shape, float32.
"""

from collections.abc import Callable, Mapping

import torch
from torch import nn

from posedata.errors import ChoiceError
from posetrain.models.conv3d import Conv3D

MODELS: Mapping[str, Callable[[], nn.Module]] = {"conv3d": Conv3D}
"""Name -> architecture."""


def make_model(name: str, seed: int) -> nn.Module:
    """A model with fresh weights: Glorot uniform (seed 000, equation 1) on whatever has two dimensions or more.

    Args:
        name: in `MODELS`.
        seed: decides on the weights.

    Raises:
        ChoiceError: if there is no such model.
    """
    if name not in MODELS:
        raise ChoiceError(f"model {name!r}: expected one of {', '.join(MODELS)}")
    torch.manual_seed(seed)
    model = MODELS[name]()
    for parameter in model.parameters():
        if parameter.dim() >= 2:
            nn.init.xavier_uniform_(parameter)
    return model


def count_parameters(model: nn.Module) -> int:
    """Numbers that training changes."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
