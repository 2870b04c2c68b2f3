"""Keypoints that a model has not seen in its training: neither shown to it nor taken from it, but handed through."""

from copy import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.skeleton import KEYPOINTS
from posetrain.data import Batch, Part
from posetrain.tasks import Task


@dataclass(frozen=True, eq=False)
class Known:
    """The task of a model that knows some keypoints alone. A `posetrain.tasks.Task`.

    Attributes:
        task: of the model.
        seen: (25,) bool, the keypoints that were annotated where it was trained.
    """

    task: Task
    seen: NDArray[np.bool_]

    @property
    def parts(self) -> tuple[Part, ...]:
        """Those of the task, and the peaks that are handed through."""
        return (*self.task.parts, *({"input_peaks"} - set(self.task.parts)))

    def given(self, batch: Batch) -> Tensor:
        """As the task has it, of a batch in which all other keypoints are missing."""
        shown = _Shown(batch, self._known(batch.input_peaks))
        # A box that is also around keypoints which the model does not see tells it nothing.
        more = (~batch.input_peaks.isnan()).any(dim=-1)[..., ~self.seen].any(dim=-1)
        return self.task.given(batch.showing(shown, batch.tight & ~more.to(batch.tight.device)))

    def varied(self, batch: Batch) -> Batch:
        """As the task has it."""
        made: Batch = self.task.varied(batch)
        return made

    def positions(self, prediction: Tensor, batch: Batch) -> Tensor:
        """As the task has them; of all other keypoints those of the input."""
        return self._through(self.task.positions(prediction, batch), batch)

    def places(self, prediction: Tensor, batch: Batch) -> Tensor:
        """Likewise."""
        return self._through(self.task.places(prediction, batch), batch)

    def error(self, prediction: Tensor, batch: Batch) -> Tensor:
        """As the task has it, of what the model knows."""
        part = copy(batch)
        part.annotated = batch.annotated & self._known(batch.annotated)
        return self.task.error(prediction, part)

    def elements(self, batch: Batch) -> int:
        """As the task has them."""
        return self.task.elements(batch)

    def _known(self, like: Tensor) -> Tensor:
        return torch.from_numpy(self.seen).to(like.device)

    def _through(self, found: Tensor, batch: Batch) -> Tensor:
        return found.where(self._known(found)[:, None], batch.input_peaks.to(found))


def names_of(which: NDArray[np.bool_]) -> tuple[str, ...]:
    """Names of those of the 25 keypoints."""
    return tuple(name for name, one in zip(KEYPOINTS, which, strict=True) if one)


class _Shown:
    """What is known of the input of a batch. A `posetrain.sources.Source`."""

    decodes = False

    def __init__(self, batch: Batch, known: Tensor) -> None:
        self._batch, self._known = batch, known

    def heatmaps(self, frames: NDArray[np.int64]) -> Tensor:
        """(B, T, 25, 56, 56), whatever the frames."""
        return self._batch.input * self._known[:, None, None].to(self._batch.input.device)

    def peaks(self, frames: NDArray[np.int64]) -> Tensor:
        """(B, T, 25, 2), whatever the frames."""
        return self._batch.input_peaks.where(self._known[:, None], torch.nan)
