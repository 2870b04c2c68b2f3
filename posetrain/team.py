"""Several processes that train one model, as `torchrun` or `accelerate launch` start them.

Every process goes through the same batches and takes its part of each; gradients are summed, so that a step is that of
one process with the whole batch, but for what dropout draws. The first process leads: it alone scores and writes.
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

from posedata.errors import ChoiceError, RemoteError


@dataclass(frozen=True)
class Team:
    """One process among `size`; alone, all of this does nothing. RemoteError is raised where another is gone."""

    rank: int = 0
    size: int = 1
    patient: Any = None
    """The group in which the others wait for the leader, who may take long to score."""

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
        with _together():
            distributed.all_reduce(joined)
        for parameter, total in zip(parameters, torch.split(joined, [p.numel() for p in parameters]), strict=True):
            parameter.grad = total.view_as(parameter)

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """The sum of a number over all processes."""
        if self.size > 1:
            with _together():
                distributed.all_reduce(value)
        return value

    def told(self, message: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """What the leader says, the same in every process; the others pass None. As JSON, so nothing is unpickled."""
        if self.size == 1:
            return message or {}
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        text = json.dumps(message).encode() if self.leads else b""
        length = torch.tensor([len(text)], device=device)
        with _together():
            distributed.broadcast(length, 0, group=self.patient)
        letters = torch.zeros(int(length), dtype=torch.uint8, device=device)
        if self.leads:
            letters.copy_(torch.frombuffer(bytearray(text), dtype=torch.uint8))
        with _together():
            distributed.broadcast(letters, 0, group=self.patient)
        said: Mapping[str, Any] = json.loads(letters.cpu().numpy().tobytes())
        return said


ALONE = Team()

_PATIENCE = timedelta(minutes=2)
"""For the others to come, and for their gradients."""

_LONG = timedelta(days=1)
"""For the leader, which alone scores: that may take longer than the ten minutes of torch."""


@contextmanager
def joined(device: str) -> Iterator[tuple[Team, str]]:
    """The team that the environment names, and this process's device; alone if it names none.

    Args:
        device: as the user named it; of several GPUs each process takes its own.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        yield ALONE, device
        return
    team, device = _join(device)
    try:
        yield team, device
    finally:
        distributed.destroy_process_group()


def _join(device: str) -> tuple[Team, str]:
    gpu = torch.cuda.is_available() and device.startswith(("auto", "cuda"))
    try:
        if gpu and device in ("auto", "cuda"):
            device = f"cuda:{int(os.environ.get('LOCAL_RANK', '0'))}"
            torch.cuda.set_device(device)
        distributed.init_process_group("nccl" if gpu else "gloo", timeout=_PATIENCE)
        patient = distributed.new_group(timeout=_LONG)
    except ValueError as error:
        raise ChoiceError(f"WORLD_SIZE: expected the environment of torchrun, found {error}") from error
    except (RuntimeError, OSError) as error:
        raise RemoteError(f"WORLD_SIZE: expected the other processes of torchrun, found {error}") from error
    return Team(distributed.get_rank(), distributed.get_world_size(), patient), device


@contextmanager
def _together() -> Iterator[None]:
    """What torch raises when another process is gone becomes a RemoteError."""
    try:
        yield
    except RuntimeError as error:
        raise RemoteError("another process of this training has ended; see what it says") from error
