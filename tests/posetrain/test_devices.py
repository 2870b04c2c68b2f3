from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from posedata.errors import ChoiceError
from posetrain.clips.kind import CLIPS
from posetrain.config import TrainConfig
from posetrain.crops.kind import CROPS
from posetrain.devices import pick_device, place
from posetrain.kinds import Kind
from posetrain.models import MODELS, find_model, make_model
from posetrain.refining import WINDOWS

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["nonsense", "meta", "cuda:99", "", "cpu:x"])
def test_an_absent_device_is_told(name: str) -> None:
    with pytest.raises(ChoiceError, match="--device"):
        pick_device(name)


def test_the_processor_is_always_there() -> None:
    assert pick_device("cpu") == CPU


def test_a_gpu_is_taken_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto") == CPU


def test_products_are_not_shortened() -> None:
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    pick_device("cpu")
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def shown(kind: Kind, given: Callable[..., Tensor], task: Any) -> Tensor:
    """What a model of a kind may be given."""
    generator = torch.Generator().manual_seed(0)
    if kind is WINDOWS:
        return given(task, torch.rand(1, 5, 25, 56, 56, generator=generator))
    return torch.rand({CROPS.name: (1, 3, 256, 256), CLIPS.name: (1, 1, 3, 224, 224)}[kind.name], generator=generator)


@pytest.mark.parametrize("name", MODELS)
def test_a_model_says_the_same_wherever_its_weights_lie(name: str, given: Callable[..., Tensor]) -> None:
    config, found = TrainConfig(model=name), find_model(name)
    before, placed = make_model(config).eval(), place(make_model(config), CPU).eval()
    seen = shown(found.kind, given, found.task)
    with torch.no_grad():
        a, b = (model(seen) for model in (before, placed))
    torch.testing.assert_close(b, a, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_saved_of_a_placed_model_is_the_same(name: str) -> None:
    before = make_model(TrainConfig(model=name)).state_dict()
    after = place(make_model(TrainConfig(model=name)), CPU).state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[key], before[key]) for key in before)


def test_convolutions_lie_channels_last_on_a_processor() -> None:
    layers = nn.Sequential(nn.Conv3d(4, 3, 5), nn.Conv2d(4, 3, 5), nn.Linear(4, 3))
    place(layers, CPU)
    assert layers[0].weight.is_contiguous(memory_format=torch.channels_last_3d)
    assert layers[1].weight.is_contiguous(memory_format=torch.channels_last)
    assert layers[2].weight.is_contiguous()
