"""The installed command `posedata calibrate`, from outside."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from posedata.commands.calibrate import _rows
from posedata.store.reader import open_store

Run = Callable[..., subprocess.CompletedProcess[str]]


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_store_and_the_raw_tree_that_it_was_built_from_are_alike(
    command: Run, stores: dict[str, Path], raw_trees: dict[str, Path]
) -> None:
    store = told(command("posedata", "calibrate", stores["climbalong"], "--json"))
    raw = told(command("posedata", "calibrate", raw_trees["climbalong"], "--json"))
    assert store.pop("content_digest") == open_store(stores["climbalong"]).manifest.content_digest
    assert raw.pop("content_digest") is None
    assert (store.pop("source"), raw.pop("source")) == (str(stores["climbalong"]), str(raw_trees["climbalong"]))
    assert store == raw
    assert store["synthetic"] is True
    assert (store["noise_file"], store["plot"]) == (None, None)
    assert list(store["per_joint"])[:3] == ["nose", "ear", "shoulder"]


def test_a_noise_file_and_a_picture_are_made_and_the_file_builds(
    command: Run, stores: dict[str, Path], raw_trees: dict[str, Path], tmp_path: Path
) -> None:
    made = ("--out", "noise.json", "--plot", "noise.svg", "--quiet")
    done = command("posedata", "calibrate", stores["climbalong"], *made)
    assert (done.returncode, done.stderr) == (0, "")
    rows = dict(line.split(None, 1) for line in done.stdout.splitlines())
    content = json.loads((tmp_path / "noise.json").read_text())
    noise, measured = content["noise"], content["measured"]
    assert rows["k"] == f"{noise['k']:g}: shift std {measured['shift_std']:.4f} grid px"
    assert (measured["source"], measured["k"]) == ("climbalong.zarr", noise["k"])
    assert (tmp_path / "noise.svg").read_text().startswith("<?xml")
    build = ("posedata", "build", "--dataset", "penn_action", "--raw", raw_trees["penn_action"], "--json")
    by_file = told(command(*build, "--noise", "noise.json", "--out", "a.zarr"))
    options = ("--k", noise["k"], "--sigma-set", ",".join(map(str, noise["sigmas"])), "--sigma-per", noise["sigma_per"])
    by_options = told(command(*build, *options, "--out", "b.zarr"))
    assert by_file["recipe"] == by_options["recipe"]
    assert by_file["content_digest"] == by_options["content_digest"]


def test_the_same_calibration_makes_the_same_bytes(command: Run, stores: dict[str, Path], tmp_path: Path) -> None:
    for name in ("a", "b"):
        told(command("posedata", "calibrate", stores["climbalong"], "--plot", f"{name}/p.svg", "--json"))
    assert (tmp_path / "a" / "p.svg").read_bytes() == (tmp_path / "b" / "p.svg").read_bytes()
    told(command("posedata", "calibrate", stores["climbalong"], "--plot", "p.png", "--json"))
    with Image.open(tmp_path / "p.png") as picture:
        assert picture.size == (1300, 400)
    told(command("posedata", "calibrate", stores["climbalong"], "--plot", "p.png", "--overwrite", "--json"))


def test_a_split_is_a_part_of_the_frames(command: Run, stores: dict[str, Path]) -> None:
    split = open_store(stores["climbalong"])["split"]
    found = told(command("posedata", "calibrate", stores["climbalong"], "--split", "train", "--json"))
    assert found["frames"] == int((split == 0).sum()) < len(split)
    assert found["split"] == "train"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["nowhere"], 3, "nowhere: expected a store there or in"),
        (["STORE", "--plot", "p.pdf"], 2, "p.pdf: expected a name that ends in .png, .svg, found .pdf"),
        (["STORE", "--out", "there.json"], 6, "there.json: expected no such file, found one; use --overwrite"),
        (["STORE", "--plot", "there.png"], 6, "there.png: expected no such file"),
        (["STORE", "--out", "STORE/n.json"], 2, "n.json: expected a file outside of"),
        (["STORE", "--split", "validated"], 2, "'held_out'"),
        (["OFFICIAL", "--split", "held_out"], 3, "split: expected frames of held_out, found none"),
        (["RAW", "--split", "train"], 2, "a raw tree, which has no splits"),
        (["BAD"], 3, "climb_02.npz"),
    ],
    ids=lambda value: "",
)
def test_mistakes_are_told_in_a_line(
    options: list[str],
    code: int,
    words: str,
    command: Run,
    stores: dict[str, Path],
    raw_trees: dict[str, Path],
    tmp_path: Path,
) -> None:
    for name in ("there.json", "there.png"):
        (tmp_path / name).write_text("mine")
    places = {"STORE": stores["climbalong"], "RAW": raw_trees["climbalong"], "OFFICIAL": stores["brace"]}
    places["BAD"] = Path(shutil.copytree(raw_trees["climbalong"], tmp_path / "bad"))
    (places["BAD"] / "target" / "climb_02.npz").write_bytes(b"PK\x03\x04 cut")
    arguments = [str(places.get(o, o)).replace("STORE", str(places["STORE"])) for o in options]
    done = command("posedata", "calibrate", *arguments, "--quiet")
    assert done.returncode == code
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "there.json", "there.png"]
    assert (tmp_path / "there.json").read_text() == "mine"


def test_without_matplotlib_only_the_picture_is_missing(command: Run, stores: dict[str, Path], tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "matplotlib.py").write_text("raise ModuleNotFoundError('no', name='matplotlib')")
    path = os.pathsep.join([str(hidden), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = command("posedata", "calibrate", stores["climbalong"], "--plot", "p.png", PYTHONPATH=path)
    assert done.returncode == 2
    assert done.stderr == "error: matplotlib: expected the package, found it missing; pip install 'posedata[report]'\n"
    assert [p.name for p in tmp_path.iterdir()] == ["hidden"]
    assert command("posedata", "calibrate", stores["climbalong"], "--out", "n.json", PYTHONPATH=path).returncode == 0


@pytest.mark.parametrize(
    ("rate", "shown"), [(None, "too few keypoints with a partner to tell"), (0.031, "3.10 % of those with a partner")]
)
def test_a_rate_of_swaps_that_is_not_known_is_told_so(
    rate: float | None, shown: str, command: Run, stores: dict[str, Path]
) -> None:
    report = json.loads(command("posedata", "calibrate", stores["climbalong"], "--json").stdout)
    assert dict(_rows(report | {"swap_rate": rate}))["swaps"] == shown
