"""How good models are that look at pixels: the best epoch of a run, or the mean pose, which does not look."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from posedata.home import find_store
from posedata.progress import Progress
from posetrain.history import Score
from posetrain.kinds import Kind, Samples
from posetrain.trained import MEAN_POSE, open_run


class Scores(Protocol):
    """How good something is on some samples."""

    @property
    def counted(self) -> str:
        """How many samples were scored, in words."""

    @property
    def parts(self) -> Mapping[str, float]:
        """The score of "all", and of parts like joints; empty of what is judged by its loss alone."""

    @property
    def errors(self) -> NDArray[np.float64]:
        """(W,) how wrong each sample is, NaN where nothing counts; (0,) of what is judged by its loss alone."""

    @property
    def loss(self) -> float | None:
        """Mean of the task's loss; None for what has none."""

    def as_dict(self) -> dict[str, object]:
        """For JSON."""


@dataclass(frozen=True)
class Judge:
    """How models of a kind of store are scored.

    Attributes:
        kind: of the store.
        measure: what the score is.
        splits: those that are for scores, the one to be scored on first.
        samples: all of a split, from a store; raises BadInputError if there are none, ChoiceError if there is no such
            split.
        score: of a model, its task, samples and a progress.
        score_mean_pose: of samples of a store; pixels are not read. Raises BadInputError if nothing trains.
    """

    kind: Kind
    measure: Score
    splits: tuple[str, ...]
    samples: Callable[[Any, str, torch.device], Samples]
    score: Callable[..., Scores]
    score_mean_pose: Callable[[Any, Any], Scores]


@dataclass(frozen=True, eq=False)
class Scored:
    """What was scored, on what.

    Attributes:
        model: name of the model or the baseline.
        store: where the samples are from.
        epoch: of the weights; None for a baseline.
        scores: how good it is.
    """

    model: str
    store: Any
    epoch: int | None
    scores: Any


def score_what(
    judge: Judge, what: str, store: Path | str | None, split: str, device: torch.device, progress: Progress
) -> Scored:
    """Score the mean pose, or the best epoch of a run on its own store or another.

    Raises:
        BadInputError: if there is no such run or store, no epoch is finished, or the split is empty.
        ChoiceError: if there is no such split.
        IntegrityError: if files are damaged.
    """
    if what == MEAN_POSE:
        opened = judge.kind.open(find_store(store, judge.kind.name), MEAN_POSE)
        scores = judge.score_mean_pose(opened, judge.samples(opened, split, device))
        return Scored(MEAN_POSE, opened, None, scores)
    run = open_run(Path(what), store, device)
    samples = judge.samples(run.store, split, device)
    return Scored(run.name, run.store, run.epoch, judge.score(run.model, run.task, samples, progress))
