"""Models of clips on the loop that all models share."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, NoReturn

import pytest
import torch
from elsewhere import no_processor, trained_and_scored
from torch import nn

from posedata.clips.store import ClipStore
from posedata.errors import BadInputError, ChoiceError
from posetrain import checkpoints, request
from posetrain.config import TrainConfig
from posetrain.history import load_best
from posetrain.models import MODELS
from posetrain.models.resnet_lstm import ResNetLstm
from posetrain.team import Team
from posetrain.trained import open_run
from posetrain.training import train

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
REGIME = dict(MODELS["resnet-lstm"].regime)
Command = Callable[..., "CompletedProcess[str]"]


def config(**fields: object) -> TrainConfig:
    return TrainConfig(**{**REGIME, "model": "resnet-lstm", "epochs": 3, **fields})  # type: ignore[arg-type]


def test_its_regime_is_that_of_the_seed() -> None:
    options = {**TrainConfig().model_dump(), "model": "resnet-lstm"}
    found = request.wanted_config(options, given={"model"}, experiment=None, init=None)
    assert (found.optimizer, found.learning_rate, found.batch_size, found.epochs) == ("adam", 5e-4, 4, 20)
    assert found.schedule == "constant"


@pytest.mark.usefixtures("small")
def test_mpjpe_falls_and_the_lowest_is_the_best(store: ClipStore, tmp_path: Path) -> None:
    lines: list[str] = []
    train(config(epochs=12, learning_rate=3e-2), store, tmp_path, device=CPU, log=lines.append)
    history = checkpoints.load_state(tmp_path, 12)["history"]
    apart = [row["val_mpjpe"] for row in history]
    assert apart[-1] < 0.8 * apart[0]
    assert load_best(tmp_path)[0] == apart.index(min(apart)) + 1
    assert {row["learning_rate"] for row in history} == {3e-2}
    assert "MPJPE" in lines[0]
    assert "clips/s" in lines[0]


@pytest.mark.usefixtures("small")
def test_a_resumed_training_ends_with_the_same_bits(store: ClipStore, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(config(), store, whole, device=CPU)
    train(config(epochs=1), store, cut, device=CPU)
    torch.manual_seed(99)
    train(config(), store, cut, device=CPU, resume=True)
    a, b = (checkpoints.load_weights(run, 3) for run in (whole, cut))
    assert all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def run(store: ClipStore, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole network, its backbone frozen, after one step on one clip."""
    path = tmp_path_factory.mktemp("runs") / "lift"
    train(config(epochs=1, max_windows=1, frozen=True), store, path, device=CPU)
    return path


def test_a_frozen_backbone_stays_and_the_rest_is_trained(run: Path) -> None:
    torch.manual_seed(0)
    fresh = ResNetLstm().state_dict()
    for name, value in checkpoints.load_weights(run, 1).items():
        assert torch.equal(value, fresh[name]) == name.startswith("backbone."), name


def test_the_folder_it_began_with_may_be_gone(run: Path, clip_path: Path, tmp_path: Path) -> None:
    pulled = tmp_path / "pulled"
    shutil.copytree(run, pulled)
    info = checkpoints.read_run(run)
    began = info.model_copy(update={"config": info.config.model_copy(update={"backbone": "/gone/resnet-50"})})
    checkpoints.write_json(pulled / checkpoints.RUN_NAME, began.model_dump())
    found = open_run(pulled, clip_path, CPU).model.state_dict()
    assert all(torch.equal(value, found[name]) for name, value in checkpoints.load_weights(run, 1).items())


def test_it_is_gone_on_with_without_the_folder_it_began_with(store: ClipStore, run: Path, tmp_path: Path) -> None:
    """The weights come from the checkpoint; a folder that is gone is not asked for."""
    cut = Path(shutil.copytree(run, tmp_path / "cut"))
    further = config(epochs=2, max_windows=1, frozen=True, backbone="/gone/resnet-50")
    assert train(further, store, cut, device=CPU, resume=True)["epochs"] == 2
    with pytest.raises(BadInputError, match=r"^/gone/resnet-50: expected a folder with a pretrained ResNet-50"):
        train(further, store, tmp_path / "new", device=CPU)


def test_others_of_a_team_take_the_weights_that_the_first_began_with(
    store: ClipStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Second(Team):
        def told(self, message: Mapping[str, Any] | None) -> Mapping[str, Any]:
            return message or {}

        def lent(self, load: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
            return {name: torch.full_like(value, 0.5) for name, value in load().items()}

    seen: list[torch.Tensor] = []

    def stop(model: nn.Module, *rest: object) -> NoReturn:
        seen.extend(model.parameters())
        raise KeyboardInterrupt

    monkeypatch.setattr("posetrain.training.train_epoch", stop)
    with pytest.raises(KeyboardInterrupt):
        train(config(backbone="/gone/resnet-50"), store, tmp_path / "run", device=CPU, team=Second(rank=1))
    assert seen
    assert all((parameter == 0.5).all() for parameter in seen)


def test_it_is_scored_beside_the_mean_pose(run: Path, clip_path: Path, command: Command) -> None:
    found = {}
    for what in (run, "mean-pose"):
        done = command("posetrain", "eval", what, "--store", clip_path, "--json")
        assert done.returncode == 0, done.stderr
        found[what] = json.loads(done.stdout)
    assert found[run]["model"] == "resnet-lstm"
    assert (found[run]["split"], found[run]["clips"]) == ("validation", 2)
    history = checkpoints.load_state(run, 1)["history"]
    assert found["mean-pose"]["loss"] is None
    assert found["mean-pose"]["mpjpe"] < found[run]["mpjpe"]  # it was shown one clip
    assert history[0]["val_mpjpe"] > 0


def test_the_mean_pose_is_that_of_the_newest_store_that_has_one(
    clip_path: Path, stores: dict[str, Path], command: Command, tmp_path: Path
) -> None:
    """A store of heatmaps is newer still."""
    home = tmp_path / "home" / "stores"  # of `command`
    for name, store in (("clips", clip_path), ("brace", stores["brace"])):
        shutil.copytree(store, home / f"{name}.zarr")
        os.utime(home / f"{name}.zarr" / "manifest.json", (1_000_000_000 + (name == "brace"),) * 2)
    done = command("posetrain", "eval", "mean-pose", "--json", "--split", "validation")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["clips"] == 2


def test_what_works_on_windows_refuses_it_in_one_line(run: Path, command: Command, tmp_path: Path) -> None:
    for words in (["predict", run, "x.csv", "--out", "o.csv"], ["export", run, "--out", "o.safetensors"]):
        done = command("posetrain", *words)
        assert done.returncode in (2, 3)
        assert len(done.stderr.splitlines()) == 1
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["stacks", "window", "feed"])
def test_options_of_others_are_refused(name: str) -> None:
    with pytest.raises(ChoiceError, match=f"--{name}: .* found with resnet-lstm"):
        request.wanted_config({"model": "resnet-lstm"}, given={"model", name}, experiment=None, init=None)


def test_nothing_is_left_on_the_processor(store: ClipStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with no_processor(monkeypatch) as device:
        assert trained_and_scored("resnet-lstm", store, device)["val_loss"] == 0
