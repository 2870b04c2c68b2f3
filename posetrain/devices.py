"""Where models run."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from posedata.errors import ChoiceError, ResourceError

_DEVICES = ("cpu", "cuda", "mps")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_KEPT = 1 << 30
"""Bytes: blocks up to this size come from memory that was freed before."""

ELSEWHERE = "end what else runs there, or use another --device"
"""What to do where no option takes less memory."""

_ON_CPU = ("DefaultCPUAllocator", "bad_alloc")
_USED_UP = (*_ON_CPU, "out of memory", "ALLOC_FAILED")
"""What torch says where it raises a plain RuntimeError: on CPUs, from CUDA and its libraries, on MPS."""


def pick_device(name: str) -> torch.device:
    """The device of that name; "auto" = a GPU if there is one.

    Convolutions and products run in full float32: TF32 would make a GPU's figures differ from a CPU's.

    Raises:
        ChoiceError: if there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        if device.type not in _DEVICES:
            raise ChoiceError(f"--device {name}: expected one of {', '.join(_DEVICES)}")
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ChoiceError(f"--device {name}: expected a device of this machine, found none of that name") from error
    if device.type == "cpu":
        _keep_memory()
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return device


def _keep_memory() -> None:
    """Let glibc keep what is freed: batches and activations come and go, and pages given back are zeroed every time.

    Threads share one arena, for of those of their own, glibc gives back all the same.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
        if mallopt and mallopt(_M_MMAP_THRESHOLD, _KEPT):  # old versions refuse
            mallopt(_M_TRIM_THRESHOLD, _KEPT)
            mallopt(_M_ARENA_MAX, 1)


@contextmanager
def enough_memory(device: torch.device, advice: str = ELSEWHERE) -> Iterator[None]:
    """What torch and numpy raise when memory is used up becomes a ResourceError; all else stays what it is."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        said = str(error)
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not any(words in said for words in _USED_UP):
            raise
        own = isinstance(error, MemoryError) or any(words in said for words in _ON_CPU)
        where = "cpu" if own else device
        raise ResourceError(f"{where}: expected enough memory, found none left; {advice}") from error


def sent(numbers: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Numbers of the CPU on a device; to a GPU they go while it is at work, from memory that is pinned for that."""
    return numbers.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else numbers.to(device)


def place(model: nn.Module, device: torch.device) -> nn.Module:
    """The model on a device; a CPU convolves faster with channels last."""
    for module in model.modules():
        if device.type == "cpu" and isinstance(module, nn.Conv2d | nn.Conv3d):
            last = torch.channels_last if isinstance(module, nn.Conv2d) else torch.channels_last_3d
            module.weight.data = module.weight.data.contiguous(memory_format=last)
    return model.to(device)
