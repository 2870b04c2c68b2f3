"""What a training asks of a kind of store: to be opened, samples of a split, figures of a validation.

The loop knows no kind by name. Another one is a room that has these, and a line with each of its models.
"""

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from posedata.errors import ChoiceError
from posedata.progress import Progress
from posedata.store.opened import Opened, open_kind
from posetrain.config import TrainConfig
from posetrain.sources import Feed
from posetrain.team import Team


class Batch(Protocol):
    """Some samples."""

    @property
    def first(self) -> NDArray[Any]:
        """(B,) positions in the store where they begin."""


class Samples(Protocol):
    """Samples of a store, as batches in any order.

    Attributes:
        unit: what they are called, like "windows".
        device: where the batches are wanted.
        starts: (W,) positions in the store where they begin.
    """

    unit: str
    device: torch.device
    starts: NDArray[Any]

    def __len__(self) -> int:
        """How many."""

    def batches(self, order: NDArray[Any], size: int, parts: Iterable[Any], team: Team) -> Iterator[Any]:
        """Batches, each a `Batch`.

        Args:
            order: numbers of samples in `starts`.
            size: samples in a batch; the last may be smaller.
            parts: what will be asked of every batch; where it takes time to read, it is read ahead.
            team: of every batch come the samples of this process.
        """


class Lesson(Protocol):
    """What a model is given in training, and how it is judged; batches are those of its kind of store."""

    @property
    def parts(self) -> tuple[Any, ...]:
        """What of a batch it asks for in training and scoring."""

    @property
    def at_once(self) -> int:
        """How many samples are scored in a batch."""

    def given(self, batch: Any) -> Tensor:
        """What a model gets to see of a batch."""

    def varied(self, batch: Any) -> Any:
        """What a training sees in place of a batch."""

    def error(self, prediction: Tensor, batch: Any) -> Tensor:
        """Sum of the loss over all elements; terms of missing keypoints are zero."""

    def elements(self, batch: Any) -> int:
        """By how many elements the sum is divided: missing ones count (seed 000, section 1.2.2)."""


@dataclass(frozen=True)
class Kind:
    """A kind of store, as trainings need it.

    Attributes:
        name: of the kind, as manifests have it.
        reader: what opens as such a store.
        samples: those of a split that a training sees; raises BadInputError if there are none.
        figures: of a validation, by column of the history: "val_loss", and what epochs may be compared by; see
            `posetrain.history.SCORES`. It takes a model, its task, samples, a progress and what to call it.
        options: those of `posetrain run` and `eval` that mean something with this kind alone, by parameter.
        facts: what of a store a model takes to work on other data, like the mean colour that is taken from pixels.
    """

    name: str
    reader: type[Opened]
    samples: Callable[[TrainConfig, Any, str, torch.device, Feed], Samples]
    figures: Callable[[nn.Module, Any, Any, Progress, str], dict[str, float]]
    options: frozenset[str]
    facts: Callable[[Any], dict[str, tuple[float, ...]]] = lambda store: {}

    def open(self, path: Path | str, model: str) -> Any:
        """Open a store for a model, see `posedata.store.opened.open_kind`; BadInputError if it is of another kind."""
        advice = "name another store or another --model"
        return open_kind(self.reader, self.name, path, whose=f" for {model}", advice=advice)

    def refuse(self, given: Set[str], kinds: "Iterable[Kind]", model: str) -> None:
        """Raise ChoiceError if options are given that mean something with other kinds alone.

        Args:
            given: parameters that the user typed.
            kinds: all kinds.
            model: what was asked for, to tell it.
        """
        if foreign := sorted(given & self.foreign(kinds)):
            names = ", ".join(f"--{name.replace('_', '-')}" for name in foreign)
            raise ChoiceError(f"{names}: expected with models of other stores, found with {model}; leave it out")

    def foreign(self, kinds: "Iterable[Kind]") -> frozenset[str]:
        """Options that mean something with others of these kinds alone."""
        return frozenset[str]().union(*(kind.options for kind in kinds)) - self.options
