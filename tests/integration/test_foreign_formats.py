"""A format that another package brings: the one of the guide, installed beside posedata, and ones that are faulty."""

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from test_handball_poses import change, write_clips

from posedata.formats import FORMATS
from posedata.formats.table import GROUP, FormatTable
from posedata.manifest import read_manifest

EXAMPLE = Path(__file__).parents[1] / "example_format"
PROJECT = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
MODULE = (EXAMPLE / "handball_poses.py").read_text()
Run = Callable[..., subprocess.CompletedProcess[str]]


def install(folder: Path, module: str = MODULE, name: str = "", entry: str = "") -> None:
    """What an installer leaves of the example: its module, and what its pyproject.toml says as metadata."""
    name = name or PROJECT["name"]
    ((_, value),) = PROJECT["entry-points"][GROUP].items()
    (entry_name, value) = (entry or "handball", value)
    own = folder / f"{name.replace('-', '_')}-{PROJECT['version']}.dist-info"
    own.mkdir(parents=True)
    (own / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {PROJECT['version']}\n")
    (own / "entry_points.txt").write_text(f"[{GROUP}]\n{entry_name} = {value}\n")
    (folder / "handball_poses.py").write_text(module)


@pytest.fixture
def beside(tmp_path: Path, command: Run) -> Callable[..., Run]:
    """Installs the example beside posedata, changed or not, and gives what runs commands there."""

    def start(**changes: Any) -> Run:
        folder = tmp_path / "site"
        install(folder, **changes)
        return partial(command, PYTHONPATH=os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))

    return start


def fails(done: subprocess.CompletedProcess[str], code: int, message: str) -> None:
    assert done.returncode == code, done.stderr
    assert re.fullmatch(rf"error: .*{message}.*\n", done.stderr), done.stderr


def test_a_store_is_built_of_it(beside: Callable[..., Run], tmp_path: Path) -> None:
    run = beside()
    raw = write_clips(tmp_path / "clips")
    built = run("posedata", "build", "--dataset", "handball", "--raw", raw, "--out", "s.zarr", "--json")
    assert built.returncode == 0, built.stderr
    told = json.loads(built.stdout)
    assert (told["sequences"], told["frames"], told["readers"]) == (6, 120, {"handball": "handball-poses 1.2"})
    assert re.search(
        r"^read by +handball: handball-poses 1\.2$", run("posedata", "info", "s.zarr").stdout, re.MULTILINE
    )
    assert run("posedata", "verify", "s.zarr").returncode == 0
    assert read_manifest(tmp_path / "s.zarr").summary["readers"] == told["readers"]
    assert "handball was read by handball-poses 1.2" in (tmp_path / "s.zarr" / "README.md").read_text()


def test_a_store_needs_the_package_no_more(
    beside: Callable[..., Run], command: Run, stores: dict[str, Path], tmp_path: Path
) -> None:
    raw = write_clips(tmp_path / "clips")
    assert beside()("posedata", "build", "--dataset", "handball", "--raw", raw, "--out", "s.zarr").returncode == 0
    run = command
    assert run("posedata", "verify", "s.zarr").returncode == 0
    merged = run("posedata", "merge", "s.zarr", stores["speed21"], "--out", "both.zarr", "--json")
    assert merged.returncode == 0, merged.stderr
    assert json.loads(merged.stdout)["readers"] == {"handball": "handball-poses 1.2"}
    for dataset, readers in (("speed21", None), ("handball", {"handball": "handball-poses 1.2"})):
        part = run("posedata", "subset", "both.zarr", "--dataset", dataset, "--out", f"{dataset}.zarr", "--json")
        assert json.loads(part.stdout).get("readers") == readers
        assert run("posedata", "verify", f"{dataset}.zarr").returncode == 0
    fails(
        run("posedata", "build", "--dataset", "handball", "--raw", raw, "--out", "n.zarr"),
        2,
        "'handball': expected one",
    )


def test_a_store_needs_no_package_that_can_be_loaded(beside: Callable[..., Run], tmp_path: Path) -> None:
    run = beside()
    raw = write_clips(tmp_path / "clips")
    assert run("posedata", "build", "--dataset", "handball", "--raw", raw, "--out", "s.zarr").returncode == 0
    (tmp_path / "site" / "handball_poses.py").write_text("import nothing_of_that_name")
    pushed = run("posedata", "push", "s.zarr", "team", "--json")
    assert pushed.returncode == 0, pushed.stderr
    described = run("posedata", "manifest", "s.zarr")
    assert described.returncode == 0, described.stderr
    assert [source["address"] for source in json.loads(described.stdout)["sources"]] == [""]


