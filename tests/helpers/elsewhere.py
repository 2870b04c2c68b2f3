"""A device in place of a GPU where there is none: torch's `meta`, whose tensors have a shape and no numbers.

It shows what a GPU would refuse: tensors that were left on the processor. Numbers that are asked of the device are all
0, and what is asked of it by `if` is true.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from posedata.progress import silent
from posetrain.config import TrainConfig
from posetrain.devices import place
from posetrain.epoch import train_epoch
from posetrain.models import find_model, make_model
from posetrain.optimizer import Optimizer
from posetrain.sources import Feed

META = torch.device("meta")

_ASKED = ("cpu", "item", "tolist", "__float__", "__int__")
"""By these a program waits for what the device has."""

_MAY_MIX = ("_to_copy", "copy_", "index", "_index_put", "detach", "lift_fresh")
"""Operations that take tensors of several devices, on a GPU too."""


class _OneDevice(TorchDispatchMode):
    """Products are not compared by torch itself on `meta`."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [leaf for leaf in tree_leaves((args, kwargs or {})) if isinstance(leaf, Tensor) and leaf.dim()]
        if len({tensor.device for tensor in tensors}) > 1 and not func._opname.startswith(_MAY_MIX):
            raise RuntimeError(f"{func}: expected tensors of one device, found {[t.device.type for t in tensors]}")
        return func(*args, **(kwargs or {}))


def _answered(method: Callable[..., Any]) -> Callable[..., Any]:
    def ask(tensor: Tensor, *args: Any, **kwargs: Any) -> Any:
        known = torch.zeros(tensor.shape, dtype=tensor.dtype) if tensor.device == META else tensor
        return method(known, *args, **kwargs)

    return ask


@contextmanager
def no_processor(patch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """The device; until the end, operations on tensors of several raise RuntimeError."""
    for name in _ASKED:
        patch.setattr(Tensor, name, _answered(getattr(Tensor, name)))
    patch.setattr(torch, "autocast", lambda device, *args, **kwargs: contextlib.nullcontext())
    truth = Tensor.__bool__
    patch.setattr(Tensor, "__bool__", lambda tensor: tensor.device == META or truth(tensor))
    with _OneDevice():
        yield META


def trained_and_scored(name: str, store: Any, device: torch.device, feed: Feed = "auto") -> dict[str, float]:
    """Figures of a model after an epoch of a few samples of a store of its kind."""
    architecture = find_model(name)
    config = TrainConfig(**{**architecture.regime, "model": name, "max_windows": 4, "batch_size": 3})
    model, task, kind = place(make_model(config), device), architecture.task, architecture.kind
    optimizer = Optimizer(model, config, steps=2)
    samples = kind.samples(config, store, "train", device, feed)
    train_epoch(model, task, optimizer, samples, config, 1)
    return kind.figures(optimizer.best.eval(), task, samples, silent, "validation")
