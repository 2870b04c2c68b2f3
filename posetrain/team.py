"""Several processes that train one model, as `torchrun` or `accelerate launch` start them.

Every process goes through the same batches and takes its part of each; gradients are summed, so that a step is that of
one process with the whole batch. The first process leads: it alone scores, writes and speaks.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed, nn


@dataclass(frozen=True)
class Team:
    """One process among `size`; alone, all of this does nothing."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process scores, writes and speaks."""
        return self.rank == 0

    def part(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """This process's part of a batch; it may be empty."""
        return np.array_split(numbers, self.size)[self.rank]

    def add_gradients(self, model: nn.Module) -> None:
        """Sum the gradients over all processes, in place."""
        if self.size == 1:
            return
        parameters = [p for p in model.parameters() if p.requires_grad]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        joined = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(joined)
        for parameter, total in zip(parameters, torch.split(joined, [p.numel() for p in parameters]), strict=True):
            parameter.grad = total.view_as(parameter)

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """The sum of a number over all processes."""
        if self.size > 1:
            distributed.all_reduce(value)
        return value

    def told(self, message: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """What the leader says, the same in every process; the others pass None. As JSON, so nothing is unpickled."""
        if self.size == 1:
            return message or {}
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        text = json.dumps(message).encode() if self.leads else b""
        length = torch.tensor([len(text)], device=device)
        distributed.broadcast(length, 0)
        letters = torch.zeros(int(length), dtype=torch.uint8, device=device)
        if self.leads:
            letters.copy_(torch.frombuffer(bytearray(text), dtype=torch.uint8))
        distributed.broadcast(letters, 0)
        said: Mapping[str, Any] = json.loads(letters.cpu().numpy().tobytes())
        return said


ALONE = Team()

_PATIENCE = timedelta(days=1)
"""For the leader, which alone scores: that may take longer than the ten minutes of torch."""


@contextmanager
def joined(device: str) -> Iterator[tuple[Team, str]]:
    """The team that the environment names, and this process's device; alone if it names none.

    Args:
        device: as the user named it; of several GPUs each process takes its own.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield ALONE, device
        return
    if device in ("auto", "cuda") and torch.cuda.is_available():
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo", timeout=_PATIENCE)
    try:
        yield Team(distributed.get_rank(), size), device
    finally:
        distributed.destroy_process_group()
