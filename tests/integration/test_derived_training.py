"""posetrain takes a derived store like any other."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_derived_store_is_trained_on_scored_and_reported(
    raw_trees: dict[str, Path], stores: dict[str, Path], command: Run, tmp_path: Path
) -> None:
    recipe = Recipe(datasets=(Selection(dataset="penn_action"),), noise=Noise(k=2))
    build_store(recipe, raw_trees, tmp_path / "p.zarr")
    for arguments in (
        ("posedata", "subset", stores["brace"], "--exclude", "synthetic04", "--out", "b.zarr", "-q"),
        ("posedata", "merge", "b.zarr", "p.zarr", "--out", "m.zarr", "-q"),
        ("posetrain", "run", "m.zarr", "--model", "smoothnet", "--epochs", 1, "--max-windows", 8, "--out", "r", "-q"),
        ("posetrain", "report", "r", "--out", "report", "-q"),
    ):
        done = command(*arguments)
        assert done.returncode == 0, done.stderr
    told = json.loads(command("posetrain", "eval", "r", "--json").stdout)
    assert told["keypoints"] > 0
    # The k of the parents differ.
    assert "k = mixed, sigma 1, 1.5, 2, 2.5, 3" in (tmp_path / "report/report.html").read_text()
    done = command("posetrain", "run", "m.zarr", "--experiment", "1.1")
    assert done.returncode == 3
    assert "expected --k 1, found k mixed" in done.stderr
