from pathlib import Path

import pytest

from posedata.errors import BadInputError
from posetrain.find import find_runs


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path))
    return tmp_path


def make(*runs: Path) -> list[Path]:
    for run in runs:
        run.mkdir(parents=True)
        (run / "run.json").write_text("{}")
    return list(runs)


def test_a_run_is_found_by_its_path_or_its_name(home: Path) -> None:
    (run,) = make(home / "runs" / "a")
    assert find_runs([run]) == find_runs([Path("a")]) == [run]


def test_a_folder_stands_for_the_runs_in_it(home: Path) -> None:
    elsewhere = make(home / "elsewhere" / "x", home / "elsewhere" / "y")
    (home / "elsewhere" / "notes").mkdir()
    assert find_runs([home / "elsewhere"]) == elsewhere


def test_a_sweep_is_found_by_its_name(home: Path) -> None:
    runs = make(home / "runs" / "sweep" / "a", home / "runs" / "sweep" / "b")
    make(home / "runs" / "c")
    assert find_runs([Path("sweep")]) == runs


def test_a_run_of_a_sweep_is_found_by_its_name(home: Path) -> None:
    a, _ = make(home / "runs" / "sweep" / "a", home / "runs" / "sweep" / "b")
    assert find_runs([Path("sweep/a")]) == [a]


def test_a_path_goes_before_a_name(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(home / "runs" / "sweep" / "a", home / "here" / "sweep" / "b")
    monkeypatch.chdir(home / "here")
    assert find_runs([Path("sweep")]) == [Path("sweep/b")]


def test_none_given_means_all_of_the_home_and_of_its_sweeps(home: Path) -> None:
    runs = make(home / "runs" / "a", home / "runs" / "b", home / "runs" / "sweep" / "a")
    assert find_runs([]) == runs


def test_a_run_is_never_expanded(home: Path) -> None:
    run, _ = make(home / "runs" / "a", home / "runs" / "a" / "backup")
    assert find_runs([Path("a")]) == find_runs([run]) == [run]


def test_a_run_that_is_named_twice_is_found_once_in_the_order_given(home: Path) -> None:
    a, b = make(home / "runs" / "sweep" / "a", home / "runs" / "sweep" / "b")
    assert find_runs([Path("sweep/b"), Path("sweep"), b]) == [b, a]


@pytest.mark.parametrize("given", [[], [Path("sweep")], [Path("a"), Path("nowhere")], [Path("empty")]])
def test_nothing_found_is_told_with_what_there_is(home: Path, given: list[Path]) -> None:
    if given:
        make(home / "runs" / "a")
    (home / "runs" / "empty").mkdir(parents=True)
    with pytest.raises(BadInputError, match=r"expected a run there or in .*\((a|no runs)\), found none"):
        find_runs(given)


def test_a_path_that_is_a_run_is_that_run_and_found_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = make(home / "runs" / "a", home / "runs" / "b")
    monkeypatch.chdir(run)
    assert find_runs([Path()]) == [Path()]
    assert find_runs([Path(), run, Path("../a")]) == [Path()]
