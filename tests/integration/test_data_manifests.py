"""The manifests that the project ships: what was built is rebuilt and confirmed, what was not says so."""

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from posedata.config import Recipe
from posedata.dataset import Dataset, buildable, describe, json_schema, parse_dataset
from posedata.store.opened import open_any

ROOT = Path(__file__).parents[2]
MANIFESTS = sorted((ROOT / "data_manifests").glob("*.json"))
Command = Callable[..., subprocess.CompletedProcess[str]]


def shipped(path: Path) -> Dataset:
    return parse_dataset(path.read_bytes(), str(path))


def test_there_are_recipes_and_samples() -> None:
    names = {path.stem for path in MANIFESTS}
    assert {f"pretraining-k{k}-{sigma}" for k in (1, 2) for sigma in ("random", "fixed")} <= names
    assert {f"sample-{name}" for name in ("brace", "climbalong", "penn_action", "speed21")} <= names


def test_the_schema_of_the_docs_is_that_of_the_code() -> None:
    """`posedata manifest --schema > docs/dataset-manifest.schema.json` makes it anew."""
    assert (ROOT / "docs" / "dataset-manifest.schema.json").read_bytes() == json_schema()


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_a_manifest_is_named_like_its_file_and_can_be_built(path: Path) -> None:
    dataset = shipped(path)
    assert dataset.name == path.stem
    assert buildable(dataset, str(path), Recipe).model_dump(mode="json") == dataset.recipe
    if dataset.built is None:
        assert all(source.files is None and source.sha256 is None for source in dataset.sources)


@pytest.mark.parametrize("path", [p for p in MANIFESTS if p.stem.startswith("sample-")], ids=lambda path: path.stem)
def test_a_sample_is_rebuilt_to_the_byte(path: Path, command: Command, tmp_path: Path) -> None:
    """Where the bytes had to change: `posedata manifest STORE > data_manifests/NAME.json` makes it anew."""
    dataset = shipped(path)
    for source in dataset.sources:
        name, *arguments = shlex.split(source.sample or "")
        assert command(name, *arguments).returncode == 0
    built = command("posedata", "build", "--recipe", path, "--json")
    assert built.returncode == 0, built.stderr
    assert json.loads(built.stdout)["differences"] == []
    store = tmp_path / "home" / "stores" / f"{dataset.name}.zarr"
    assert describe(open_any(store), dataset.name) == dataset
