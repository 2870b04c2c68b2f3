import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from click.testing import Result

from posedata.errors import ConflictError
from posetrain.filters import FILTERS
from posetrain.report import collect

Posetrain = Callable[..., Result]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """One filter over one span, where it does not matter which."""
    monkeypatch.setattr(collect, "FILTERS", {"gaussian": FILTERS["gaussian"]})
    monkeypatch.setattr(collect, "SPANS", ("window",))


@pytest.mark.usefixtures("swept", "few")
def test_a_report_tells_where_it_is_and_what_is_in_it(posetrain: Posetrain, tmp_path: Path) -> None:
    out = tmp_path / "report"
    done = posetrain("report", "sweep", "--out", out)
    assert done.exit_code == 0, done.output
    page, count, *tables = done.stdout.splitlines()
    assert page.split() == ["page", str(out / "report.html")]
    assert count.split()[1:] == ["2", "reported,", "0", "left", "out"]
    assert len(tables) == 3  # test of each store, held out of the second
    assert isinstance(posetrain("report", "sweep", "--out", out).exception, ConflictError)
    told = json.loads(posetrain("report", "sweep", "--out", out, "--overwrite", "--json", "--quiet").stdout)
    assert [line["name"] for line in told["pck"][0]["lines"]] == ["identity", "gaussian, window", "smoothnet-1.1"]
    assert told["joints"][0]["columns"][:2] == ["nose", "ear"]
    assert told["left_out"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [(["report"], 2, "--out"), (["report", "--out", "r"], 3, "no runs"), (["runs"], 3, "no runs")],
)
def test_faults_have_their_code_and_one_clear_line(
    command: Callable[..., "CompletedProcess[str]"], arguments: list[str], code: int, words: str
) -> None:
    failed = command("posetrain", *arguments)
    assert failed.returncode == code
    assert words in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
