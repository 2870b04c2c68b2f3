import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from posedata.errors import ChoiceError
from posetrain.config import TrainConfig
from posetrain.models import MODELS, count_parameters, find_model, find_refiner, make_model
from posetrain.refining import WINDOWS

PUBLISHED = {"conv3d": 78_150, "deciwatch": 1_708_388, "convlstm-sum": 1_875_666, "convlstm-concat": 1_872_313}
REFINERS = [name for name, architecture in MODELS.items() if architecture.kind is WINDOWS]


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_as_many_as_published(name: str) -> None:
    assert count_parameters(make_model(TrainConfig(model=name))) == PUBLISHED[name]


@pytest.mark.parametrize("name", [name for name in REFINERS if MODELS[name].fresh])
def test_weights_are_glorot_uniform(name: str) -> None:
    for parameter in make_model(TrainConfig(model=name)).parameters():
        if parameter.dim() >= 2:
            receptive = math.prod(parameter.shape[2:])
            bound = math.sqrt(6 / (parameter.shape[0] * receptive + parameter.shape[1] * receptive))
            assert 0.95 * bound < float(parameter.detach().abs().max()) <= bound


@pytest.mark.parametrize("name", MODELS)
def test_weights_follow_the_seed(name: str) -> None:
    a, b, c = (make_model(TrainConfig(model=name, seed=seed)).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not all(torch.equal(a[key], c[key]) for key in a)


@pytest.mark.parametrize("name", REFINERS)
def test_every_weight_is_used_and_every_frame_matters(name: str, given: Callable[..., Tensor]) -> None:
    config = TrainConfig(model=name)
    model = make_model(config).eval()
    heatmaps = torch.rand(2, 5, 25, 56, 56, generator=torch.Generator().manual_seed(0))
    prediction = model(given(find_model(name).task, heatmaps))
    prediction.square().sum().backward()
    trained = [(key, p) for key, p in model.named_parameters() if p.requires_grad]
    unused = [key for key, p in trained if p.grad is None or not p.grad.any()]
    assert unused == []
    assert prediction.shape[:3] == (2, 5, 25)


@pytest.mark.parametrize("name", REFINERS)
def test_windows_of_a_batch_do_not_see_each_other(name: str, given: Callable[..., Tensor]) -> None:
    model = make_model(TrainConfig(model=name)).eval()
    task = find_model(name).task
    heatmaps = torch.rand(2, 5, 25, 56, 56, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        both, alone = model(given(task, heatmaps)), model(given(task, heatmaps[1:]))
    torch.testing.assert_close(both[1:], alone, rtol=1e-3, atol=1e-4)


def test_an_unknown_model_is_told_the_choices() -> None:
    with pytest.raises(ChoiceError, match="conv3d, deciwatch"):
        make_model(TrainConfig(model="conv4d"))


def test_a_refiner_is_asked_for_and_a_detector_refused() -> None:
    assert find_refiner("mixer", "--model mixer") is MODELS["mixer"]
    with pytest.raises(ChoiceError, match=r"runs/a: expected a model .* found hourglass.* posetrain eval"):
        find_refiner("hourglass", "runs/a")
