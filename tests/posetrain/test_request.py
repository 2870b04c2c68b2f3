from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import torch

from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.progress import Advance
from posedata.store.reader import Store
from posetrain import checkpoints, request
from posetrain.config import TrainConfig
from posetrain.experiments import EXPERIMENTS
from posetrain.resuming import resume_request
from posetrain.training import train

CPU = torch.device("cpu")


def test_options_are_checked(noisy: Store, tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match="learning_rate"):
        request.run_request(noisy.path, tmp_path / "run", {"learning_rate": -1.0})
    with pytest.raises(ChoiceError, match="expected one of conv3d"):
        request.run_request(noisy.path, tmp_path / "run", {"model": "x"})


def test_a_run_that_is_there_is_not_overwritten(noisy: Store, tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    with pytest.raises(ConflictError, match="--resume"):
        request.run_request(noisy.path, tmp_path, {})


def test_a_link_to_nothing_is_no_place_for_a_run_but_one_to_an_empty_folder_is(noisy: Store, tmp_path: Path) -> None:
    link = tmp_path / "run"
    link.symlink_to(tmp_path / "disk")
    with pytest.raises(ConflictError, match="expected no such run, found something"):
        request.run_request(noisy.path, link, {})
    (tmp_path / "disk").mkdir()
    assert request.run_request(noisy.path, link, {}).run == link


def test_a_finetuning_takes_over_the_model_and_begins_with_its_best_weights(
    noisy: Store, detected: Store, quick: TrainConfig, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    epoch = int(train(quick, noisy, first, device=CPU)["best_epoch"])
    options = TrainConfig(max_windows=4, batch_size=4, epochs=1).model_dump()
    wanted = request.run_request(detected.path, tmp_path / "second", options, init=first)
    assert (wanted.config.init, wanted.config.model, wanted.config.learning_rate) == (str(first), "conv3d", 1e-4)
    typed = request.run_request(detected.path, tmp_path / "second", options, given={"learning_rate"}, init=first)
    assert typed.config.learning_rate == 1e-3
    still = wanted.config.model_copy(update={"learning_rate": 1e-30})
    train(still, detected, wanted.run, device=CPU)
    before, after = (checkpoints.load_weights(run, number) for run, number in ((first, epoch), (wanted.run, 1)))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_copy_for_few_frames_begins_with_what_was_fitted(noisy: Store, tmp_path: Path) -> None:
    runs = [tmp_path / name for name in ("mixer", "fitted", "few", "again")]
    fields = {"epochs": 1, "max_windows": 4, "batch_size": 4}
    train(TrainConfig(model="mixer", window=9, frame_step=2, **fields), noisy, runs[0], device=CPU)  # type: ignore[arg-type]
    for model, init, run in zip(("mixer-fitted", "mixer-few", "mixer-few"), runs, runs[1:], strict=False):
        options = {**TrainConfig().model_dump(), **fields, "model": model}
        wanted = request.run_request(noisy.path, run, options, given={"model", *fields}, init=init)
        # The window of the run, but where it is by its regime for others; 9 frames are none of few.
        assert (wanted.config.window, wanted.config.frame_step) == (9 if model == "mixer-fitted" else 5, 2)
        train(wanted.config, noisy, run, device=CPU)
    mixer, fitted, few, again = (checkpoints.load_weights(run, 1) for run in runs)
    assert all(torch.equal(fitted[name], value) for name, value in mixer.items())
    assert fitted.keys() > mixer.keys()
    for weights in (few, again):
        assert all(torch.equal(weights[name], value) for name, value in fitted.items())
        assert weights.keys() == fitted.keys() | {f"few.{name}" for name in fitted}
    for name, value in fitted.items():
        torch.testing.assert_close(few[f"few.{name}"], value, rtol=0, atol=0.01)
    for weights, before in ((few, fitted), (again, {name: few[f"few.{name}"] for name in fitted})):
        assert not torch.equal(weights["few.blocks.1.layers.1.weight"], before["blocks.1.layers.1.weight"])
        assert not torch.equal(weights["few.side.1.bias"], before["side.1.bias"])


def test_a_copy_for_few_frames_takes_no_run_that_was_not_fitted(noisy: Store, tmp_path: Path) -> None:
    options = {**TrainConfig().model_dump(), "model": "mixer-few"}
    with pytest.raises(ChoiceError, match="--model mixer-few: expected --init with a run of mixer-fitted"):
        request.run_request(noisy.path, tmp_path / "run", options, given={"model"})
    train(TrainConfig(model="smoothnet", epochs=1, max_windows=4, batch_size=4), noisy, tmp_path / "other", device=CPU)
    words = r"--init .*other: expected a run of mixer-fitted with --model mixer-few, found one of smoothnet"
    with pytest.raises(ChoiceError, match=words):
        request.run_request(noisy.path, tmp_path / "run", options, given={"model"}, init=tmp_path / "other")
    with pytest.raises(ChoiceError, match="--window 9: expected at most 8 with mixer-few"):
        request.run_request(noisy.path, tmp_path / "run", {**options, "window": 9}, given={"model", "window"})


def cut_in_the_first_epoch(config: TrainConfig, store: Store, run: Path) -> None:
    """What a kill before the first checkpoint leaves."""

    def stop(*what: object) -> AbstractContextManager[Advance]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, store, run, device=CPU, progress=stop)
    assert not checkpoints.saved_epochs(run)


@pytest.mark.parametrize("whole", [True, False])  # paths were stored as they were typed
def test_a_finetuning_that_was_cut_at_once_begins_with_the_same_run_again(
    noisy: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    config = TrainConfig(model="smoothnet", epochs=1, max_windows=4, batch_size=4)
    train(config, noisy, tmp_path / "first", device=CPU)
    monkeypatch.chdir(tmp_path)
    options = {**config.model_dump(), "learning_rate": 1e-30}
    second = tmp_path / "second"
    wanted = request.run_request(noisy.path, second, options, given={"learning_rate"}, init=Path("first")).config
    assert wanted.init == str(tmp_path / "first")
    cut_in_the_first_epoch(wanted if whole else wanted.model_copy(update={"init": "first"}), noisy, second)
    if whole:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        train(config.model_copy(update={"seed": 1}), noisy, Path("first"), device=CPU)  # another of that name
    again = resume_request(None, second, {})
    train(again.config, again.store, again.run, device=CPU, resume=True)
    before, after = (checkpoints.load_weights(run, 1) for run in (tmp_path / "first", second))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_options_that_contradict_the_run_or_the_experiment_are_refused(
    noisy: Store, quick: TrainConfig, tmp_path: Path
) -> None:
    first = tmp_path / "first"
    train(quick.model_copy(update={"epochs": 1}), noisy, first, device=CPU)
    options = TrainConfig(model="smoothnet", frame_step=1).model_dump()
    with pytest.raises(ChoiceError, match="model: expected model conv3d"):
        request.run_request(noisy.path, tmp_path / "run", options, given={"model"}, init=first)
    half = EXPERIMENTS["1.3"]
    with pytest.raises(ChoiceError, match="frame_step 2"):
        request.run_request(noisy.path, tmp_path / "run", options, given={"frame_step"}, experiment=half)
    assert request.run_request(noisy.path, tmp_path / "run", options, experiment=half).config.frame_step == 2
    with pytest.raises(ChoiceError, match=r"--init .*first: frame_step: expected 2 as .*, found 1; name a run"):
        request.run_request(noisy.path, tmp_path / "run", options, experiment=half, init=first)
    same = request.run_request(noisy.path, tmp_path / "run", options, experiment=EXPERIMENTS["1.1"], init=first)
    assert same.config.frame_step == 1
    with pytest.raises(BadInputError, match="--k 2"):
        request.run_request(noisy.path, tmp_path / "run", options, experiment=EXPERIMENTS["2.1"])


def test_a_model_may_have_a_regime_of_its_own(noisy: Store, tmp_path: Path) -> None:
    usual = TrainConfig().model_dump()
    options = {**usual, "model": "mixer", "epochs": 3}
    config = request.wanted_config(options, given={"model", "epochs"}, experiment=None, init=None)
    assert (config.epochs, config.optimizer, config.schedule) == (3, "muon", "cosine")
    assert config.window > 5
    typed = request.wanted_config(options, given={"model", "window"}, experiment=None, init=None)
    assert (typed.window, typed.optimizer) == (5, "muon")
    plain = request.wanted_config(usual, given=set(), experiment=None, init=None)
    assert plain == TrainConfig()


def test_a_finetuned_mixer_keeps_its_rate_low(noisy: Store, tmp_path: Path) -> None:
    config = TrainConfig(model="mixer", epochs=1, max_windows=4, batch_size=4, frame_step=2)
    train(config, noisy, tmp_path, device=CPU)
    options = TrainConfig().model_dump()
    tuned = request.wanted_config(options, given=set(), experiment=None, init=tmp_path)
    assert (tuned.learning_rate, tuned.window, tuned.frame_step, tuned.schedule) == (1e-4, 5, 2, "cosine")
