"""`posedata build --dataset human36m`, and all commands on such a store, through the installed command."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from posedata.clips.store import open_clips
from posedata.errors import BadInputError

Run = Callable[..., subprocess.CompletedProcess[str]]

OTHER_KIND = r"expected a store of kind temporal-heatmaps( for conv3d)?, found video-clips"


@pytest.fixture
def home(tmp_path: Path, films: Path) -> Path:
    """A data home with the clips."""
    shutil.copytree(films, tmp_path / "home/raw/human36m")
    return tmp_path / "home"


def test_build_info_verify(command: Run, home: Path) -> None:
    built = command("posedata", "build", "--dataset", "human36m", "--json", "--workers", 2)
    assert built.returncode == 0, built.stderr
    store = home / "stores/human36m-clips.zarr"
    told = json.loads(built.stdout)
    assert told["kind"] == "video-clips"
    assert told["synthetic"]
    info = json.loads(command("posedata", "info", store, "--json").stdout)
    assert info == {key: value for key, value in told.items() if key != "seconds"} | {"store": str(store)}
    table = command("posedata", "info", store).stdout
    assert "video-clips (synthetic)" in table
    assert "train 6, validation 2" in table
    assert "8 of 8 frames" in table
    assert "up is -y; pelvis at the origin: yes" in table
    assert "ok, " in command("posedata", "verify", store).stdout


def test_what_is_shown_builds_the_same(command: Run, home: Path, tmp_path: Path) -> None:
    shown = command("posedata", "build", "--dataset", "human36m", "--show-config")
    assert shown.returncode == 0, shown.stderr
    assert {key for key, value in yaml.safe_load(shown.stdout).items() if value} == {"dataset"}
    (tmp_path / "c.yaml").write_text(shown.stdout)
    for name, options in (("a", ["--config", tmp_path / "c.yaml"]), ("b", ["--dataset", "human36m"])):
        done = command("posedata", "build", *options, "--out", tmp_path / f"{name}.zarr", "-q")
        assert done.returncode == 0, done.stderr
    assert open_clips(tmp_path / "a.zarr").manifest == open_clips(tmp_path / "b.zarr").manifest


REFUSED: dict[str, tuple[list[object], str]] = {
    "seed": (["--seed", 1], "--seed: expected with temporal heatmaps or --dataset coco only; human36m gives video"),
    "noise": (["--k", 2, "--sigma-set", "fixed"], "--k, --sigma-set: expected with temporal heatmaps only; human36m"),
    "of crops": (["--sigma-visible", 1], "--sigma-visible: expected with --dataset coco only; human36m gives video"),
    "split": (["--split", "video"], "--split: expected with temporal heatmaps only; human36m gives video clips"),
    "cluster": (["--scheduler", "tcp://h:1"], "--scheduler: expected with temporal heatmaps only"),
    "others": (["--dataset", "brace"], "--dataset: expected human36m alone, for it gives video clips"),
    "another family": (["--dataset", "coco"], "--dataset: expected coco alone, for it gives image crops"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_options_that_mean_nothing_are_refused(name: str, command: Run, home: Path) -> None:
    arguments, expected = REFUSED[name]
    done = command("posedata", "build", "--dataset", "human36m", *arguments)
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (home / "stores").exists()


def test_no_raw_data_is_told_with_where_it_comes_from(command: Run) -> None:
    done = command("posedata", "build", "--dataset", "human36m")
    assert done.returncode == 3
    assert "expected the raw data of human36m, found no such folder; Human3.6M is given by its authors" in done.stderr


def test_bad_joints_are_one_line_and_leave_nothing(command: Run, home: Path) -> None:
    path = home / "raw/human36m/joint_3d_clips_valid.npy"
    joints = np.load(path)
    joints[1, 2, 3, 0] = np.nan
    np.save(path, joints)
    done = command("posedata", "build", "--dataset", "human36m", "-q")
    assert done.returncode == 3
    assert "joint_3d_clips_valid.npy: clip 1, frame 2: right_foot: expected finite metres, found (nan, " in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list((home / "stores").iterdir())
    done = command("posedata", "build", "--dataset", "human36m", "--skip-bad")
    assert done.returncode == 0
    assert "left out: human36m/validation: joint_3d_clips_valid.npy: clip 1, frame 2: right_foot" in done.stderr


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("posedata", ["stats", "STORE"]),
        ("posedata", ["calibrate", "STORE"]),
        ("posedata", ["subset", "STORE", "--out", "x.zarr", "--exclude", "a"]),
        ("posedata", ["merge", "STORE", "STORE", "--out", "x.zarr"]),
        ("posetrain", ["run", "STORE"]),
        ("posetrain", ["eval", "identity", "--store", "STORE"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_other_commands_refuse_it_in_one_line(
    program: str, line: list[str], command: Run, clips: Path, tmp_path: Path
) -> None:
    done = command(program, *(str(clips) if word == "STORE" else word for word in line))
    assert done.returncode == 3, done.stderr
    assert re.search(OTHER_KIND, done.stderr)
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("x.*"))


@pytest.mark.parametrize(("name", "places"), [("validate", ["."]), ("fetch", [])])
def test_commands_of_raw_sequences_do_not_know_it(name: str, places: list[str], command: Run) -> None:
    done = command("posedata", name, "human36m", *places)
    assert done.returncode == 2
    assert "'human36m': expected one " in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_store_of_another_kind_is_none_of_clips(stores: dict[str, Path]) -> None:
    with pytest.raises(BadInputError, match="expected a store of kind video-clips, found temporal-heatmaps"):
        open_clips(stores["brace"])


def test_push_pull_and_manifest(command: Run, clips: Path, films: Path, tmp_path: Path) -> None:
    url = (tmp_path / "there").as_uri()
    (tmp_path / "there").mkdir()
    pushed = command("posedata", "push", clips, url)
    assert pushed.returncode == 0, pushed.stderr
    listed = command("posedata", "list", url)
    assert "human36m" in listed.stdout
    pulled = command("posedata", "pull", f"{url}/human36m", "--out", tmp_path / "back.zarr")
    assert pulled.returncode == 0, pulled.stderr
    assert open_clips(tmp_path / "back.zarr").manifest == open_clips(clips).manifest
    assert command("posedata", "info", f"{url}/human36m").returncode == 0
    manifest = json.loads(command("posedata", "manifest", clips).stdout)
    assert "vision.imar.ro" in manifest["sources"][0]["address"]
    assert manifest["sources"][0]["files"] == 4
    (tmp_path / "m.json").write_text(json.dumps(manifest))
    rebuild = ("posedata", "build", "--recipe", tmp_path / "m.json", "--raw", films, "--out", tmp_path / "anew.zarr")
    done = command(*rebuild)
    assert done.returncode == 0, done.stderr
    assert "content digest: as the manifest says" in done.stderr
    assert open_clips(tmp_path / "anew.zarr").manifest.files == open_clips(clips).manifest.files
    assert "--scheduler: expected with temporal heatmaps only" in command(*rebuild, "--scheduler", "tcp://x:1").stderr
    manifest["built"]["content_digest"] = "0" * 64
    (tmp_path / "m.json").write_text(json.dumps(manifest))
    other = command(*rebuild, "--overwrite")
    assert other.returncode == 4
    assert "content digest: differs" in other.stderr
    manifest["recipe"]["colour"] = 1
    (tmp_path / "m.json").write_text(json.dumps(manifest))
    assert "recipe.colour" in command(*rebuild).stderr


def test_overwriting(command: Run, home: Path) -> None:
    line = ("posedata", "build", "--dataset", "human36m", "-q")
    assert command(*line).returncode == 0
    assert command(*line).returncode == 6
    assert command(*line, "--overwrite").returncode == 0
