"""Several processes that train one model, as `torchrun` or `accelerate launch` start them.

Every process goes through the same batches and takes its part of each; gradients are summed, so that a step is that of
one process with the whole batch, but for what is drawn: the masks of dropout, and where a task varies its batches the
pieces of windows, poses, boxes and noise, which each process draws for itself. The error of such a part is the mean
over its own pieces, and counts by its share of the stored windows. The first process leads: it alone scores and writes,
and it alone needs to see the folder of the run; the store has to lie on every machine.
"""

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed, nn

from posedata.errors import ChoiceError, RemoteError


@dataclass
class Team:
    """One process among `size`; alone, all of this does nothing. RemoteError is raised where another is gone."""

    rank: int = 0
    size: int = 1
    patient: Any = None
    """The group in which the others wait for the leader, who may take long to score; on CPUs always."""

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
        said: Mapping[str, Any] = json.loads(self._sent(json.dumps(message).encode()))
        return said

    def lent(self, load: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """What the leader loads, the same in every process: tensors, numbers, text, lists and dicts, on the CPU.

        The others do not call `load`, for they may not see the leader's disk.
        """
        if self.size == 1:
            return load()
        buffer = io.BytesIO()
        if self.leads:
            torch.save(dict(load()), buffer)
        lent: Mapping[str, Any] = torch.load(
            io.BytesIO(self._sent(buffer.getvalue())), map_location="cpu", weights_only=True
        )
        return lent

    def meet(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            with _together():
                distributed.barrier(group=self.patient)

    def _sent(self, content: bytes) -> bytes:
        """The leader's bytes, in every process."""
        length = torch.tensor([len(content)])
        with _together():
            distributed.broadcast(length, 0, group=self.patient)
        letters = torch.zeros(int(length), dtype=torch.uint8)
        if self.leads:
            letters.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        with _together():
            distributed.broadcast(letters, 0, group=self.patient)
        return letters.numpy().tobytes()


ALONE = Team()

_DEVICES = ("auto", "cpu", "cuda")
"""Of a team: a GPU of one number would be that of all processes of a machine; MPS knows no second process."""

_PATIENCE = timedelta(minutes=2)
"""For the others to come, and for their gradients: who is silent for longer is taken to be lost."""

_LONG = timedelta(days=1)
"""For the leader, which alone scores: that may take longer than the ten minutes of torch."""


@contextmanager
def joined(device: str) -> Iterator[tuple[Team, str]]:
    """The team that the environment names, and this process's device; alone if it names none.

    Args:
        device: as the user named it; of several GPUs each process takes its own.

    Raises:
        ChoiceError: if the environment is not that of torchrun, or there is no such device for several processes.
        RemoteError: if the processes do not find each other.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        yield ALONE, device
        return
    team, device = _join(device)
    try:
        yield team, device
    finally:
        distributed.destroy_process_group()
        # Whoever still holds the team would keep the group's threads, and these abort a process that Python leaves.
        team.patient = None


def _join(device: str) -> tuple[Team, str]:
    _check_environment()
    if device not in _DEVICES:
        raise ChoiceError(
            f"--device {device}: expected one of {', '.join(_DEVICES)} with several processes, each of which takes the "
            "GPU of its LOCAL_RANK"
        )
    gpu = torch.cuda.is_available() and device != "cpu"
    if gpu:
        device = f"cuda:{_local_gpu()}"
        torch.cuda.set_device(device)
    try:
        distributed.init_process_group("nccl" if gpu else "gloo", timeout=_PATIENCE)
        # Not by NCCL, whose calls return at once: who waits there is ended by torch, and cannot say why.
        patient = distributed.new_group(timeout=_LONG, backend="gloo")
    except ValueError as error:
        raise ChoiceError(f"WORLD_SIZE: expected the environment of torchrun, found {error}") from error
    except (RuntimeError, OSError) as error:
        where, said = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}", str(error).partition("\n")[0]
        raise RemoteError(
            f"{where}: expected {os.environ['WORLD_SIZE']} processes of torchrun to meet there, each with a RANK of "
            f"its own, found: {said}"
        ) from error
    return Team(distributed.get_rank(), distributed.get_world_size(), patient), device


def _check_environment() -> None:
    """Raise ChoiceError for whatever in the environment torchrun would not have set."""
    numbers = {"WORLD_SIZE", "RANK", "MASTER_PORT"}
    found = {name: os.environ.get(name, "") for name in ("MASTER_ADDR", *sorted(numbers))}
    faults = [
        f"{name}: expected {'a number' if name in numbers else 'a host'} as torchrun sets it, found {text or 'nothing'}"
        for name, text in found.items()
        if not (text.isdecimal() if name in numbers else text)
    ]
    if not faults and int(found["RANK"]) >= int(found["WORLD_SIZE"]):
        faults = [f"RANK: expected a number below WORLD_SIZE {found['WORLD_SIZE']}, found {found['RANK']}"]
    if faults:
        raise ChoiceError(*faults)


def _local_gpu() -> int:
    """The number of this process's GPU; raises ChoiceError if there is none of that number, or nobody says which."""
    there = torch.cuda.device_count()
    mine = os.environ.get("LOCAL_RANK", "" if there > 1 else "0")
    if not mine.isdecimal() or int(mine) >= there:
        raise ChoiceError(
            f"LOCAL_RANK: expected a number below {there}, the GPUs of this machine, found {mine or 'nothing'}; start "
            "processes by torchrun, one a GPU, or use --device cpu"
        )
    return int(mine)


@contextmanager
def _together() -> Iterator[None]:
    """What torch raises when another process is gone becomes a RemoteError."""
    try:
        yield
    except RuntimeError as error:
        raise RemoteError(
            "another process of this training has ended, or does not answer; see what it says, mend that, and go on "
            "with posetrain run --resume"
        ) from error
