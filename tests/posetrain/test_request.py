from pathlib import Path

import pytest
import torch

from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.store.reader import Store
from posetrain import checkpoints, request
from posetrain.config import TrainConfig
from posetrain.evaluation import identity
from posetrain.experiments import EXPERIMENTS
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


def test_a_run_is_not_resumed_on_another_store(
    noisy: Store, detected: Store, quick: TrainConfig, tmp_path: Path
) -> None:
    train(quick.model_copy(update={"epochs": 1}), noisy, tmp_path, device=CPU)
    assert request.resume_request(None, tmp_path).config.epochs == 1
    with pytest.raises(BadInputError, match="content digest"):
        request.resume_request(detected.path, tmp_path)


def test_the_best_epoch_of_a_run_is_scored(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    summary = train(quick, noisy, tmp_path, device=CPU)
    subject = request.eval_subject(str(tmp_path), None, None, None, CPU)
    assert (subject.model, subject.epoch, subject.window) == ("conv3d", summary["best_epoch"], 5)
    assert subject.store.path == noisy.path


def test_a_run_without_an_epoch_is_told(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    hot = quick.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(BadInputError, match="loss"):
        train(hot, noisy, tmp_path, device=CPU)
    with pytest.raises(BadInputError, match="finished epoch"):
        request.eval_subject(str(tmp_path), None, None, None, CPU)


def test_identity_and_empty_splits(noisy: Store) -> None:
    subject = request.eval_subject("identity", noisy.path, None, 2, CPU)
    assert (subject.refine, subject.window, subject.frame_step, subject.epoch) == (identity, 5, 2, None)
    with pytest.raises(BadInputError, match="held_out"):
        request.eval_windows(subject, "held_out", CPU, "auto")
    with pytest.raises(ChoiceError, match="validation"):
        request.eval_windows(subject, "valid", CPU, "auto")


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
    with pytest.raises(BadInputError, match="--k 2"):
        request.run_request(noisy.path, tmp_path / "run", options, experiment=EXPERIMENTS["2.1"])


def test_a_run_is_not_scored_on_another_store_of_the_same_name(
    noisy: Store, detected: Store, quick: TrainConfig, tmp_path: Path
) -> None:
    train(quick.model_copy(update={"epochs": 1}), noisy, tmp_path / "run", device=CPU)
    path = tmp_path / "run" / "run.json"
    path.write_text(path.read_text().replace(str(noisy.path), str(detected.path)))
    with pytest.raises(BadInputError, match="content digest"):
        request.eval_subject(str(tmp_path / "run"), None, None, None, CPU)
    chosen = request.eval_subject(str(tmp_path / "run"), detected.path, None, None, CPU)
    assert chosen.store.path == detected.path


def test_resume_takes_no_other_choices(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match="epochs, model"):
        request.resume_request(None, tmp_path, {"epochs", "model", "out", "device"})


def test_a_run_has_its_own_window(noisy: Store, quick: TrainConfig, tmp_path: Path) -> None:
    train(quick.model_copy(update={"epochs": 1}), noisy, tmp_path, device=CPU)
    with pytest.raises(ChoiceError, match="--window"):
        request.eval_subject(str(tmp_path), None, 7, None, CPU)
