"""One pass over the samples of a training, or of what is scored."""

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from posedata.errors import BadInputError
from posedata.progress import Progress, silent
from posetrain.config import TrainConfig
from posetrain.data import epoch_order
from posetrain.kinds import Lesson, Samples
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
    task: Lesson,
    optimizer: Stepper,
    samples: Samples,
    config: TrainConfig,
    epoch: int,
    team: Team = ALONE,
    progress: Progress = silent,
) -> float:
    """One pass over all samples; returns the mean loss.

    Raises:
        BadInputError: if the loss is no number any more.
    """
    model.train()
    if not team.leads:  # what is dropped or varied by chance is another thing in every process
        torch.manual_seed(int(np.random.SeedSequence([config.seed, epoch, team.rank]).generate_state(1)[0]))
    losses = _Losses(epoch, samples.unit, every=_CHECKED if samples.device.type == "cuda" else 1)
    order, size = epoch_order(samples.starts, config.shuffle, config.seed, epoch), config.batch_size
    with progress(f"epoch {epoch}/{config.epochs}", len(samples), samples.unit) as advance:
        for step, stored in enumerate(samples.batches(order, size, task.parts, team)):
            batch = task.varied(stored)
            count = min(size, len(order) - step * size)
            optimizer.zero_grad()
            if len(batch.first):
                with torch.autocast(samples.device.type, torch.bfloat16, enabled=config.precision == "bfloat16"):
                    prediction = model(task.given(batch))
                error = task.error(prediction.float(), batch)
                mean, share = error / task.elements(batch), len(stored.first) / count
                (mean * share).backward()  # type: ignore[no-untyped-call]
                losses.add(step + 1, mean.detach() * len(stored.first), stored.first)
            team.add_gradients(model)
            optimizer.step()
            advance(count)
    total = team.total(torch.tensor(losses.settle(), dtype=torch.float64, device=_summed_on(samples.device)))
    return float(total) / len(order)


@torch.inference_mode()
def mean_loss(
    model: Callable[[Tensor], Tensor],
    task: Lesson,
    samples: Samples,
    judge: Callable[[Any, Tensor], None],
    progress: Progress = silent,
    what: str = "scoring",
) -> float:
    """The mean loss over all samples; `judge` is shown every batch, and what was predicted for it."""
    errors, elements = list[Tensor](), 0
    with progress(what, len(samples), samples.unit) as advance:
        for batch in samples.batches(np.arange(len(samples)), task.at_once, task.parts, ALONE):
            # Heatmaps of a convolution have their keypoints innermost: loss and peaks would each be slow on these.
            prediction = model(task.given(batch)).contiguous()
            errors.append(task.error(prediction, batch))
            elements += task.elements(batch)
            judge(batch, prediction)
            advance(len(batch.first))
    total: float = sum(torch.stack(errors).tolist())
    return total / elements


class _Losses:
    """The sum of the losses of an epoch's steps; `settle` raises BadInputError for the first that is no number."""

    def __init__(self, epoch: int, unit: str, every: int) -> None:
        self._epoch = epoch
        self._unit = unit
        self._every = every
        self._open: list[tuple[int, Tensor, NDArray[np.int64]]] = []
        self._total = 0.0

    def add(self, step: int, error: Tensor, first: NDArray[np.int64]) -> None:
        self._open.append((step, error, first))
        if len(self._open) == self._every:
            self.settle()

    def settle(self) -> float:
        """The sum so far."""
        found = torch.stack([error for _, error, _ in self._open]).tolist() if self._open else []
        for (step, _, first), error in zip(self._open, found, strict=True):
            self._total += error
            if not math.isfinite(self._total):
                raise BadInputError(
                    f"epoch {self._epoch}, step {step}: loss: expected a number, found {error}; the {self._unit} of "
                    f"the batch start at frames {first.tolist()}; try a lower learning rate"
                )
        self._open.clear()
        return self._total


def _summed_on(device: torch.device) -> torch.device:
    """Where processes add numbers up; MPS has no float64, and no second process."""
    return device if device.type == "cuda" else torch.device("cpu")
