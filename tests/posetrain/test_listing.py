import json
from pathlib import Path

import pytest
import torch

from posetrain import checkpoints
from posetrain.checkpoints import RunInfo, StoreReference
from posetrain.config import TrainConfig
from posetrain.listing import comparison, run_state


def history(*percents: float) -> list[dict[str, float]]:
    return [
        {"epoch": i, "val_loss": 1 / i, "val_pck@0.1": p / 2, "val_pck@0.2": p, "windows_per_second": 10.0 * i}
        for i, p in enumerate(percents, start=1)
    ]


def make(run: Path, *percents: float, finished: bool = True, store: str = "x/brace.zarr", **config: object) -> Path:
    """A run with epochs of these PCK@0.2, as if it had been trained."""
    info = RunInfo(config=TrainConfig(**config), store=StoreReference(path=store, content_digest="0"))  # type: ignore[arg-type]
    checkpoints.write_json(run / checkpoints.RUN_NAME, info.model_dump())
    if percents:
        checkpoints.save_checkpoint(run, len(percents), {"w": torch.ones(1)}, {"history": history(*percents)})
    if finished:
        checkpoints.write_json(run / checkpoints.SUMMARY_NAME, {})
    return run


def test_a_run_is_finished_once_it_has_its_summary(tmp_path: Path) -> None:
    assert run_state(make(tmp_path / "a", 30.0)).state == "finished"
    assert run_state(make(tmp_path / "b", 30.0, finished=False)).state == "unfinished"


def test_a_run_without_an_epoch_is_unfinished(tmp_path: Path) -> None:
    state = run_state(make(tmp_path, finished=False))
    assert (state.state, state.problem, state.history) == ("unfinished", None, [])


@pytest.mark.parametrize(
    ("name", "known"),
    [("run.json", False), ("checkpoints/0001/state.pt", True), ("checkpoints/0001/sha256.json", True)],
)
def test_a_damaged_run_is_told_with_what_is_damaged(tmp_path: Path, name: str, known: bool) -> None:
    run = make(tmp_path, 30.0)
    (run / name).write_text("not what it was")
    state = run_state(run)
    assert (state.state, state.info is not None, state.history) == ("damaged", known, [])
    assert state.problem is not None
    assert ("run.json" if name == "run.json" else "0001/state.pt") in state.problem


def test_a_folder_that_is_no_run_is_damaged(tmp_path: Path) -> None:
    assert run_state(tmp_path).state == "damaged"


def test_figures_are_those_of_the_best_epoch(tmp_path: Path) -> None:
    found = run_state(make(tmp_path, 30.0, 50.0, 40.0)).as_dict()
    figures = {name: found[name] for name in ("epochs", "best_epoch", "val_loss", "val_pck", "windows_per_second")}
    assert figures == {
        "epochs": 3,
        "best_epoch": 2,
        "val_loss": 0.5,
        "val_pck": {"0.1": 25.0, "0.2": 50.0},
        "windows_per_second": 20.0,
    }


def test_every_state_fits_into_json(tmp_path: Path) -> None:
    runs = [make(tmp_path / "a", 30.0, init="x/y"), make(tmp_path / "b", finished=False), make(tmp_path / "c", 1.0)]
    (runs[2] / "run.json").write_text("{")
    found = [run_state(run).as_dict() for run in runs]
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [entry["state"] for entry in found] == ["finished", "unfinished", "damaged"]
    assert found[0]["config"]["init"] == "x/y"
    assert "config" not in found[2]


def test_runs_are_compared_by_exactly_the_settings_that_differ(tmp_path: Path) -> None:
    runs = [
        make(tmp_path / "first", 30.0, 50.0, epochs=9, seed=1),
        make(tmp_path / "second", 20.0, seed=1, model="smoothnet", learning_rate=1e-4, init="runs/first"),
    ]
    head, first, second = comparison([run_state(run) for run in runs])
    assert head[:3] == ("run", "state", "model")
    assert head[8:] == ("learning_rate", "init")
    assert first == (
        "first",
        "finished",
        "conv3d",
        "brace",
        "2/9",
        "2",
        "PCK @0.1/0.2 25.0/50.0 %",
        "20.0 windows/s",
        "0.001",
        "-",
    )
    assert second == (
        "second",
        "finished",
        "smoothnet",
        "brace",
        "1/50",
        "1",
        "PCK @0.1/0.2 10.0/20.0 %",
        "10.0 windows/s",
        "0.0001",
        "first",
    )


def test_equal_runs_have_no_settings_to_compare(tmp_path: Path) -> None:
    states = [run_state(make(tmp_path / name, 30.0)) for name in "ab"]
    assert {len(row) for row in comparison(states)} == {8}


def test_a_damaged_run_has_a_row_with_what_is_known(tmp_path: Path) -> None:
    runs = [make(tmp_path / "sound", 30.0), make(tmp_path / "torn", 30.0, seed=5), make(tmp_path / "lost", 30.0)]
    (runs[1] / "checkpoints" / "0001" / "state.pt").write_bytes(b"")
    (runs[2] / "run.json").write_text("{")
    head, _, torn, lost = comparison([run_state(run) for run in runs])
    assert head[8:] == ("seed",)
    assert torn == ("torn", "damaged", "conv3d", "brace", "0/50", "", "", "", "5")
    assert lost == ("lost", "damaged", *[""] * 6, "-")
