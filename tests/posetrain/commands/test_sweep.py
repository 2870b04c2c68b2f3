import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from posedata.errors import BadInputError, ChoiceError
from posetrain import sweep

Posetrain = Callable[..., Result]
SMALL = ("--experiment", "1.1", "--epochs", 1, "--max-windows", 4, "--batch-size", 4)


def test_a_sweep_goes_on_and_ends_with_its_table(posetrain: Posetrain, swept: Path, stores: dict[str, Path]) -> None:
    line = ("sweep", stores["brace"], "--finetune", stores["climbalong"], "--model", "smoothnet", *SMALL)
    done = posetrain(*line)
    assert done.exit_code == 0
    assert [line.split(",")[0] for line in done.stderr.splitlines()] == [
        "1/2 smoothnet-1.1: done before",
        "2/2 smoothnet-1.1-finetuned: done before",
    ]
    table = [line.split() for line in done.stdout.splitlines()]
    assert [line[:2] for line in table] == [
        ["run", "state"],
        ["smoothnet-1.1", "finished"],
        ["smoothnet-1.1-finetuned", "finished"],
    ]
    told = json.loads(posetrain(*line, "--json", "--quiet").stdout)
    assert told["out"] == str(swept)
    assert [row["name"] for row in told["runs"]] == ["smoothnet-1.1", "smoothnet-1.1-finetuned"]


def test_a_failed_run_is_in_the_table_and_fails_the_command(
    posetrain: Posetrain, stores: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise BadInputError("step 1: loss: expected a number, found nan")

    monkeypatch.setattr(sweep, "train", fail)
    done = posetrain("sweep", stores["brace"], "--model", "smoothnet", "--model", "conv3d", *SMALL)
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [
        ["smoothnet-1.1", "failed"],
        ["conv3d-1.1", "failed"],
    ]
    assert isinstance(done.exception, BadInputError)
    assert [fault.count("found nan") for fault in done.exception.faults] == [1, 1]


def test_an_unknown_model_is_refused_with_the_choices(posetrain: Posetrain, stores: dict[str, Path]) -> None:
    done = posetrain("sweep", stores["brace"], "--model", "conv4d", *SMALL)
    assert isinstance(done.exception, ChoiceError)
    assert "convlstm-concat" in str(done.exception)


def test_without_a_store_what_builds_it_is_told(posetrain: Posetrain) -> None:
    done = posetrain("sweep", "--model", "smoothnet", *SMALL)
    assert isinstance(done.exception, BadInputError)
    assert "posedata build" in str(done.exception)
