"""What lies here against what is published: every state there is."""

import shutil
from pathlib import Path

import pytest

from posedata.dataset import Dataset, describe
from posedata.errors import IntegrityError
from posedata.manifest import read_manifest
from posedata.sharing.compare import Compared, compare, in_collection, in_home
from posedata.store.opened import open_any


@pytest.fixture
def home(tmp_path: Path, stores: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data home with three stores of BRACE's, the last of them damaged."""
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "stores"
    for name in ("same", "other", "spoilt"):
        shutil.copytree(stores["brace"], folder / f"{name}.zarr")
    path = folder / "spoilt.zarr" / "README.md"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    return folder


@pytest.fixture
def collection(tmp_path: Path, stores: dict[str, Path]) -> str:
    """Manifests of datasets, of which nothing else is asked for."""
    folder = tmp_path / "team"
    folder.mkdir()
    published = {"same": "brace", "other": "speed21", "spoilt": "brace", "there": "brace"}
    for name, store in published.items():
        dataset = describe(open_any(stores[store]), name)
        (folder / f"{name}.json").write_bytes(dataset.to_json())
    recipe = Dataset(name="planned", recipe={}, sources=())
    (folder / "planned.json").write_bytes(recipe.to_json())
    (folder / "notes.json").write_text("[1]")
    return str(folder)


def test_every_state(home: Path, collection: str, stores: dict[str, Path]) -> None:
    shutil.copytree(stores["brace"], home / "planned.zarr")
    shutil.copytree(stores["brace"], home / "here.zarr")
    told: list[str] = []
    found = {entry.name: entry for entry in compare(collection, foreign=told.append)}
    assert {name: entry.state for name, entry in found.items()} == {
        "here": "only here",
        "other": "differs",
        "planned": "only here",
        "same": "same",
        "spoilt": "damaged",
        "there": "only there",
    }
    assert (found["there"].store, found["same"].store) == (None, str(home / "same.zarr"))
    assert str(found["spoilt"].problem).startswith("README.md: expected sha256 ")
    assert len(told) == 1
    assert "notes.json: expected a dataset manifest" in told[0]


def test_a_quick_look_does_not_hash(home: Path, collection: str) -> None:
    (found,) = compare(collection, ("spoilt",), quick=True)
    assert found == Compared("spoilt", "same", str(home / "spoilt.zarr"))


@pytest.mark.usefixtures("home")
def test_a_name_that_is_nowhere(collection: str) -> None:
    assert compare(collection, ("x",)) == [Compared("x", "nowhere", None)]


def test_lists_of_a_collection_and_of_the_home_have_the_same_columns(
    home: Path, collection: str, stores: dict[str, Path]
) -> None:
    manifest = read_manifest(stores["brace"])
    there, here = ({row["dataset"]: row for row in rows} for rows in (in_collection(collection), in_home()))
    row = {
        "dataset": "same",
        "frames": manifest.summary["counts"]["frames"],
        "content_digest": manifest.content_digest,
    }
    assert row.items() <= there["same"].items()
    assert row.items() <= here["same"].items()
    assert there["same"].keys() == here["same"].keys()
    assert {there["planned"][key] for key in ("frames", "bytes", "content_digest")} == {None}
    (home / "other.zarr" / "manifest.json").write_text("{")
    with pytest.raises(IntegrityError, match=r"other\.zarr"):
        in_home()
