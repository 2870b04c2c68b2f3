"""Files against the manifest: every way in which they can differ."""

import hashlib
from pathlib import Path

import pytest

from posedata.manifest import Manifest, StoreFile
from posedata.progress import silent
from posedata.store.proof import file_problems, hash_problems
from posedata.store.schema import FORMAT_VERSION, KIND

FILES = {"a/c": b"one", "b": b"two"}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "s.zarr" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "s.zarr"


def manifest(kind: str = KIND, version: int = FORMAT_VERSION) -> Manifest:
    files = (
        StoreFile(path=name, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        for name, content in FILES.items()
    )
    return Manifest(
        kind=kind,
        format_version=version,
        content_digest="0" * 64,
        summary={},
        skipped=(),
        warnings=(),
        files=tuple(files),
    )


def problems(store: Path, mirrored: bool = False, told: Manifest | None = None) -> dict[str, str]:
    return {problem.file: problem.problem for problem in file_problems(store, told or manifest(), mirrored)}


def test_a_sound_store_has_none(store: Path) -> None:
    (store / "manifest.json").touch()
    assert problems(store) == {}
    assert hash_problems(store, manifest().files, silent) == []


@pytest.mark.parametrize(
    ("kind", "version", "known"),
    [
        ("film", FORMAT_VERSION, "temporal-heatmaps version 1 or image-crops version 1 or video-clips version 1"),
        (KIND, FORMAT_VERSION + 1, "temporal-heatmaps version 1"),
    ],
)
def test_another_format_is_told(kind: str, version: int, known: str, store: Path) -> None:
    expected = f"expected {known}, found {kind} version {version}"
    assert problems(store, told=manifest(kind, version)) == {"manifest.json": expected}


def test_files_that_are_missing_too_many_of_another_size_or_links(store: Path) -> None:
    (store / "a" / "c").write_bytes(b"on")
    (store / "b").unlink()
    for name in ("more", ".b.7-7..part"):
        (store / name).touch()
    assert problems(store) == {
        "b": "expected by the manifest, found missing",
        **dict.fromkeys(("more", ".b.7-7..part"), "expected no such file, found one that the manifest does not list"),
        "a/c": "expected 3 bytes, found 2",
    }
    (store / "b").symlink_to(store / "more")
    assert problems(store)["b"] == "expected a plain file, found a link or a device"


def test_of_a_mirror_some_may_be_missing_or_half_there_and_none_too_many(store: Path) -> None:
    (store / "b").unlink()
    (store / "a" / "c").write_bytes(b"on")
    (store / ".b.7-7..part").touch()
    (store / "more").touch()
    assert list(problems(store, mirrored=True)) == ["more"]


def test_bytes_that_differ_at_the_same_size_are_told_by_their_hash(store: Path) -> None:
    (store / "a" / "c").write_bytes(b"onE")
    (store / "b").unlink()
    assert problems(store, mirrored=True) == {}
    changed, missing = hash_problems(store, manifest().files, silent)
    assert (changed.file, missing.file) == ("a/c", "b")
    assert changed.problem.startswith(f"expected sha256 {hashlib.sha256(b'one').hexdigest()}, found another")
    assert missing.problem == "expected by the manifest, found missing"
