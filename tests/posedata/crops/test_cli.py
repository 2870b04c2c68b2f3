"""`posedata build --dataset coco`, and all commands on such a store, through the installed command."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from posedata.crops.store import open_crops

Run = Callable[..., subprocess.CompletedProcess[str]]

OTHER_KIND = r"expected a store of kind temporal-heatmaps( for conv3d)?, found image-crops"


@pytest.fixture
def home(tmp_path: Path, photographs: Path) -> Path:
    """A data home with the photographs."""
    shutil.copytree(photographs, tmp_path / "home/raw/coco")
    return tmp_path / "home"


def test_build_info_verify(command: Run, home: Path) -> None:
    built = command("posedata", "build", "--dataset", "coco", "--json", "--workers", 2)
    assert built.returncode == 0, built.stderr
    store = home / "stores/coco-crops.zarr"
    told = json.loads(built.stdout)
    assert told["kind"] == "image-crops"
    assert told["synthetic"]
    info = json.loads(command("posedata", "info", store, "--json").stdout)
    assert info == {key: value for key, value in told.items() if key != "seconds"} | {"store": str(store)}
    table = command("posedata", "info", store).stdout
    assert "image-crops (synthetic)" in table
    assert "rendered; sigma 0.5 visible, 1 occluded" in table
    assert f"{told['frames']} from {told['images']} images" in table
    assert "ok, " in command("posedata", "verify", store).stdout


def test_the_two_sigmas_and_the_seed_are_options(command: Run, home: Path, tmp_path: Path) -> None:
    line = ("--dataset", "coco", "--sigma-visible", 1, "--sigma-occluded", 0.5, "--seed", 3)
    built = command("posedata", "build", *line, "--out", tmp_path / "a.zarr", "-q")
    assert built.returncode == 0, built.stderr
    recipe = open_crops(tmp_path / "a.zarr").recipe
    assert (recipe.sigma_visible, recipe.sigma_occluded, recipe.seed) == (1.0, 0.5, 3)
    shown = command("posedata", "build", *line, "--show-config")
    (tmp_path / "c.yaml").write_text(shown.stdout)
    assert yaml.safe_load(shown.stdout)["k"] is None
    again = command("posedata", "build", "--config", tmp_path / "c.yaml", "--out", tmp_path / "b.zarr", "-q")
    assert again.returncode == 0, again.stderr
    assert open_crops(tmp_path / "b.zarr").manifest == open_crops(tmp_path / "a.zarr").manifest


REFUSED: dict[str, tuple[list[object], str]] = {
    "noise": (["--dataset", "coco", "--k", 2, "--sigma-set", "fixed"], "--k, --sigma-set: expected with temporal heat"),
    "split": (["--dataset", "coco", "--split", "video"], "--split: expected with temporal heatmaps only; coco gives"),
    "cluster": (["--dataset", "coco", "--scheduler", "tcp://h:1"], "--scheduler: expected with temporal heatmaps"),
    "recipe": (["--dataset", "coco", "--recipe", "a.json"], "--recipe: expected with temporal heatmaps only"),
    "others": (["--dataset", "coco", "--dataset", "brace"], "--dataset: expected coco alone"),
    "no sigma": (
        ["--dataset", "coco", "--sigma-visible", 0],
        "--sigma-visible: expected greater",
    ),
    "crops' option": (["--dataset", "brace", "--sigma-occluded", 1], "--sigma-occluded: expected with --dataset coco"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_options_that_mean_nothing_are_refused(name: str, command: Run, home: Path) -> None:
    arguments, expected = REFUSED[name]
    done = command("posedata", "build", *arguments)
    assert done.returncode == 2
    assert expected in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (home / "stores").exists()


def test_no_raw_data_is_told_with_where_it_comes_from(command: Run) -> None:
    done = command("posedata", "build", "--dataset", "coco")
    assert done.returncode == 3
    assert "expected the raw data of coco, found no such folder; get train2017.zip" in done.stderr


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("posedata", ["stats", "STORE"]),
        ("posedata", ["subset", "STORE", "--out", "x.zarr", "--exclude", "a"]),
        ("posedata", ["merge", "STORE", "STORE", "--out", "x.zarr"]),
        ("posetrain", ["run", "STORE"]),
        ("posetrain", ["eval", "identity", "--store", "STORE"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_other_commands_refuse_it_in_one_line(
    program: str, line: list[str], command: Run, crops: Path, tmp_path: Path
) -> None:
    done = command(program, *(str(crops) if word == "STORE" else word for word in line))
    assert done.returncode == 3, done.stderr
    assert re.search(OTHER_KIND, done.stderr)
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("x.*"))


def test_a_store_of_heatmaps_is_none_of_crops(stores: dict[str, Path]) -> None:
    from posedata.errors import BadInputError

    with pytest.raises(BadInputError, match="expected a store of kind image-crops, found temporal-heatmaps"):
        open_crops(stores["brace"])


def test_push_pull_and_manifest(command: Run, crops: Path, photographs: Path, tmp_path: Path) -> None:
    url = (tmp_path / "there").as_uri()
    (tmp_path / "there").mkdir()
    pushed = command("posedata", "push", crops, url)
    assert pushed.returncode == 0, pushed.stderr
    pulled = command("posedata", "pull", f"{url}/coco", "--out", tmp_path / "back.zarr")
    assert pulled.returncode == 0, pulled.stderr
    assert open_crops(tmp_path / "back.zarr").manifest == open_crops(crops).manifest
    manifest = json.loads(command("posedata", "manifest", crops).stdout)
    assert "cocodataset.org" in manifest["sources"][0]["address"]
    (tmp_path / "m.json").write_text(json.dumps(manifest))
    rebuild = (
        "posedata",
        "build",
        "--recipe",
        tmp_path / "m.json",
        "--raw",
        photographs,
        "--out",
        tmp_path / "anew.zarr",
    )
    done = command(*rebuild)
    assert done.returncode == 0, done.stderr
    assert "content digest: as the manifest says" in done.stderr
    assert open_crops(tmp_path / "anew.zarr").manifest.files == open_crops(crops).manifest.files
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
    line = ("posedata", "build", "--dataset", "coco", "-q")
    assert command(*line).returncode == 0
    assert command(*line).returncode == 6
    assert command(*line, "--overwrite", "--seed", 1, "--out", home / "stores/coco-crops.zarr").returncode == 0
    assert open_crops(home / "stores/coco-crops.zarr").recipe.seed == 1


@pytest.mark.real
def test_real_photographs(command: Run, shared: Path, tmp_path: Path) -> None:
    built = command("posedata", "build", "--dataset", "coco", "--raw", shared / "coco", "--out", "a.zarr", "--json")
    assert built.returncode == 0, built.stderr
    told = json.loads(built.stdout)
    assert (told["frames"], told["images"]) == (12, 4)
    assert told["left_out"] == {"people without a labelled keypoint": 2}
    assert (told["visible_keypoints"], told["occluded_keypoints"], told["keypoints_outside"]) == (164, 17, 0)
    assert command("posedata", "verify", "a.zarr").returncode == 0
    store = open_crops(tmp_path / "a.zarr")
    skier = store["annotation_id"].tolist().index(442619)
    # By hand: 1.1 * 346.68 = 381; keypoints from (309, 73) to (466, 362), middle (387.5, 217.5).
    assert store["box"][skier].tolist() == [197, 27, 578, 408]
    nose = store["points"][skier, 0]
    assert nose.tolist() == pytest.approx([(367 - 197) * 64 / 381, (81 - 27) * 64 / 381])
