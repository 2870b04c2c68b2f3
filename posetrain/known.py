"""Keypoints that a model has not seen in its training: neither shown to it nor taken from it, but handed through."""

from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.errors import BadInputError
from posedata.skeleton import KEYPOINTS
from posetrain.data import Batch, Part
from posetrain.sources import present_peaks
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
        """Those of the task; peaks that are handed through come of its heatmaps, if it asks for these."""
        return self.task.parts

    @property
    def at_once(self) -> int:
        """As the task has it."""
        return self.task.at_once

    def given(self, batch: Batch) -> Tensor:
        """As the task has it, of a batch in which all other keypoints are missing."""
        given = self._peaks(batch)
        # A box that is also around keypoints which the model does not see tells it nothing.
        more = ((~given.isnan()).any(dim=-1) & ~self._known(given)).any(dim=-1)
        shown = _Shown(batch, given, self._known(given))
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
        return found.where(self._known(found)[:, None], self._peaks(batch).to(found))

    def _peaks(self, batch: Batch) -> Tensor:
        """Of heatmaps that are there in any case nothing is decoded twice."""
        return present_peaks(batch.input) if "input" in self.task.parts else batch.input_peaks


def names_of(which: NDArray[np.bool_]) -> tuple[str, ...]:
    """Names of those of the 25 keypoints."""
    return tuple(name for name, one in zip(KEYPOINTS, which, strict=True) if one)


def need_known(where: Path, there: NDArray[np.bool_], seen: NDArray[np.bool_]) -> None:
    """Raise BadInputError if of the (25,) keypoints that are there a model knows none."""
    if not (there & seen).any():
        raise BadInputError(
            f"{where}: expected keypoints that the model was trained on ({', '.join(names_of(seen))}), "
            f"found {', '.join(names_of(there)) or 'none'}; use another run"
        )


class _Shown:
    """What is known of the input of a batch. A `posetrain.sources.Source`."""

    decodes = False

    def __init__(self, batch: Batch, peaks: Tensor, known: Tensor) -> None:
        self._batch, self._peaks, self._known = batch, peaks, known

    def heatmaps(self, frames: NDArray[np.int64]) -> Tensor:
        """(B, T, 25, 56, 56), whatever the frames."""
        return self._batch.input * self._known[:, None, None].to(self._batch.input.device)

    def peaks(self, frames: NDArray[np.int64]) -> Tensor:
        """(B, T, 25, 2), whatever the frames."""
        return self._peaks.where(self._known[:, None], torch.nan)
