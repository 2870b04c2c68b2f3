"""What a run has learnt so far: a row of figures for every finished epoch, and which epoch is the best."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from posedata.errors import BadInputError
from posetrain import checkpoints

if TYPE_CHECKING:
    from torch import Tensor

Row = Mapping[str, float]

_SPEED = "_per_second"


@dataclass(frozen=True)
class Score:
    """A figure of the history by which epochs are compared.

    Attributes:
        column: where it stands.
        title: what it is called.
        unit: of it.
        rises: whether more is better.
    """

    column: str
    title: str
    unit: str
    rises: bool

    def cost(self, row: Row) -> float:
        """What is the lower, the better an epoch is."""
        return -row[self.column] if self.rises else row[self.column]


PCK_OF_TORSO = Score("val_pck@0.2", "PCK@0.2", "%", rises=True)
PCK_OF_GRID = Score("val_pck@0.5", "PCK@0.5", "%", rises=True)
MPJPE = Score("val_mpjpe", "MPJPE", "mm", rises=False)

SCORES = (PCK_OF_TORSO, PCK_OF_GRID, MPJPE)
"""A run has one of them: of refiners, of detectors, of 3-D joints; where it has none, the loss compares its epochs."""

LOSS = Score("val_loss", "loss", "", rises=False)


def score_of(row: Row) -> Score:
    """By what the epochs of a run are compared, of which this is a row."""
    return next((score for score in SCORES if score.column in row), LOSS)


def pck_of(row: Row) -> dict[str, float]:
    """Threshold -> percent of the validation PCK in a row."""
    return {key.removeprefix("val_pck@"): value for key, value in row.items() if key.startswith("val_pck@")}


def plain_of(row: Row) -> dict[str, float]:
    """The validation figures of a row that have no threshold, like the loss."""
    return {key: value for key, value in row.items() if key.startswith("val_") and "@" not in key}


def told_of(row: Row) -> str:
    """The score of an epoch in words: PCK at all its thresholds, another score, or the loss."""
    score, pck = score_of(row), pck_of(row)
    if pck:
        return f"PCK @{'/'.join(pck)} {'/'.join(f'{percent:.1f}' for percent in pck.values())} %"
    return f"{score.title} {row[score.column]:.5g} {score.unit}".rstrip()


def speed_of(row: Row) -> tuple[str, float | None]:
    """What a run's samples are called, and how many a second went through in that epoch; None = not known."""
    return next(((key.removesuffix(_SPEED), row[key]) for key in row if key.endswith(_SPEED)), ("windows", None))


def load_best(run: Path) -> "tuple[int, dict[str, Tensor]]":
    """The best epoch of a run, and its weights on the CPU.

    Raises:
        BadInputError: if no epoch of the run is finished.
    """
    need_epoch(run)
    epoch = best_epoch(load_history(run))
    return epoch, checkpoints.load_weights(run, epoch)


def need_epoch(run: Path) -> None:
    """Raise BadInputError if no epoch of a run is finished."""
    if not checkpoints.saved_epochs(run):
        raise BadInputError(
            f"{run}: expected a finished epoch, found none; train it with posetrain run --resume --out {run}"
        )


def load_history(run: Path) -> list[dict[str, float]]:
    """A row of figures for every finished epoch of a run, as in its curves.csv."""
    epochs = checkpoints.saved_epochs(run)
    history: list[dict[str, float]] = checkpoints.load_state(run, epochs[-1])["history"] if epochs else []
    return history


def best_epoch(history: list[dict[str, float]]) -> int:
    """The epoch with the best score, the first on a tie: see `SCORES`."""
    score = score_of(history[0])
    return min(range(len(history)), key=lambda i: score.cost(history[i])) + 1
