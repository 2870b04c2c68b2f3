from dataclasses import dataclass

import numpy as np
import pytest
import torch

from posedata.skeleton import K
from posedata.store.reader import Store
from posetrain.config import TrainConfig
from posetrain.data import Batch, Windows
from posetrain.epoch import train_epoch
from posetrain.models.smoothnet import SmoothNet
from posetrain.tasks import POINTS, PointTask, squared_error


class Still:
    """Takes no step, so that the gradients of the last one can be looked at."""

    def zero_grad(self) -> None:
        """Nothing: there is one step."""

    def step(self) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Twice(PointTask):
    """Every window of a batch comes twice."""

    def varied(self, batch: Batch) -> Batch:
        made = [torch.cat([each, each]) for each in (batch.points, batch.annotated, batch.boxes, batch.tight)]
        frames = np.concatenate([batch.frames, batch.frames])
        return Batch(frames, batch._given, batch._wanted, *made)


def learnt(task: PointTask, windows: Windows) -> tuple[float, list[torch.Tensor]]:
    torch.manual_seed(0)
    model = SmoothNet(5)
    model.eval()  # without dropout the same twice
    model.train = lambda mode=True: model  # type: ignore[method-assign]
    config = TrainConfig(batch_size=len(windows))
    loss = train_epoch(model, task, Still(), windows, config, 1)
    return loss, [p.grad for p in model.parameters() if p.grad is not None]


@pytest.fixture
def windows(noisy: Store) -> Windows:
    return Windows(noisy, noisy.windows("train")[:6], 5, 1, torch.device("cpu"), "auto")


def test_a_step_is_that_of_the_mean_however_many_windows_a_batch_becomes(windows: Windows) -> None:
    once, twice = learnt(POINTS, windows), learnt(Twice(squared_error), windows)
    assert once[0] == pytest.approx(twice[0], rel=1e-6)
    for a, b in zip(once[1], twice[1], strict=True):
        torch.testing.assert_close(a, b)


class Shifted(torch.nn.Module):
    """Says what it is given, moved by a weight of 0."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = torch.nn.Parameter(torch.zeros(()))

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return points + self.shift


def test_the_loss_of_an_epoch_is_the_mean_over_all_elements(windows: Windows) -> None:
    loss = train_epoch(Shifted(), POINTS, Still(), windows, TrainConfig(batch_size=4), 1)  # a last batch of two
    (batch,) = windows.batches(np.arange(6), 6)
    error = POINTS.error(POINTS.given(batch), batch)
    assert loss == pytest.approx(float(error) / (6 * 5 * K * 2), rel=1e-5)
