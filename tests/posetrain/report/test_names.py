from pathlib import Path

from posetrain.config import TrainConfig
from posetrain.report.names import names, steps


def test_a_name_is_as_much_of_the_path_as_it_takes(tmp_path: Path) -> None:
    runs = [tmp_path / where for where in ("a/x", "b/x", "y", "mean-pose")]
    assert names(runs, ("mean-pose",)) == ["a/x", "b/x", "y", f"{tmp_path.name}/mean-pose"]


def test_the_last_step_of_an_epoch_may_be_smaller() -> None:
    assert steps(TrainConfig(batch_size=4), 9, 2) == "2 x 3 steps of 4"
    assert steps(TrainConfig(batch_size=1), 4321, 1) == "1 x 4,321 steps of 1"
