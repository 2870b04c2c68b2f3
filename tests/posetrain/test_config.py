import pytest
from pydantic import ValidationError

from posetrain.config import TrainConfig


def test_defaults_are_the_published_regime() -> None:
    config = TrainConfig()
    assert (config.window, config.frame_step, config.batch_size, config.epochs) == (5, 1, 16, 50)
    assert (config.learning_rate, config.reduce_factor, config.reduce_after, config.stop_after) == (1e-3, 0.1, 5, 10)


@pytest.mark.parametrize(
    "field", [{"batch_size": 0}, {"learning_rate": float("nan")}, {"learning_rate": -1}, {"epochs": 0}, {"typo": 1}]
)
def test_nonsense_is_refused(field: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainConfig(**field)
