from posetrain.history import best_epoch


def test_the_best_epoch_is_the_first_with_the_highest_pck() -> None:
    assert best_epoch([{"val_pck@0.2": p} for p in (10.0, 30.0, 30.0, 20.0)]) == 2


def test_without_any_pck_the_best_epoch_is_that_of_the_lowest_loss() -> None:
    assert best_epoch([{"val_loss": loss} for loss in (3.0, 1.0, 2.0)]) == 2
