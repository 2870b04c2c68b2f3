"""Dataset manifests: what is published, and whether a rebuilt store is that."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from posedata.config import Recipe
from posedata.dataset import Dataset, buildable, compare_rebuilt, describe, need_built, parse_dataset
from posedata.errors import BadInputError, ChoiceError
from posedata.manifest import MANIFEST_NAME, read_manifest
from posedata.store.opened import open_any

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def dataset(stores: dict[str, Path]) -> Dataset:
    return describe(open_any(stores["brace"]), "people")


def test_it_says_what_a_store_is(stores: dict[str, Path], dataset: Dataset) -> None:
    manifest = read_manifest(stores["brace"])
    built = need_built(dataset, "")
    assert dataset.recipe == manifest.summary["recipe"]
    assert built.content_digest == manifest.content_digest
    assert built.bytes == sum(path.stat().st_size for path in stores["brace"].rglob("*") if path.is_file())
    assert built.manifest_size == (stores["brace"] / MANIFEST_NAME).stat().st_size
    (source,) = dataset.sources
    assert source.sample == "posedata sample brace --sequences 12 --frames 40 --seed 0"
    assert "non-commercial" in source.licence
    lines = (stores["brace"] / "sources.csv").read_text().splitlines()[1:]
    assert source.files == len(lines)


def test_a_secret_of_the_environment_gets_into_no_location(
    stores: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_TOKEN", "open-sesame")
    made = describe(open_any(stores["brace"]), "people", locations=("https://example.org/open-sesame/poses",))
    assert made.locations == ("https://example.org/***/poses",)


def test_it_survives_its_file(dataset: Dataset) -> None:
    assert parse_dataset(dataset.to_json(), "x.json") == dataset


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "../x"}, ["x.json", "name", "../x"]),
        ({"dataset_version": 9}, ["x.json", "dataset_version", "9"]),
        ({"colour": 1}, ["x.json", "colour"]),
        ({"sources": [{"dataset": "brace"}]}, ["sources.0.licence", "sources.0.address"]),
    ],
)
def test_every_fault_is_told(dataset: Dataset, change: dict[str, object], words: list[str]) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_dataset(json.dumps(json.loads(dataset.to_json()) | change).encode(), "x.json")
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("size", [-1, (1 << 30) + 1, (1 << 63) - 1, 1 << 70])
def test_no_manifest_of_a_store_is_larger_than_memory(dataset: Dataset, size: int) -> None:
    """Whoever fetches it reads as many bytes at once."""
    content = json.loads(dataset.to_json())
    content["built"]["manifest_size"] = size
    with pytest.raises(BadInputError, match=r"built\.manifest_size: .*1073741824|built\.manifest_size: .* 0"):
        parse_dataset(json.dumps(content).encode(), "x.json")


def test_what_is_no_json_is_told() -> None:
    with pytest.raises(BadInputError, match=r"x\.json: expected a dataset manifest"):
        parse_dataset(b"<html>Please log in</html>", "x.json")


def test_its_recipe_is_the_one_that_built_it(dataset: Dataset) -> None:
    recipe = buildable(dataset, "x.json", Recipe)
    assert recipe.model_dump(mode="json") == dataset.recipe


@pytest.mark.parametrize(
    ("recipe", "word"), [({"parents": []}, "other stores"), ({"datasets": []}, r"recipe\.datasets")]
)
def test_what_cannot_be_built_is_refused(dataset: Dataset, recipe: dict[str, object], word: str) -> None:
    with pytest.raises(BadInputError, match=word):
        buildable(dataset.model_copy(update={"recipe": recipe}), "x.json", Recipe)


def test_an_unbuilt_one_says_how_to_build_it(dataset: Dataset) -> None:
    with pytest.raises(BadInputError, match=r"posedata build --recipe x\.json"):
        need_built(dataset.model_copy(update={"built": None}), "x.json")


def test_a_name_that_would_leave_the_collection_is_refused(stores: dict[str, Path]) -> None:
    with pytest.raises(ChoiceError, match="--name"):
        describe(open_any(stores["brace"]), "a/b")


def test_a_location_that_will_not_do_is_told_by_its_option(stores: dict[str, Path]) -> None:
    with pytest.raises(ChoiceError, match=r"^--location: ") as caught:
        describe(open_any(stores["brace"]), "people", locations=("/mnt/sets", "https://user:pa55@example.org/sets"))
    assert "pa55" not in str(caught.value)


def test_a_rebuilt_store_is_compared(stores: dict[str, Path], dataset: Dataset) -> None:
    assert compare_rebuilt(open_any(stores["brace"]), dataset) == []
    other = open_any(stores["speed21"])
    assert compare_rebuilt(other, dataset.model_copy(update={"built": None})) is None
    told = "\n".join(compare_rebuilt(other, dataset) or [])
    for words in ("recipe: datasets: expected", "raw data of brace: expected", "counts: frames:", "content digest:"):
        assert words in told


def test_other_raw_bytes_are_named(
    command: Command,
    copy_tree: Callable[[str], Path],
    stores: dict[str, Path],
    dataset: Dataset,
    tmp_path: Path,
) -> None:
    """Through the command: the same recipe from changed raw data."""
    manifest = tmp_path / "people.json"
    manifest.write_bytes(dataset.to_json())
    tree = copy_tree("brace")
    same = command("posedata", "build", "--recipe", manifest, "--raw", tree, "--json")
    assert same.returncode == 0, same.stderr
    assert json.loads(same.stdout)["differences"] == []
    assert json.loads(same.stdout)["compared"]
    assert json.loads(same.stdout)["store"].endswith("stores/people.zarr")

    victim = sorted((tree / "dataset").rglob("*.json*"))[0]
    content = json.loads(victim.read_text())
    for frame in content.values():
        frame["keypoints"][5][0] += 3
    victim.write_text(json.dumps(content))
    other = command("posedata", "build", "--recipe", manifest, "--raw", tree, "--out", tmp_path / "other.zarr")
    assert other.returncode == 4
    assert "raw data of brace: expected" in other.stderr
    assert "content digest: expected" in other.stderr


def test_a_build_says_where_there_is_nothing_to_compare_with(
    command: Command, raw_trees: dict[str, Path], dataset: Dataset, tmp_path: Path
) -> None:
    manifest = tmp_path / "people.json"
    manifest.write_bytes(dataset.model_copy(update={"built": None}).to_json())
    found = command("posedata", "build", "--recipe", manifest, "--raw", raw_trees["brace"], "--json")
    assert found.returncode == 0, found.stderr
    told = json.loads(found.stdout)
    assert (told["compared"], told["differences"]) == (False, None)
    assert "content digest: nothing to compare it with" in found.stderr


def test_recipe_and_options_exclude_each_other(command: Command, dataset: Dataset, tmp_path: Path) -> None:
    manifest = tmp_path / "people.json"
    manifest.write_bytes(dataset.to_json())
    found = command("posedata", "build", "--recipe", manifest, "--k", "2")
    assert found.returncode == 2
    assert "--recipe" in found.stderr
    assert "--k" in found.stderr


def test_a_missing_synthetic_tree_says_how_to_make_it(command: Command, dataset: Dataset, tmp_path: Path) -> None:
    manifest = tmp_path / "people.json"
    manifest.write_bytes(dataset.to_json())
    found = command("posedata", "build", "--recipe", manifest)
    assert found.returncode == 3
    assert "posedata sample brace --sequences 12 --frames 40 --seed 0 --out " in found.stderr


def test_manifest_prints_it(command: Command, stores: dict[str, Path], dataset: Dataset) -> None:
    found = command("posedata", "manifest", stores["brace"], "--name", "people")
    assert found.returncode == 0, found.stderr
    assert parse_dataset(found.stdout.encode(), "stdout") == dataset


def test_a_damaged_store_is_not_described(command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    broken = Path(shutil.copytree(stores["brace"], tmp_path / "broken.zarr"))
    (broken / "zarr.json").write_text("{}")
    assert command("posedata", "manifest", broken).returncode == 4


def test_a_list_of_raw_files_that_is_damaged_is_not_told(
    command: Command, stores: dict[str, Path], tmp_path: Path
) -> None:
    broken = Path(shutil.copytree(stores["brace"], tmp_path / "broken.zarr"))
    (broken / "sources.csv").write_bytes((broken / "sources.csv").read_bytes().replace(b"0", b"1"))
    found = command("posedata", "manifest", broken)
    assert (found.returncode, found.stdout) == (4, "")
    assert "sources.csv: expected sha256" in found.stderr


def test_a_name_with_a_dot_is_told_whole(command: Command, stores: dict[str, Path], tmp_path: Path) -> None:
    for folder in ("brace-k1.5-random", "brace-k2.5.zarr"):
        store = shutil.copytree(stores["brace"], tmp_path / folder)
        found = command("posedata", "manifest", store)
        assert json.loads(found.stdout)["name"] == folder.removesuffix(".zarr")
