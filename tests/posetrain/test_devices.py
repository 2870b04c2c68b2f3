from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

import posetrain
from posedata.errors import ChoiceError, ResourceError
from posetrain.cli import cli
from posetrain.clips.kind import CLIPS
from posetrain.config import TrainConfig
from posetrain.crops.kind import CROPS
from posetrain.devices import enough_memory, pick_device, place, sent
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


def test_numbers_are_widened_on_the_processor() -> None:
    """MPS has no float64; torch refuses to make it there."""
    code = {path: path.read_text() for path in Path(posetrain.__file__).parent.rglob("*.py")}
    assert sum(text.count(".cpu().double()") for text in code.values()) > 5
    assert [path for path, text in code.items() if ".double().cpu()" in text] == []


class Sent(torch.Tensor):
    """Tells how it was sent."""

    def pin_memory(self, device: Any = None) -> Any:
        self.pinned = True
        return self

    def to(self, *where: Any, **how: Any) -> Any:
        return where, how, getattr(self, "pinned", False)


def test_what_a_gpu_is_sent_is_pinned_and_not_waited_for() -> None:
    numbers, gpu = torch.arange(3), torch.device("cuda:1")
    assert sent(numbers.as_subclass(Sent), gpu) == ((gpu,), {"non_blocking": True}, True)  # type: ignore[comparison-overlap]
    assert sent(numbers, CPU) is numbers


def no_memory() -> None:
    """More than there is."""
    torch.empty(1 << 55, dtype=torch.uint8)


GONE = [
    (no_memory, "cpu"),
    (lambda: np.empty(1 << 55, np.uint8), "cpu"),
    (MemoryError(), "cpu"),
    (RuntimeError("std::bad_alloc"), "cpu"),
    (torch.OutOfMemoryError("Tried to allocate 2.00 GiB"), "cuda:1"),
    (RuntimeError("CUDA error: out of memory"), "cuda:1"),
    (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "cuda:1"),
    (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), "cuda:1"),
]


@pytest.mark.parametrize(("cause", "where"), GONE)
def test_memory_that_is_used_up_is_told(cause: Any, where: str) -> None:
    told = f"^{where}: expected enough memory, found none left; buy some$"
    with pytest.raises(ResourceError, match=told), enough_memory(torch.device("cuda:1"), "buy some"):
        if isinstance(cause, Exception):
            raise cause
        cause()


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match=r"^mat1 and mat2"), enough_memory(CPU):
        torch.ones(2, 3) @ torch.ones(2, 3)


COMMANDS = {
    "eval": ("commands.scored.scored", ["identity"]),
    "predict": ("predict.predicting.predict", ["default", "a.json", "--out", "b.json"]),
    "detect": ("detect.detecting.detect", ["a", "b.mp4", "--out", "c", "--boxes", "d.csv"]),
    "report": ("report.write.write_report", ["a", "--out", "b"]),
    "explain": ("explain.explaining.explain", ["a", "--out", "b.html"]),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_tells_that_memory_is_used_up(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    work, arguments = COMMANDS[name]
    monkeypatch.setattr(f"posetrain.{work}", lambda *given, **named: no_memory())
    monkeypatch.setattr("posetrain.find.find_runs", lambda runs: [])
    done = CliRunner().invoke(cli, [name, *arguments, "--device", "cpu"])
    assert isinstance(done.exception, ResourceError)
    assert str(done.exception).startswith("cpu: expected enough memory, found none left; ")


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
