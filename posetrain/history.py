"""What a run has learnt so far: a row of figures for every finished epoch, and which epoch is the best."""

from pathlib import Path
from typing import TYPE_CHECKING

from posedata.errors import BadInputError
from posetrain import checkpoints

if TYPE_CHECKING:
    from torch import Tensor

SCORE = "val_pck@0.2"
"""Column of the history whose highest value marks the best epoch."""


def load_best(run: Path) -> "tuple[int, dict[str, Tensor]]":
    """The best epoch of a run, and its weights on the CPU.

    Raises:
        BadInputError: if no epoch of the run is finished.
    """
    history = load_history(run)
    if not history:
        raise BadInputError(f"{run}: expected a finished epoch, found none; train it with posetrain run --resume")
    epoch = best_epoch(history)
    return epoch, checkpoints.load_weights(run, epoch)


def load_history(run: Path) -> list[dict[str, float]]:
    """A row of figures for every finished epoch of a run, as in its curves.csv."""
    epochs = checkpoints.saved_epochs(run)
    history: list[dict[str, float]] = checkpoints.load_state(run, epochs[-1])["history"] if epochs else []
    return history


def best_epoch(history: list[dict[str, float]]) -> int:
    """The epoch with the highest validation PCK@0.2, the first on a tie; without any PCK, with the lowest loss."""
    if SCORE not in history[0]:
        return min(range(len(history)), key=lambda i: history[i]["val_loss"]) + 1
    return max(range(len(history)), key=lambda i: history[i][SCORE]) + 1
