import json
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from posedata.errors import BadInputError

Posetrain = Callable[..., Result]


def test_runs_of_the_home_are_listed_and_compared(posetrain: Posetrain, swept: Path) -> None:
    done = posetrain("runs")
    assert done.exit_code == 0
    head, *lines = (line.split() for line in done.stdout.splitlines())
    assert head[:3] == ["run", "state", "model"]
    assert head[-2:] == ["learning_rate", "init"]
    assert [(line[0], line[-1]) for line in lines] == [
        ("smoothnet-1.1", "-"),
        ("smoothnet-1.1-finetuned", "smoothnet-1.1"),
    ]
    told = json.loads(posetrain("runs", "sweep", "--json").stdout)
    assert [(run["name"], run["state"], run["epochs"]) for run in told["runs"]] == [
        ("smoothnet-1.1", "finished", 1),
        ("smoothnet-1.1-finetuned", "finished", 1),
    ]


def test_a_damaged_run_is_listed_with_what_is_wrong(posetrain: Posetrain, swept: Path) -> None:
    (swept / "smoothnet-1.1" / "checkpoints" / "0001" / "state.pt").write_bytes(b"")
    done = posetrain("runs")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1].split()[:2] == ["smoothnet-1.1", "damaged"]
    assert "0001/state.pt" in done.stderr


def test_no_runs_are_told(posetrain: Posetrain, home: Path) -> None:
    done = posetrain("runs")
    assert isinstance(done.exception, BadInputError)
    assert str(home / "runs") in str(done.exception)
