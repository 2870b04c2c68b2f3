import pytest

from posetrain.history import Score, best_epoch, plain_of, score_of, speed_of, told_of


@pytest.mark.parametrize("column", ["val_pck@0.2", "val_pck@0.5"])
def test_the_best_epoch_is_the_first_with_the_highest_pck(column: str) -> None:
    assert best_epoch([{column: p} for p in (10.0, 30.0, 30.0, 20.0)]) == 2


def test_without_any_pck_the_best_epoch_is_that_of_the_lowest_loss() -> None:
    assert best_epoch([{"val_loss": loss} for loss in (3.0, 1.0, 2.0)]) == 2


def test_a_score_may_be_the_better_the_lower_it_is() -> None:
    error = Score("val_mpjpe", "MPJPE", "mm", rises=False)
    rows = [{"val_loss": 9.0 - mm, "val_mpjpe": mm} for mm in (90.0, 70.5, 70.5, 80.0)]
    assert best_epoch(rows) == 2
    assert score_of(rows[0]) == error
    assert told_of(rows[1]) == "MPJPE 70.5 mm"
    assert plain_of({**rows[1], "val_pck@0.5": 1.0, "seconds": 1.0}) == rows[1]


def test_an_epoch_is_told_by_its_pck_or_its_loss() -> None:
    assert told_of({"val_loss": 1.0, "val_pck@0.1": 10.0, "val_pck@0.2": 20.04}) == "PCK @0.1/0.2 10.0/20.0 %"
    assert told_of({"val_loss": 0.00012}) == "loss 0.00012"


def test_the_speed_tells_what_the_samples_are() -> None:
    assert speed_of({"epoch": 1, "crops_per_second": 2.5}) == ("crops", 2.5)
    assert speed_of({}) == ("windows", None)
