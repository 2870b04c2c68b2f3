import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from posedata import files
from posedata.errors import ChoiceError, ConflictError, ResourceError
from posedata.files import need_outside, need_space, sha256_file, sync_folder, sync_tree, whole_file, write_durably


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What was flushed to disk: path at that moment, and size."""
    seen: list[tuple[str, int]] = []

    def record(handle: int) -> None:
        seen.append((str(Path(f"/proc/self/fd/{handle}").readlink()), os.fstat(handle).st_size))

    monkeypatch.setattr(files.os, "fsync", record)
    return seen


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    written = write_durably(path, [b"one", b"", b"two"])
    assert path.read_bytes() == b"onetwo"
    assert (written.size, written.sha256) == (6, hashlib.sha256(b"onetwo").hexdigest())
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_a_full_disk_is_told_of_the_file(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield b"one"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space") as caught:
        write_durably(tmp_path / "file", parts())
    assert caught.value.filename == str(tmp_path / "file")


def test_a_disk_that_cannot_be_read_is_not_told_of_what_is_written(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield b"one"
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with pytest.raises(OSError, match="Input/output") as caught:
        write_durably(tmp_path / "file", parts())
    assert caught.value.filename is None


def test_a_file_is_flushed_whole_before_it_gets_its_name(tmp_path: Path, synced: list[tuple[str, int]]) -> None:
    write_durably(tmp_path / "file", [b"12345"])
    ((path, size),) = synced
    assert path != str(tmp_path / "file")
    assert size == 5


@pytest.mark.parametrize("before", [None, b"previous"])
def test_a_file_cut_short_never_gets_its_name(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "file"
    if before is not None:
        path.write_bytes(before)

    def parts() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("disk gone")

    with pytest.raises(RuntimeError, match="disk gone"):
        write_durably(path, parts())
    assert (path.read_bytes() if path.exists() else None) == before


def test_a_file_replaces_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a longer one")
    write_durably(path, [b"short"])
    assert path.read_bytes() == b"short"


def test_sync_tree_flushes_every_file_and_folder(tmp_path: Path, synced: list[tuple[str, int]]) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name in ("x", "a/y", "a/b/z"):
        (tmp_path / name).write_text(name)
    sync_tree(tmp_path)
    expected = [tmp_path, *tmp_path.rglob("*")]
    assert sorted(path for path, _ in synced) == sorted(map(str, expected))


def test_sync_folder_flushes_the_folder_itself(tmp_path: Path, synced: list[tuple[str, int]]) -> None:
    sync_folder(tmp_path)
    assert [path for path, _ in synced] == [str(tmp_path)]


@pytest.mark.parametrize(
    ("content", "digest"),
    [
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (b"a" * 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ],
    ids=["empty", "abc", "million"],
)
def test_sha256_is_that_of_the_published_examples(tmp_path: Path, content: bytes, digest: str) -> None:
    (tmp_path / "file").write_bytes(content)
    assert sha256_file(tmp_path / "file") == digest


def test_a_disk_with_too_little_room_is_told(tmp_path: Path) -> None:
    need_space(tmp_path, 1)
    with pytest.raises(ResourceError, match=r"expected 1,152,921,504,606,846,976 bytes of free space"):
        need_space(tmp_path, 2**60)
    assert shutil.disk_usage(tmp_path).free < 2**60


def test_a_whole_file_is_seen_when_it_is_done(tmp_path: Path) -> None:
    out = tmp_path / "a.txt"
    with whole_file(out, overwrite=False) as part:
        part.write_text("new")
        assert not out.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert out.read_text() == "new"


def test_what_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "a.txt"
    out.write_text("old")

    def fail(part: Path) -> None:
        part.write_text("ne")
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"), whole_file(out, overwrite=True) as part:
        fail(part)
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert out.read_text() == "old"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_whole_file_replaces_a_file_if_it_may_and_never_a_folder(overwrite: bool, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("old")
    with pytest.raises(ConflictError, match="found a folder"), whole_file(tmp_path / "folder", overwrite):
        pass
    if not overwrite:
        with pytest.raises(ConflictError, match="--overwrite"), whole_file(tmp_path / "file", overwrite):
            pass
    assert (tmp_path / "file").read_text() == "old"


def test_a_whole_file_is_written_by_one_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "a.txt"
    with whole_file(out, overwrite=False) as part:
        part.write_text("first")
        with pytest.raises(ConflictError, match="another process"), whole_file(out, overwrite=False):
            pass


def test_nothing_is_put_into_a_store(tmp_path: Path) -> None:
    need_outside(tmp_path / "page.html", tmp_path / "s.zarr")
    (tmp_path / "link").symlink_to(tmp_path / "s.zarr")
    for out in (tmp_path / "s.zarr" / "p.html", tmp_path / "link" / "p.html", tmp_path / "s.zarr" / "a" / ".." / "p"):
        with pytest.raises(ChoiceError, match="outside of"):
            need_outside(out, tmp_path / "s.zarr")
