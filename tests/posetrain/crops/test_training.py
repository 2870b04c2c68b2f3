"""Detectors on the loop that all models share."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from elsewhere import no_processor, trained_and_scored

from posedata.crops.store import CropStore
from posedata.errors import BadInputError, ChoiceError
from posetrain import checkpoints, request
from posetrain.config import TrainConfig
from posetrain.crops import kind
from posetrain.crops.scores import CropScores
from posetrain.history import load_best
from posetrain.models import MODELS
from posetrain.refining import WINDOWS
from posetrain.training import train

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
REGIME = dict(MODELS["hourglass"].regime)


def config(**fields: object) -> TrainConfig:
    wanted = {**REGIME, "model": "hourglass", "epochs": 3, "max_windows": 6, "batch_size": 4, **fields}
    return TrainConfig(**wanted)  # type: ignore[arg-type]


def test_its_regime_is_that_of_the_seed() -> None:
    options = {**TrainConfig().model_dump(), "model": "hourglass"}
    found = request.wanted_config(options, given={"model"}, experiment=None, init=None)
    assert (found.optimizer, found.learning_rate, found.batch_size) == ("rmsprop", 2.5e-4, 16)
    assert (found.schedule, found.reduce_after, found.reduce_factor) == ("once", 5, 0.2)


def test_the_whole_hourglass_is_trained(crops: CropStore, tmp_path: Path) -> None:
    lines: list[str] = []
    wanted = config(max_windows=2, batch_size=2, epochs=1, precision="bfloat16")
    summary = train(wanted, crops, tmp_path, device=CPU, log=lines.append)
    assert summary["parameters"] == 3_326_993
    assert summary["val_pck"].keys() == {"0.5"}
    assert summary["crops_per_second"] > 0
    assert "PCK@0.5" in lines[0]
    assert "crops/s" in lines[0]


@pytest.mark.usefixtures("small")
def test_a_training_lowers_the_loss(crops: CropStore, tmp_path: Path) -> None:
    train(config(epochs=6, learning_rate=1e-2), crops, tmp_path, device=CPU)
    history = checkpoints.load_state(tmp_path, 6)["history"]
    assert history[-1]["train_loss"] < 0.1 * history[0]["train_loss"]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("stacks", [1, 2])
def test_a_resumed_training_ends_with_the_same_bits(crops: CropStore, tmp_path: Path, stacks: int) -> None:
    wanted = config(stacks=stacks)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(wanted, crops, whole, device=CPU)
    train(wanted.model_copy(update={"epochs": 1}), crops, cut, device=CPU)
    torch.manual_seed(99)
    train(wanted, crops, cut, device=CPU, resume=True)
    a, b = (checkpoints.load_weights(run, 3) for run in (whole, cut))
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any("running_mean" in name for name in a)


@pytest.mark.usefixtures("small")
def test_the_rate_falls_once_by_five_and_nothing_stops(
    crops: CropStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    percents = iter([10.0, 20.0, *[20.0] * 5, 30.0, *[30.0] * 7])
    real = kind.score_crops

    def rigged(*args: object) -> CropScores:
        return replace(real(*args), pck={"0.5": next(percents)})  # type: ignore[arg-type]

    monkeypatch.setattr(kind, "score_crops", rigged)
    summary = train(config(epochs=15, max_windows=1), crops, tmp_path, device=CPU)
    rates = [row["learning_rate"] for row in checkpoints.load_state(tmp_path, 15)["history"]]
    assert rates == [2.5e-4] * 7 + [2.5e-4 * 0.2] * 8  # epochs 3 to 7 are the five; the eighth begins with the new rate
    assert (summary["epochs"], summary["best_epoch"]) == (15, 8)
    assert load_best(tmp_path)[0] == 8


def test_a_store_of_another_kind_is_refused_with_both_names(crops: CropStore, other: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="image-crops for hourglass, found temporal-heatmaps"):
        request.run_request(other, tmp_path / "run", {"model": "hourglass"})
    with pytest.raises(BadInputError, match="temporal-heatmaps for conv3d, found image-crops"):
        request.run_request(crops.path, tmp_path / "run", {})


@pytest.mark.parametrize("name", ["window", "frame_step", "sampling_step", "feed", "setup"])
def test_options_of_windows_are_refused(name: str) -> None:
    with pytest.raises(ChoiceError, match=f"--{name.replace('_', '-')}: .* found with hourglass"):
        request.wanted_config({"model": "hourglass"}, given={"model", name}, experiment=None, init=None)


def test_stacks_are_for_hourglasses() -> None:
    with pytest.raises(ChoiceError, match=r"--stacks: .* found with conv3d"):
        request.wanted_config({"stacks": 2}, given={"stacks"}, experiment=None, init=None)


def test_options_that_mean_nothing_are_not_shown() -> None:
    shown = request.resolved(TrainConfig(model="hourglass"))
    assert {name for name in WINDOWS.options if shown[name] is not None} == set()
    assert shown["stacks"] == 1
    assert request.resolved(TrainConfig())["stacks"] is None


@pytest.mark.parametrize("name", ["hourglass", "hourglass-ae", "hourglass-coded"])
def test_nothing_is_left_on_the_processor(name: str, crops: CropStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with no_processor(monkeypatch) as device:
        assert trained_and_scored(name, crops, device)["val_loss"] == 0
