"""The installed commands `posedata subset` and `merge`, from outside."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_subset_merge_info_verify(stores: dict[str, Path], command: Run, tmp_path: Path) -> None:
    done = command("posedata", "subset", stores["brace"], "--action", "toprock", "--out", "top.zarr")
    assert done.returncode == 0, done.stderr
    assert "brace (toprock)" in done.stdout
    assert "made as     subset of " in done.stdout
    assert "left out: brace/" in done.stderr
    done = command("posedata", "merge", "top.zarr", stores["speed21"], "--out", "m.zarr", "--workers", 2, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert json.loads(command("posedata", "verify", "m.zarr", "--json").stdout)["ok"] is True
    info = json.loads(command("posedata", "info", "m.zarr", "--json").stdout)
    assert info == {key: value for key, value in told.items() if key != "seconds"}
    text = command("posedata", "info", "m.zarr", "-q").stdout
    assert "merge of " in text
    assert "shift std mixed; sigma 1, 1.5, 2, 2.5, 3 a frame" in text
    manifest = json.loads(command("posedata", "manifest", "m.zarr").stdout)
    assert manifest["recipe"] == told["recipe"]
    done = command("posedata", "merge", "m.zarr", stores["penn_action"], "--out", "all.zarr", "-q")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.zarr", "m.zarr", "top.zarr"]


def test_options_repeat_and_names_are_found_in_the_data_home(
    stores: dict[str, Path], command: Run, tmp_path: Path
) -> None:
    shutil.copytree(stores["penn_action"], tmp_path / "home/stores/p.zarr")
    names = ("--sequence", "0003", "--sequence", "penn_action/0001", "--sequence", "0003")
    done = command("posedata", "subset", "p", *names, "--out", "s.zarr", "--json")
    told = json.loads(done.stdout)
    assert told["sequences"] == 2
    assert told["recipe"]["kept"]["sequences"] == ["0003", "penn_action/0001"]


def test_a_video_that_begins_with_a_dash_can_be_excluded(stores: dict[str, Path], command: Run) -> None:
    done = command("posedata", "subset", stores["brace"], "--exclude", "-a_1b2C3d4E", "--out", "s.zarr", "--json")
    assert done.returncode == 0, done.stderr
    left = [s["item"] for s in json.loads(done.stdout)["skipped"] if "--exclude" in s["reason"]]
    assert len(left) == 2
    assert all(item.startswith("brace/-a_1b2C3d4E_") for item in left)


def test_a_dry_run_writes_nothing(stores: dict[str, Path], command: Run, tmp_path: Path) -> None:
    done = command("posedata", "merge", stores["brace"], stores["speed21"], "--out", "m.zarr", "--dry-run", "--json")
    assert json.loads(done.stdout)["sequences"] == 24
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("subset", "brace", "--out", "s.zarr"), 2, "an option that says what to keep"),
        (("subset", "brace", "--action", "toprock"), 2, "'--out'"),
        (("subset", "brace", "--split", "tset", "--out", "s.zarr"), 2, "--split tset: expected one of train"),
        (("subset", "brace", "--exclude", "toprok", "--out", "s.zarr"), 3, "--exclude 'toprok': expected a name"),
        (("subset", "nowhere.zarr", "--exclude", "x", "--out", "s.zarr"), 3, "nowhere.zarr"),
        (("subset", "brace", "--action", "toprock", "--out", "there"), 6, "use --overwrite or another --out"),
        (("merge", "brace", "--out", "s.zarr"), 2, "expected two stores or more, found 1"),
        (("merge", "brace", "brace", "--out", "s.zarr"), 3, "expected in one of the stores"),
        (("merge", "brace", "climbalong", "--out", "s.zarr"), 3, "found a detector's heatmaps"),
    ],
)
def test_faults_end_with_their_codes(
    arguments: tuple[str, ...], code: int, words: str, stores: dict[str, Path], command: Run, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    done = command("posedata", *(stores.get(argument, argument) for argument in arguments))
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize("name", ["subset", "merge"])
def test_the_help_shows_an_example(name: str, command: Run) -> None:
    done = command("posedata", name, "--help")
    assert done.returncode == 0
    assert f"  posedata {name} brace-k1-random" in done.stdout
