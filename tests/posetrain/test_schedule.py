import math

import pytest

from posetrain.config import Schedule, TrainConfig
from posetrain.schedule import Plateau, falls, stops, watched


def test_only_a_strictly_lower_loss_is_better() -> None:
    plateau = Plateau()
    waited = []
    for loss in (3.0, 3.0, 2.9999999, math.nan, 2.5):
        plateau.update(loss)
        waited.append(plateau.waited)
    assert waited == [0, 1, 0, 1, 0]


def fallen_after(schedule: Schedule, scores: list[float]) -> list[int]:
    """Epochs after which the rate falls, of a training whose PCK goes like that while its loss never falls."""
    config = TrainConfig(schedule=schedule, reduce_after=2, stop_after=4)
    plateau, found = Plateau(), list[int]()
    for epoch, score in enumerate(scores, start=1):
        plateau.update(watched(config, {"val_loss": 1.0, "val_pck@0.5": score}))
        if falls(config, plateau, epoch, bool(found)):
            found.append(epoch)
    return found


@pytest.mark.parametrize(
    ("schedule", "epochs"),
    [
        ("plateau", [3]),  # the loss has not fallen since the first; it is told once
        ("once", [5]),  # 30 is the best until then; after the second rest at 40 nothing falls
        ("steps", [2, 4, 6, 8]),
        ("cosine", []),
    ],
)
def test_when_the_rate_falls(schedule: Schedule, epochs: list[int]) -> None:
    assert fallen_after(schedule, [10.0, 20.0, 30.0, 30.0, 29.0, 40.0, 40.0, 40.0]) == epochs


@pytest.mark.parametrize(("schedule", "stopped"), [("plateau", True), ("once", False), ("steps", False)])
def test_only_a_plateau_of_the_loss_ends_a_training(schedule: Schedule, stopped: bool) -> None:
    assert stops(TrainConfig(schedule=schedule, stop_after=4), Plateau(1.0, waited=4)) is stopped
