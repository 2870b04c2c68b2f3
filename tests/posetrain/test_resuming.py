from collections.abc import Set
from pathlib import Path
from typing import Any

import pytest
import torch

from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.store.reader import Store
from posetrain.config import TrainConfig
from posetrain.experiments import EXPERIMENTS
from posetrain.request import run_request
from posetrain.resuming import resume_request
from posetrain.training import train

CPU = torch.device("cpu")
GIVEN = {"store", "out", "resume", "device", "epochs", "max_windows", "batch_size"}


@pytest.fixture
def options() -> dict[str, Any]:
    """What `posetrain run --epochs 1 --max-windows 4 --batch-size 4` comes to, in a job's one command."""
    return TrainConfig(epochs=1, max_windows=4, batch_size=4).model_dump()


@pytest.fixture
def begun(noisy: Store, options: dict[str, Any], tmp_path: Path) -> Path:
    """A run that the command has begun."""
    train(run_request(noisy.path, tmp_path / "job", options, given=GIVEN).config, noisy, tmp_path / "job", device=CPU)
    return tmp_path / "job"


def test_a_run_goes_on_as_it_was_configured(begun: Path, options: dict[str, Any]) -> None:
    assert resume_request(None, begun, TrainConfig().model_dump()).config == TrainConfig(**options)


def test_a_run_is_not_resumed_on_another_store(begun: Path, detected: Store) -> None:
    with pytest.raises(BadInputError, match="content digest"):
        resume_request(detected.path, begun, {})


def test_a_whole_command_begins_a_run_and_goes_on_with_it(
    noisy: Store, options: dict[str, Any], tmp_path: Path
) -> None:
    for _ in range(2):
        wanted = resume_request(noisy.path, tmp_path / "job", options, given=GIVEN)
        assert (wanted.config, wanted.run) == (TrainConfig(**options), tmp_path / "job")
        train(wanted.config, wanted.store, wanted.run, device=CPU, resume=True)


def test_what_is_not_a_whole_command_begins_nothing(noisy: Store, options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="expected a run there"):
        resume_request(None, tmp_path / "job", options, given=GIVEN)
    with pytest.raises(BadInputError, match="expected an unfinished run"):
        resume_request(noisy.path, None, options, given=GIVEN)


def test_nothing_is_begun_where_something_else_is(noisy: Store, options: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    with pytest.raises(ConflictError, match="expected no such run"):
        resume_request(noisy.path, tmp_path, options, given=GIVEN)


@pytest.mark.parametrize(
    ("changed", "given", "message"),
    [
        ({"epochs": 2}, GIVEN, r"^epochs: expected epochs 1 as .*job was begun with, found another; leave that out"),
        ({"seed": 1, "model": "smoothnet"}, {"seed", "model"}, r"^model, seed: expected model conv3d, seed 0 as"),
        ({"window": 5000}, {"window"}, r"window: .*less than or equal to 1000, found 5000"),
    ],
)
def test_other_choices_than_those_of_the_run_are_refused(
    begun: Path, options: dict[str, Any], changed: dict[str, Any], given: Set[str], message: str
) -> None:
    with pytest.raises(ChoiceError, match=message):
        resume_request(None, begun, options | changed, given=given)
    assert resume_request(None, begun, options | changed).config.epochs == 1  # defaults are no choices


def test_an_experiment_has_to_be_that_of_the_run(begun: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ChoiceError, match="frame_step: expected frame_step 1"):
        resume_request(None, begun, options, experiment=EXPERIMENTS["1.3"])
    with pytest.raises(BadInputError, match="--k 2"):
        resume_request(None, begun, options, experiment=EXPERIMENTS["2.1"])
    assert resume_request(None, begun, options, experiment=EXPERIMENTS["1.1"]).run == begun


def test_a_finetuning_goes_on_with_its_own_beginning_alone(
    begun: Path, noisy: Store, options: dict[str, Any], tmp_path: Path
) -> None:
    for _ in range(2):
        wanted = resume_request(noisy.path, tmp_path / "tuned", options, given=GIVEN, init=begun)
        assert wanted.config.init == str(begun)
        train(wanted.config, wanted.store, wanted.run, device=CPU, resume=True)
    other_way = begun.parent / "tuned" / ".." / "job"
    assert resume_request(None, tmp_path / "tuned", options, given=GIVEN, init=other_way).config.init == str(begun)
    with pytest.raises(ChoiceError, match=r"init: expected init .*job"):
        resume_request(noisy.path, tmp_path / "tuned", options, given=GIVEN, init=tmp_path / "tuned")
