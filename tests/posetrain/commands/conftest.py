"""The command in this process, with a data home of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from posetrain.cli import cli

Posetrain = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread: None) -> Path:
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def posetrain() -> Posetrain:
    """`posetrain("runs", "--json")`: exceptions are kept in the result."""

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(cli, list(map(str, arguments)))

    return invoke


@pytest.fixture
def swept(posetrain: Posetrain, stores: dict[str, Path], home: Path) -> Path:
    """A sweep of one small training, pretrained and finetuned, in the data home."""
    small = ("--model", "smoothnet", "--experiment", "1.1", "--epochs", 1, "--max-windows", 4, "--batch-size", 4)
    done = posetrain("sweep", stores["brace"], "--finetune", stores["climbalong"], *small, "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stderr == ""
    return home / "runs" / "sweep"
