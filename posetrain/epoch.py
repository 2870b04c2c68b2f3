"""One pass over the windows of a training."""

import math
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from posedata.errors import BadInputError
from posedata.progress import Progress, silent
from posetrain.config import TrainConfig
from posetrain.data import Windows, epoch_order
from posetrain.tasks import Task
from posetrain.team import ALONE, Team

_CHECKED = 32
"""Steps after which a GPU is asked for its losses: to ask is to wait until it has nothing to do."""


class Stepper(Protocol):
    """What changes weights by their gradients."""

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> None:
        """Change the weights."""


def train_epoch(
    model: nn.Module,
    task: Task,
    optimizer: Stepper,
    windows: Windows,
    config: TrainConfig,
    epoch: int,
    team: Team = ALONE,
    progress: Progress = silent,
) -> float:
    """One pass over all windows; returns the mean loss.

    Raises:
        BadInputError: if the loss is no number any more.
    """
    model.train()
    if not team.leads:  # what is dropped by chance is another thing in every process
        torch.manual_seed(int(np.random.SeedSequence([config.seed, epoch, team.rank]).generate_state(1)[0]))
    losses = _Losses(epoch, every=_CHECKED if windows.device.type == "cuda" else 1)
    order, size = epoch_order(windows.starts, config.shuffle, config.seed, epoch), config.batch_size
    with progress(f"epoch {epoch}/{config.epochs}", len(windows), "windows") as advance:
        for step, stored in enumerate(windows.batches(order, size, task.parts, team)):
            batch = task.varied(stored)
            count = min(size, len(order) - step * size)
            optimizer.zero_grad()
            if len(batch.frames):
                with torch.autocast(windows.device.type, torch.bfloat16, enabled=config.precision == "bfloat16"):
                    prediction = model(task.given(batch))
                error = task.error(prediction.float(), batch)
                mean, share = error / task.elements(batch), len(stored.frames) / count
                (mean * share).backward()  # type: ignore[no-untyped-call]
                losses.add(step + 1, mean.detach() * len(stored.frames), stored.frames)
            team.add_gradients(model)
            optimizer.step()
            advance(count)
    total = team.total(torch.tensor(losses.settle(), dtype=torch.float64, device=_summed_on(windows.device)))
    return float(total) / len(order)


class _Losses:
    """The sum of the losses of an epoch's steps; `settle` raises BadInputError for the first that is no number."""

    def __init__(self, epoch: int, every: int) -> None:
        self._epoch = epoch
        self._every = every
        self._open: list[tuple[int, Tensor, NDArray[np.int64]]] = []
        self._total = 0.0

    def add(self, step: int, error: Tensor, frames: NDArray[np.int64]) -> None:
        self._open.append((step, error, frames))
        if len(self._open) == self._every:
            self.settle()

    def settle(self) -> float:
        """The sum so far."""
        found = torch.stack([error for _, error, _ in self._open]).tolist() if self._open else []
        for (step, _, frames), error in zip(self._open, found, strict=True):
            self._total += error
            if not math.isfinite(self._total):
                raise BadInputError(
                    f"epoch {self._epoch}, step {step}: loss: expected a number, found {error}; the windows of the "
                    f"batch start at frames {frames[:, 0].tolist()}; try a lower learning rate"
                )
        self._open.clear()
        return self._total


def _summed_on(device: torch.device) -> torch.device:
    """Where processes add numbers up; MPS has no float64, and no second process."""
    return device if device.type == "cuda" else torch.device("cpu")