def test_it_is_treated_like_posedatas_own(beside: Callable[..., Run], tmp_path: Path) -> None:
    run = beside()
    raw = write_clips(tmp_path / "clips")
    assert run("posedata", "validate", "handball", raw).returncode == 0
    fails(run("posedata", "build", "--dataset", "handball"), 3, r"get clips\.zip from https://handball\.example")
    fails(run("posedata", "sample", "handball"), 2, "expected one of brace, ")
    change(raw, fps=0)
    fails(run("posedata", "build", "--dataset", "handball", "--raw", raw), 3, r"clip0\.json: fps: expected")
    assert "handball" in run("posedata", "build", "--dataset", "nonsense").stderr


def test_stores_of_posedatas_own_formats_say_nothing_of_readers(stores: dict[str, Path]) -> None:
    for store in stores.values():
        assert b'"readers"' not in (store / "zarr.json").read_bytes()
        assert "readers" not in read_manifest(store).summary
        assert "no part of posedata" not in (store / "README.md").read_text()


FAULTY: dict[str, tuple[dict[str, str], str]] = {
    "no such package": ({"module": "import nonsense\n"}, "found ModuleNotFoundError: No module named 'nonsense'"),
    "no such name": ({"module": "FORM = 1\n"}, "found AttributeError: .*FORMAT"),
    "no Python": ({"module": "FORMAT = = 1\n"}, "found SyntaxError: "),
    "an error": ({"module": "FORMAT = 1 / 0\n"}, "found ZeroDivisionError: "),
    "no format": ({"module": "FORMAT = 'handball'\n"}, "to be a posedata.formats.Format, found str"),
    "another name": ({"module": MODULE.replace('Format("handball"', 'Format("football"')}, "found 'football'"),
}


@pytest.mark.parametrize("fault", FAULTY)
def test_a_broken_format_is_one_error_for_who_asks_for_it(
    fault: str, beside: Callable[..., Run], raw_trees: dict[str, Path], tmp_path: Path
) -> None:
    changes, message = FAULTY[fault]
    run = beside(**changes)
    raw = write_clips(tmp_path / "clips")
    asked = run("posedata", "build", "--dataset", "handball", "--raw", raw, "--out", "s.zarr")
    fails(asked, 2, f"dataset handball: expected handball_poses:FORMAT of handball-poses 1.2 .*{message}")
    assert not (tmp_path / "s.zarr").exists()
    line = ("posedata", "build", "--dataset", "speed21", "--raw", raw_trees["speed21"], "--out", "other.zarr")
    assert run(*line).returncode == 0


def test_a_name_of_posedatas_own_is_refused(
    beside: Callable[..., Run], raw_trees: dict[str, Path], tmp_path: Path
) -> None:
    run = beside(module=MODULE.replace('Format("handball"', 'Format("brace"'), entry="Brace")
    line = ("posedata", "build", "--dataset", "brace", "--raw", raw_trees["brace"])
    fails(
        run(*line), 2, "dataset brace: expected one format of that name, found those of posedata itself and handball-p"
    )
    line = ("posedata", "build", "--dataset", "speed21", "--raw", raw_trees["speed21"], "--out", "other.zarr")
    assert run(*line).returncode == 0
    assert not (tmp_path / "home" / "stores").exists()


def test_a_name_of_two_packages_is_refused(beside: Callable[..., Run], tmp_path: Path) -> None:
    run = beside()
    install(tmp_path / "site", name="more-handball")
    raw = write_clips(tmp_path / "clips")
    done = run("posedata", "build", "--dataset", "handball", "--raw", raw)
    either = "(handball-poses 1.2 and more-handball|more-handball 1.2 and handball-poses) 1.2"
    fails(done, 2, f"dataset handball: expected one format of that name, found those of {either}")


@pytest.mark.parametrize("change", [('dataset="handball"', 'dataset="football"'), ("name=item", 'name="clip"')])
def test_a_reader_that_names_its_sequences_otherwise_is_told(
    change: tuple[str, str], beside: Callable[..., Run], tmp_path: Path
) -> None:
    run = beside(module=MODULE.replace(*change))
    raw = write_clips(tmp_path / "clips")
    done = run("posedata", "build", "--dataset", "handball", "--raw", raw, "--out", "s.zarr")
    fails(
        done,
        3,
        "handball/clip0: expected a sequence of that name from its reader, found (football/clip0|handball/clip)",
    )


def test_help_looks_for_no_package(beside: Callable[..., Run]) -> None:
    run = beside(module="raise SystemExit('loaded')\n")
    assert run("posedata", "build", "--help").returncode == 0
    assert run("posedata", "build", "--dataset", "speed21").returncode == 3


def test_the_table_is_a_mapping_of_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {name: FORMATS[name] for name in ("brace", "speed21")}  # the first time, the project's own table asks, too
    asked = []
    monkeypatch.setattr("posedata.formats.table.entry_points", lambda group: asked.append(group) or [])
    table = FormatTable(known.values())
    assert asked == []
    assert dict(table) == known
    assert (len(table), "climbalong" in table, table.get("climbalong")) == (2, False, None)
    assert asked == [GROUP]
    assert all(entry.package == "" for entry in table.values())
