import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.locks import locked
from posedata.store.reader import Store
from posetrain import checkpoints, training
from posetrain.config import TrainConfig
from posetrain.training import Plateau, best_epoch, pick_device, train

CPU = torch.device("cpu")


def weights(run: Path, epoch: int) -> dict[str, torch.Tensor]:
    return checkpoints.load_weights(run, epoch)


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_a_training_lowers_the_loss_and_keeps_its_figures(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    lines: list[str] = []
    summary = train(quick, noisy, tmp_path, device=CPU, log=lines.append)
    history = checkpoints.load_state(tmp_path, 3)["history"]
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert len(lines) == len(history) == summary["epochs"] == 3
    best = history[summary["best_epoch"] - 1]
    assert best["val_pck@0.2"] == max(row["val_pck@0.2"] for row in history) == summary["val_pck"]["0.2"]
    assert summary["parameters"] == 78_150
    curves = (tmp_path / "curves.csv").read_text().splitlines()
    assert curves[0].startswith("epoch,train_loss,val_loss,val_pck@0.05,val_pck@0.1,val_pck@0.2,learning_rate")
    assert len(curves) == 4


def test_training_is_the_same_every_time_and_by_every_feed(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    for name, feed in (("a", "auto"), ("b", "auto"), ("c", "store")):
        train(quick, noisy, tmp_path / name, device=CPU, feed=feed)
    assert same(weights(tmp_path / "a", 3), weights(tmp_path / "b", 3))
    assert same(weights(tmp_path / "a", 3), weights(tmp_path / "c", 3))


def test_a_resumed_training_ends_with_the_same_bits(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(quick, noisy, whole, device=CPU)
    train(quick.model_copy(update={"epochs": 1}), noisy, cut, device=CPU)
    torch.manual_seed(99)
    train(quick, noisy, cut, device=CPU, resume=True)
    assert same(weights(whole, 3), weights(cut, 3))
    assert [row["val_loss"] for row in checkpoints.load_state(whole, 3)["history"]] == [
        row["val_loss"] for row in checkpoints.load_state(cut, 3)["history"]
    ]


def test_the_gradient_is_that_of_the_masked_mean(noisy: Store, tmp_path: Path) -> None:
    """One step from known weights moves them as Adam moves them along the gradient of the masked mean."""
    config = TrainConfig(epochs=1, max_windows=2, batch_size=2, learning_rate=1e-3)
    train(config, noisy, tmp_path, device=CPU)
    model = training.make_model(config)
    windows = training._windows(config, noisy, "train", CPU, "auto")
    (batch,) = windows.batches(np.asarray([0, 1]), 2)
    mask = batch.annotated[..., None, None].expand_as(batch.target)
    target = torch.where(mask, batch.target, model(batch.input).detach())
    torch.nn.functional.mse_loss(model(batch.input), target).backward()
    after = weights(tmp_path, 1)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        clear = parameter.grad.abs() > 1e-4
        moved = after[name] - parameter.detach()
        torch.testing.assert_close(moved[clear], -1e-3 * parameter.grad[clear].sign(), rtol=0.01, atol=1e-6)


def test_the_rate_falls_on_the_fifth_epoch_without_a_lower_loss_and_training_stops_on_the_tenth(
    noisy: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([5.0, 4.0, *[4.0] * 20])
    real = training.evaluate

    def fixed(*args: object) -> object:
        return replace(real(*args), loss=next(losses))  # type: ignore[arg-type]

    monkeypatch.setattr(training, "evaluate", fixed)
    config = TrainConfig(epochs=50, max_windows=1, batch_size=1)
    summary = train(config, noisy, tmp_path, device=CPU)
    history = checkpoints.load_state(tmp_path, 12)["history"]
    assert summary["epochs"] == 12  # the second is the lowest; ten more do not beat it
    rates = [row["learning_rate"] for row in history]
    assert rates[:7] == [1e-3] * 7  # epochs 3 to 7 are the five without a lower loss
    assert rates[7:] == pytest.approx([1e-4] * 5)


def test_only_a_strictly_lower_loss_is_better() -> None:
    plateau = Plateau()
    waited = []
    for loss in (3.0, 3.0, 2.9999999, math.nan, 2.5):
        plateau.update(loss)
        waited.append(plateau.waited)
    assert waited == [0, 1, 0, 1, 0]


def test_the_best_epoch_is_the_first_with_the_highest_pck() -> None:
    assert best_epoch([{"val_pck@0.2": p} for p in (10.0, 30.0, 30.0, 20.0)]) == 2


def test_a_loss_that_is_no_number_stops_with_the_step_and_windows(
    noisy: Store, quick: TrainConfig, tmp_path: Path
) -> None:
    hot = quick.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(BadInputError, match=r"epoch 1, step \d+: loss: .* start at frames \["):
        train(hot, noisy, tmp_path, device=CPU)


def test_only_the_last_two_and_the_best_checkpoints_are_kept(noisy: Store, tmp_path: Path) -> None:
    config = TrainConfig(epochs=5, max_windows=4, batch_size=4)
    summary = train(config, noisy, tmp_path, device=CPU)
    assert checkpoints.saved_epochs(tmp_path) == sorted({summary["best_epoch"], 4, 5})


def test_a_split_without_windows_is_told(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="expected train windows of 900 frames"):
        train(quick.model_copy(update={"window": 900}), noisy, tmp_path / "run", device=CPU)
    assert not (tmp_path / "run").exists()


def test_without_any_pck_the_best_epoch_is_that_of_the_lowest_loss() -> None:
    assert best_epoch([{"val_loss": loss} for loss in (3.0, 1.0, 2.0)]) == 2


def test_two_processes_do_not_train_one_run(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    with locked(tmp_path, tmp_path), pytest.raises(ConflictError, match="another process"):
        train(quick, noisy, tmp_path, device=CPU)


@pytest.mark.parametrize("name", ["nonsense", "meta"])
def test_an_absent_device_is_told(name: str) -> None:
    with pytest.raises(ChoiceError, match="--device"):
        pick_device(name)


def test_the_processor_is_always_there() -> None:
    assert pick_device("cpu") == CPU
