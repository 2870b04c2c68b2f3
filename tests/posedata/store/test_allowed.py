import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from posedata.manifest import SUMMARY, Manifest, StoreFile, read_manifest
from posedata.store.allowed import metadata_problems

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def store(stores: dict[str, Path], tmp_path: Path) -> Path:
    """The metadata of a store, which a test may change; its arrays are not needed."""
    return Path(shutil.copytree(stores["brace"], tmp_path / "a.zarr", ignore=shutil.ignore_patterns("c")))


@pytest.fixture
def manifest(stores: dict[str, Path]) -> Manifest:
    return read_manifest(stores["brace"])


def changed(path: Path, change: Change) -> None:
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("name", ["brace", "climbalong", "penn_action", "speed21"])
def test_what_a_build_writes_is_allowed(stores: dict[str, Path], name: str) -> None:
    assert metadata_problems(stores[name], read_manifest(stores[name])) == []


CODECS: list[Any] = [{"name": "numcodecs.pickle", "configuration": {}}]
CHANGES: dict[str, tuple[str, Change, str]] = {
    "huge": ("shot/zarr.json", lambda d: d.update(shape=[10**15]), "shape: expected"),
    "other codec": ("shot/zarr.json", lambda d: d.update(codecs=CODECS), "codecs: expected"),
    "without crc": ("shot/zarr.json", lambda d: d["codecs"].pop(), "codecs: expected"),
    "other dtype": ("shot/zarr.json", lambda d: d.update(data_type="int64"), 'data_type: expected "int32"'),
    "other chunks": (
        "input_heatmaps/zarr.json",
        lambda d: d["chunk_grid"]["configuration"].update(chunk_shape=[1, 25, 56, 56]),
        "chunk_grid.configuration.chunk_shape: expected",
    ),
    "other fill": ("shot/zarr.json", lambda d: d.update(fill_value=0), "fill_value: expected -2147483648, found 0"),
    "true for one": ("shot/zarr.json", lambda d: d.update(zarr_format=True), "zarr_format: expected 3, found true"),
    "transformers": (
        "shot/zarr.json",
        lambda d: d.update(storage_transformers=[{"name": "x"}]),
        "storage_transformers",
    ),
    "one key more": ("shot/zarr.json", lambda d: d.update(more=1), "more: expected nothing, found 1"),
    "copy differs": (
        "zarr.json",
        lambda d: d["consolidated_metadata"]["metadata"]["shot"].update(shape=[1]),
        "consolidated_metadata.metadata.shot.shape",
    ),
    "array more": (
        "zarr.json",
        lambda d: d["consolidated_metadata"]["metadata"].update(evil={"shape": [1]}),
        "metadata.evil: expected nothing",
    ),
    "no copies": ("zarr.json", lambda d: d.pop("consolidated_metadata"), "consolidated_metadata: expected"),
    "rendered missing": ("zarr.json", lambda d: d["attributes"].pop("rendered"), "attributes.rendered: expected names"),
    "rendered unknown": (
        "zarr.json",
        lambda d: d["attributes"].update(rendered=["x"]),
        "attributes.rendered: expected",
    ),
    "other licence": ("zarr.json", lambda d: d["attributes"].update(licences={}), "attributes.licences"),
    "no counts": ("zarr.json", lambda d: d["attributes"].pop("counts"), "attributes: expected recipe and counts"),
    "no attributes": ("zarr.json", lambda d: d.pop("attributes"), "attributes: expected recipe and counts"),
    "more frames than files": ("zarr.json", lambda d: d["attributes"]["counts"].update(frames=10**12), "counts: "),
    "frames as text": ("zarr.json", lambda d: d["attributes"]["counts"].update(frames="480"), "counts: "),
    "frames as truth": ("zarr.json", lambda d: d["attributes"]["counts"].update(frames=True), "counts: "),
    "fewer frames": ("zarr.json", lambda d: d["attributes"]["counts"].update(frames=1), "shape: expected [1]"),
}


@pytest.mark.parametrize(("file", "change", "words"), CHANGES.values(), ids=CHANGES)
def test_what_it_does_not_write_is_not(store: Path, manifest: Manifest, file: str, change: Change, words: str) -> None:
    changed(store / file, change)
    problems = metadata_problems(store, manifest)
    assert any(words in problem.problem for problem in problems if problem.file == file), problems


@pytest.mark.parametrize("key", SUMMARY)
def test_every_manifest_has_all_of_the_summary(store: Path, manifest: Manifest, key: str) -> None:
    summary = {name: value for name, value in manifest.summary.items() if name != key}
    (problem,) = metadata_problems(store, manifest.model_copy(update={"summary": summary}))
    assert (problem.file, problem.problem) == (
        "manifest.json",
        f"summary.{key}: expected in every manifest, found nothing",
    )


@pytest.mark.parametrize("content", ["", "[]", "null", "[" * 100_000, '{"a":', "\x00"])
def test_what_is_no_document_is_not(store: Path, manifest: Manifest, content: str) -> None:
    (store / "shot" / "zarr.json").write_text(content)
    assert {problem.file for problem in metadata_problems(store, manifest)} == {"shot/zarr.json"}
    (store / "zarr.json").write_text(content)
    assert {problem.file for problem in metadata_problems(store, manifest)} == {"zarr.json"}


def test_files_are_those_that_the_arrays_need(store: Path, manifest: Manifest) -> None:
    more = StoreFile(path="shot/c/7", size=3, sha256="0" * 64)
    found = metadata_problems(store, manifest.model_copy(update={"files": (*manifest.files, more)}))
    assert [(problem.file, "one file more" in problem.problem) for problem in found] == [("shot/c/7", True)]
    fewer = tuple(file for file in manifest.files if file.path != "shot/c/0")
    found = metadata_problems(store, manifest.model_copy(update={"files": fewer}))
    assert [(problem.file, "missing" in problem.problem) for problem in found] == [("shot/c/0", True)]
