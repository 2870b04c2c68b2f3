"""`posetrain run` from a file of options."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml
from click.testing import Result

from posedata.configfile import config_keys
from posedata.errors import BadInputError, ChoiceError
from posetrain.cli import cli
from posetrain.commands.run import _left
from posetrain.config import TrainConfig
from posetrain.models import MODELS

Posetrain = Callable[..., Result]
Command = Callable[..., "CompletedProcess[str]"]

PAGE = Path(__file__).parents[3] / "docs" / "training.md"
RUN = cli.commands["run"]


def shown(done: Result) -> dict[str, Any]:
    assert done.exit_code == 0, done.exception
    told: dict[str, Any] = yaml.safe_load(done.stdout)
    return told


def config_in(run: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((run / "run.json").read_text())["config"]
    return config


def told_defaults(option: str) -> dict[str, str]:
    """Model, or the beginning of its name -> what the help of an option tells as its default."""
    (parameter,) = (p for p in RUN.params if p.name == option)
    found, names = {}, []
    for part in re.split("[;,] ", re.search(r"\[default: (.*)\]$", parameter.help).group(1)):  # type: ignore
        name, _, value = part.rpartition(": ")
        names.append(name or part)
        if name or not found:
            found |= dict.fromkeys(names if name else [""], value)
            names = []
    return found


@pytest.mark.parametrize(
    "option", ["average", "batch_size", "epochs", "learning_rate", "optimizer", "schedule", "shuffle", "window"]
)
def test_the_help_tells_every_models_default(option: str) -> None:
    told = told_defaults(option)
    for model, architecture in MODELS.items():
        begins = max((name for name in told if model.startswith(name)), key=len)
        value = architecture.regime.get(option, getattr(TrainConfig(), option))
        assert told[begins] == (value if isinstance(value, str) else f"{value:g}"), model


def test_a_run_from_a_file_is_that_of_the_options(command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(
        f"store: {stores['brace']}\nmodel: smoothnet\nepochs: 1\nmax_windows: 8\nlearning-rate: 2e-3\nseed: 5\nout: a"
    )
    ran = command("posetrain", "run", "--config", "run.yaml", "--seed", 0, "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["store"] == str(stores["brace"])
    wanted = TrainConfig(model="smoothnet", epochs=1, max_windows=8, learning_rate=2e-3)
    assert config_in(tmp_path / "a") == wanted.model_dump()
    assert sorted(path.name for path in (tmp_path / "a").iterdir() if path.suffix) == [
        "curves.csv",
        "run.json",
        "summary.json",
    ]


def test_every_option_is_in_the_configuration_or_a_matter_of_places_and_machines() -> None:
    """A new option belongs to one of them: what a training depends on is stored. Setup and experiment set others."""
    names = {parameter.name for parameter in config_keys(RUN).values()}
    elsewhere = {"store", "setup", "experiment", "device", "feed", "out", "resume"}
    assert names - set(TrainConfig.model_fields) == elsewhere


def test_show_config_prints_everything_and_does_nothing_else(posetrain: Posetrain, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("store: s3://bucket/brace\nexperiment: 2.3\nlearning_rate: 5e-4\ndevice: cpu")
    line = ("run", "--config", path, "--model", "deciwatch", "--show-config")
    told = shown(posetrain(*line))
    assert told == {
        "store": "s3://bucket/brace",
        "model": "deciwatch",
        "setup": None,
        "experiment": "2.3",
        "init": None,
        "frame-step": 2,
        "window": 5,
        "epochs": 50,
        "batch-size": 16,
        "optimizer": "adam",
        "learning-rate": 5e-4,
        "schedule": "plateau",
        "average": 0.0,
        "max-windows": None,
        "sampling-step": 4,
        "stacks": None,
        "width": None,
        "backbone": None,
        "frozen": None,
        "shuffle": "windows",
        "precision": "float32",
        "seed": 0,
        "device": "cpu",
        "feed": "auto",
        "out": None,
        "resume": False,
    }
    assert json.loads(posetrain(*line, "--json").stdout) == told
    assert shown(posetrain("run", "mine", *line[1:]))["store"] == "mine"
    assert not home.exists()


def test_a_backbone_is_known_by_its_whole_path(
    posetrain: Posetrain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "resnet-50").mkdir()
    done = posetrain("run", "clips", "--model", "resnet-lstm", "--backbone", "resnet-50", "--show-config")
    assert str(done.exception).startswith(f"{tmp_path / 'resnet-50'}: expected a folder with a pretrained ResNet-50")


@pytest.fixture
def trained(posetrain: Posetrain, stores: dict[str, Path], home: Path) -> Path:
    """A run of the data home with a window of its own."""
    small = ("--window", 9, "--epochs", 1, "--max-windows", 4, "--batch-size", 4, "--quiet")
    done = posetrain("run", stores["brace"], "--model", "smoothnet", *small, "--out", home / "runs" / "first")
    assert done.exit_code == 0, done.exception
    return home / "runs" / "first"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (("--setup", "3"), {"setup": "3", "frame-step": 2, "learning-rate": 1e-3}),
        (("--init", "first"), {"model": "smoothnet", "window": 9, "learning-rate": 1e-4}),
        (("--init", "first", "--learning-rate", "1e-3"), {"window": 9, "learning-rate": 1e-3}),
        (
            ("--resume", "--out", "first"),
            {"resume": True, "out": "first", "model": None, "epochs": None},
        ),
        (("--resume", "--out", "first", "--epochs", "1"), {"resume": True, "model": None, "epochs": 1}),
    ],
    ids=" ".join,
)
def test_what_is_shown_gives_the_same_again(
    typed: tuple[str, ...], expected: dict[str, Any], posetrain: Posetrain, trained: Path, tmp_path: Path
) -> None:
    once = posetrain("run", *typed, "--show-config")
    assert shown(once).items() >= expected.items()
    (tmp_path / "again.yaml").write_text(once.stdout)
    again = posetrain("run", "--config", tmp_path / "again.yaml", "--show-config")
    assert (again.exit_code, again.stdout) == (0, once.stdout)


def test_what_is_shown_trains_the_same(
    posetrain: Posetrain, stores: dict[str, Path], trained: Path, tmp_path: Path
) -> None:
    typed = ("run", stores["brace"], "--init", trained, "--epochs", 1, "--max-windows", 4, "--quiet")
    (tmp_path / "run.yaml").write_text(posetrain(*typed, "--show-config").stdout)
    for line, out in ((typed, "plain"), (("run", "--config", tmp_path / "run.yaml", "--quiet"), "told")):
        done = posetrain(*line, "--out", tmp_path / out)
        assert done.exit_code == 0, done.exception
    assert config_in(tmp_path / "told") == config_in(tmp_path / "plain")
    assert config_in(tmp_path / "told")["learning_rate"] == 1e-4
    weights = [(tmp_path / out / "checkpoints/0001/weights.safetensors").read_bytes() for out in ("plain", "told")]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("show", [(), ("--show-config",)], ids=["run", "show"])
@pytest.mark.parametrize(
    ("text", "typed", "error", "message"),
    [
        ("learning-rat: 1", (), BadInputError, "FILE: learning-rat: expected one of .*did you mean 'learning-rate'"),
        ("epochs: 0", (), BadInputError, "FILE: epochs: 0 is not in the range"),
        ("epochs: 2.0", (), BadInputError, "FILE: epochs: '2.0' is not a valid integer"),
        ("setup: 4", (), BadInputError, "FILE: setup: '4' is not one of"),
        ("model: conv4d", (), BadInputError, "FILE: model conv4d: expected one of conv3d"),
        ("window: 5000", (), BadInputError, "FILE: window: .*less than or equal to 1000, found 5000"),
        ("learning_rate: -1", (), BadInputError, "FILE: learning-rate: .*greater than 0, found -1.0"),
        ("model: deciwatch\nsampling-step: 3", (), BadInputError, "FILE: sampling-step 3: expected a divisor"),
        ("experiment: 1.9", (), BadInputError, r"FILE: experiment 1\.9: expected one of 1\.1"),
        ("setup: 1\nexperiment: 1.1", (), BadInputError, "FILE: setup, experiment: expected one of the two"),
        ("setup: 1", ("--experiment", "1.1"), ChoiceError, "--setup, --experiment: expected one of the two"),
        ("frame-step: 1\nsetup: 3", (), BadInputError, "FILE: frame-step: expected frame_step 2"),
    ],
)
def test_faults_of_a_file_are_told_with_file_and_key(
    text: str,
    typed: tuple[str, ...],
    error: type[Exception],
    message: str,
    show: tuple[str, ...],
    posetrain: Posetrain,
    home: Path,
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    done = posetrain("run", "--config", path, *typed, *show)
    assert type(done.exception) is error
    assert re.match(message.replace("FILE", re.escape(str(path))), str(done.exception))
    assert done.stdout == ""
    assert not home.exists()


def test_the_example_of_the_page_works(posetrain: Posetrain, tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(# run\.yaml.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "run.yaml").write_text(example)
    told = shown(posetrain("run", "--config", tmp_path / "run.yaml", "--show-config"))
    assert (told["store"], told["model"], told["experiment"]) == ("brace-k2-random", "smoothnet", "2.1")
    assert (told["epochs"], told["learning-rate"], told["device"], told["frame-step"]) == (20, 5e-4, "cpu", 1)


def test_what_a_stopped_training_leaves_is_told_of_its_own_run(tmp_path: Path) -> None:
    run = tmp_path / "my run"
    assert _left(run) == "nothing was left half-made"
    run.mkdir()
    (run / "run.json").touch()
    assert _left(run) == f"finished epochs are kept; posetrain run --resume --out '{run}' goes on"
