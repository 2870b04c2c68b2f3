import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from posedata.errors import IntegrityError
from posedata.manifest import (
    MANIFEST_NAME,
    Manifest,
    Skipped,
    StoreFile,
    list_files,
    read_manifest,
    relative_files,
    told,
    write_manifest,
)

HASH = "0" * 64


def manifest(**changes: Any) -> Manifest:
    fields = {
        "kind": "k",
        "format_version": 1,
        "content_digest": HASH,
        "summary": {"counts": {"frames": 3}, "torso": None},
        "skipped": (Skipped(item="a/b", reason="damaged ü"),),
        "warnings": ("beware",),
        "files": (StoreFile(path="zarr.json", size=5, sha256=HASH),),
    }
    return Manifest(**(fields | changes))


@pytest.mark.parametrize(
    ("root", "text", "expected"),
    [
        ("/raw", "/raw/a: expected one, found /raw/b too", "a: expected one, found b too"),
        ("/raw", "/raw: 3 files", "3 files"),
        ("raw", "raw/a: found my.raw/b", "a: found my.raw/b"),
        (".", "a: found b./c and ../d", "a: found b./c and ../d"),
        ("/r(w", "/r(w/a\udcff", "a\\udcff"),
    ],
)
def test_paths_are_told_below_the_raw_tree(root: str, text: str, expected: str) -> None:
    assert told(Path(root), text) == expected


def test_a_manifest_survives_the_disk(tmp_path: Path) -> None:
    write_manifest(tmp_path, manifest())
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]
    assert read_manifest(tmp_path) == manifest()


def test_the_same_manifest_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_manifest(tmp_path / name, manifest())
    first, second = ((tmp_path / name / MANIFEST_NAME).read_bytes() for name in ("a", "b"))
    assert first == second
    assert first.endswith(b"}\n")


@pytest.mark.parametrize(
    "path", ["../x", "a/../x", "a/..", "..", "/etc/passwd", "", ".", "./a", "a//b", "a/", "a\\..\\b"], ids=repr
)
def test_paths_that_leave_the_store_are_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="plain relative path"):
        StoreFile(path=path, size=0, sha256=HASH)


@pytest.mark.parametrize("path", ["zarr.json", "shot/c/0", "a/..b", ".hidden", "-a_ü b/c"])
def test_plain_relative_paths_are_taken(path: str) -> None:
    assert StoreFile(path=path, size=0, sha256=HASH).path == path


@pytest.mark.parametrize("digest", ["0" * 63, "0" * 65, "g" * 64, "A" * 64, HASH + "\n"])
def test_what_is_no_sha256_is_refused(digest: str) -> None:
    with pytest.raises(ValidationError, match="sha256"):
        StoreFile(path="a", size=0, sha256=digest)


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(ValidationError, match="size"):
        StoreFile(path="a", size=-1, sha256=HASH)


def tree(root: Path) -> None:
    (root / "a" / "c").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / "a" / "c" / "0").write_bytes(b"abc")
    (root / "b").write_bytes(b"")
    (root / "a-").write_bytes(b"x")
    (root / MANIFEST_NAME).write_bytes(b"{}")


def test_files_are_listed_by_path_with_size_and_hash(tmp_path: Path) -> None:
    tree(tmp_path)
    expected = [(n, len(c), hashlib.sha256(c).hexdigest()) for n, c in (("a-", b"x"), ("a/c/0", b"abc"), ("b", b""))]
    assert [(f.path, f.size, f.sha256) for f in list_files(tmp_path)] == expected


def test_only_the_manifest_of_the_root_is_left_out(tmp_path: Path) -> None:
    tree(tmp_path)
    (tmp_path / "a" / MANIFEST_NAME).write_bytes(b"{}")
    assert f"a/{MANIFEST_NAME}" in relative_files(tmp_path)
    assert MANIFEST_NAME not in relative_files(tmp_path)


def test_links_are_listed_and_not_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "store"
    tree(outside)
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "b")
    (root / "nowhere").symlink_to(tmp_path / "gone")
    assert sorted(relative_files(root)) == ["file", "folder", "nowhere"]


def test_a_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=r"manifest\.json: expected the manifest of a complete store, found none"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"kind": "k"}', b"\0" * 100, b"[" * 100_000],
    ids=["empty", "cut", "list", "null", "no UTF-8", "fields missing", "zeros", "deep"],
)
def test_garbage_is_refused_with_the_file_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST_NAME).write_bytes(content)
    with pytest.raises(IntegrityError) as caught:
        read_manifest(tmp_path)
    assert all(fault.startswith(f"{tmp_path}/manifest.json: ") for fault in caught.value.faults)


def write_edited(root: Path, *edits: tuple[str, str]) -> None:
    """A manifest with some of its text replaced, and a hash that agrees."""
    text = manifest().model_dump_json()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    content = json.loads(text)
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    content["manifest_sha256"] = hashlib.sha256(canonical).hexdigest()
    (root / MANIFEST_NAME).write_text(json.dumps(content))


def test_the_edited_manifest_is_read_where_nothing_is_edited(tmp_path: Path) -> None:
    write_edited(tmp_path)
    assert read_manifest(tmp_path) == manifest()


def test_every_fault_of_a_manifest_is_listed(tmp_path: Path) -> None:
    write_edited(tmp_path, ('"zarr.json"', '"/zarr.json"'), ('"format_version":1', '"format_version":"x"'))
    with pytest.raises(IntegrityError) as caught:
        read_manifest(tmp_path)
    first, second = caught.value.faults
    assert "format_version" in first
    assert "files.0.path" in second


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [('"manifest_version":3', '"manifest_version":2', "manifest_version"), ('"kind"', '"more":1,"kind"', "more")],
)
def test_other_layouts_are_refused(tmp_path: Path, old: str, new: str, field: str) -> None:
    write_edited(tmp_path, (old, new))
    with pytest.raises(IntegrityError, match=field):
        read_manifest(tmp_path)


def test_a_manifest_without_its_own_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_NAME).write_text(manifest().model_dump_json())
    with pytest.raises(IntegrityError, match="manifest_sha256"):
        read_manifest(tmp_path)


def test_a_manifest_that_is_a_link_is_refused(tmp_path: Path) -> None:
    write_manifest(tmp_path, manifest())
    (tmp_path / MANIFEST_NAME).rename(tmp_path / "elsewhere")
    (tmp_path / MANIFEST_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="link"):
        read_manifest(tmp_path)
