import math

import pytest
import torch

from posedata.errors import ChoiceError
from posetrain.models import MODELS, make_model


@pytest.mark.parametrize("name", MODELS)
def test_weights_are_glorot_uniform(name: str) -> None:
    for parameter in make_model(name, seed=0).parameters():
        if parameter.dim() >= 2:
            receptive = math.prod(parameter.shape[2:])
            bound = math.sqrt(6 / (parameter.shape[0] * receptive + parameter.shape[1] * receptive))
            assert 0.95 * bound < float(parameter.detach().abs().max()) <= bound


def test_weights_follow_the_seed() -> None:
    a, b, c = (next(make_model("conv3d", seed).parameters()) for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_an_unknown_model_is_told_the_choices() -> None:
    with pytest.raises(ChoiceError, match="conv3d"):
        make_model("conv4d", 0)
