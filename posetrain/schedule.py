"""What the end of an epoch changes: whether the learning rate falls, and whether a training stops.

A cosine falls with every step instead, see `posetrain.optimizer`.
"""

import math
from dataclasses import dataclass

from posetrain.config import TrainConfig
from posetrain.history import Row, score_of


@dataclass
class Plateau:
    """Watches the validation; only what is strictly better counts (seed 000, section 1.2.2).

    torch's own scheduler acts an epoch later and wants a better loss by a margin.
    """

    lowest: float = math.inf
    waited: int = 0

    def update(self, cost: float) -> None:
        """Take note of an epoch's loss, or of what else is to become low."""
        if cost < self.lowest:
            self.lowest, self.waited = cost, 0
        else:
            self.waited += 1


def watched(config: TrainConfig, row: Row) -> float:
    """What of an epoch a plateau is told: its score where the rate falls once, else its loss."""
    return score_of(row).cost(row) if config.schedule == "once" else row["val_loss"]


def falls(config: TrainConfig, plateau: Plateau, epoch: int, fallen: bool) -> bool:
    """Whether the learning rate falls after an epoch.

    Args:
        config: the regime.
        plateau: told of the epoch.
        epoch: from 1.
        fallen: whether the rate has fallen before.
    """
    if config.schedule == "steps":
        return epoch % config.reduce_after == 0
    waits = config.schedule == "plateau" or (config.schedule == "once" and not fallen)
    return waits and plateau.waited == config.reduce_after


def stops(config: TrainConfig, plateau: Plateau) -> bool:
    """Whether a training ends before its last epoch."""
    return config.schedule == "plateau" and plateau.waited >= config.stop_after
