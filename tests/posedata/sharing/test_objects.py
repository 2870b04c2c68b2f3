"""Files under their hashes: proven as they come, from places good and bad."""

import hashlib
import random
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from posedata.errors import IntegrityError, RemoteError
from posedata.manifest import StoreFile
from posedata.sharing import blocks
from posedata.sharing.folder import Folder
from posedata.sharing.objects import fetch, part_name, send, to_send
from posedata.sharing.remote import Remote, open_remote

Serve = Callable[..., str]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several blocks a file, and no waiting."""
    monkeypatch.setattr(blocks, "_BLOCK", 1000)
    monkeypatch.setattr(blocks, "_WAITS", (0.0, 0.0, 0.0))


@pytest.fixture
def store(tmp_path: Path) -> tuple[Path, list[StoreFile]]:
    """Six files of up to 5,000 bytes, two of them the same."""
    folder, files = tmp_path / "store", []
    for number, size in enumerate((0, 1, 1000, 1001, 5000, 5000)):
        content = random.Random(size).randbytes(size)  # noqa: S311
        path = folder / f"a{number}" / "c"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        files.append(StoreFile(path=f"a{number}/c", size=size, sha256=hashlib.sha256(content).hexdigest()))
    return folder, files


@pytest.fixture
def collection(store: tuple[Path, list[StoreFile]], tmp_path: Path) -> Folder:
    remote = Folder(tmp_path / "collection")
    folder, files = store
    send(remote, folder, to_send(remote, files).move, lambda _: None)
    return remote


def check(files: list[StoreFile], folder: Path, original: Path) -> None:
    assert {file.path: (folder / file.path).read_bytes() for file in files} == {
        file.path: (original / file.path).read_bytes() for file in files
    }
    assert not [path for path in folder.rglob("*") if path.name.endswith(".part")]


def test_each_content_is_sent_once(store: tuple[Path, list[StoreFile]], collection: Folder) -> None:
    _, files = store
    assert len(collection.sizes("objects")) == 5
    again = to_send(collection, files)
    assert (len(again.move), len(again.keep), again.bytes) == (0, 5, 0)


@pytest.mark.parametrize(("size", "sent"), [(5000, False), (None, False), (4999, True)])
def test_what_is_there_in_another_size_is_sent_again(
    store: tuple[Path, list[StoreFile]], collection: Folder, monkeypatch: pytest.MonkeyPatch, size: int, sent: bool
) -> None:
    """Some places do not tell sizes."""
    file = store[1][4]
    monkeypatch.setattr(Folder, "sizes", lambda self, folder: {file.sha256: size})
    parts = to_send(collection, [file])
    assert (parts.move, parts.keep) == (((file,), ()) if sent else ((), (file,)))


def test_a_damaged_file_is_not_sent(store: tuple[Path, list[StoreFile]], tmp_path: Path) -> None:
    folder, files = store
    (folder / files[4].path).write_bytes(bytes(5000))
    remote = Folder(tmp_path / "other")
    with pytest.raises(IntegrityError, match="a4/c: expected sha256"):
        send(remote, folder, [files[4]], lambda _: None)
    assert not (tmp_path / "other" / "objects" / files[4].sha256).exists()


@pytest.mark.parametrize("ranges", [True, False])
def test_what_is_fetched_is_what_was_sent(
    store: tuple[Path, list[StoreFile]], collection: Folder, serve: Serve, tmp_path: Path, ranges: bool
) -> None:
    told: list[float] = []
    remote = open_remote(serve(Path(collection.url), ranges=ranges))
    fetch(remote, store[1], tmp_path / "got", {}, told.append)
    check(store[1], tmp_path / "got", store[0])
    assert sum(told) == sum(file.size for file in store[1])


@pytest.mark.parametrize("seed", range(5))
def test_answers_that_are_cut_are_asked_for_again(
    store: tuple[Path, list[StoreFile]], collection: Folder, serve: Serve, tmp_path: Path, seed: int
) -> None:
    cuts = random.Random(seed).choices(range(1000), k=3)  # noqa: S311
    fetch(open_remote(serve(Path(collection.url), cuts=cuts)), store[1], tmp_path / "got", {}, lambda _: None)
    check(store[1], tmp_path / "got", store[0])


def test_what_came_before_a_cut_is_not_asked_for_again(
    store: tuple[Path, list[StoreFile]], collection: Folder, serve: Serve, tmp_path: Path
) -> None:
    file = store[1][4]
    with pytest.raises(RemoteError):
        fetch(_Failing(collection, after=2), [file], tmp_path / "got", {}, lambda _: None)
    part = tmp_path / "got" / part_name(file.path)
    assert part.stat().st_size == 2000
    watched = _Failing(Folder(Path(collection.url)), after=100)
    fetch(watched, [file], tmp_path / "got", {}, lambda _: None)
    assert watched.starts == [2000, 3000, 4000]
    check([file], tmp_path / "got", store[0])


@pytest.mark.parametrize("there", [b"x" * 5000, b"x"], ids=["of its size", "of another"])
def test_a_file_that_lies_there_is_proven(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path, there: bytes
) -> None:
    file = store[1][4]
    path = tmp_path / "got" / file.path
    path.parent.mkdir(parents=True)
    path.write_bytes(there)
    assert fetch(collection, [file], tmp_path / "got", {}, lambda _: None) == [file]
    check([file], tmp_path / "got", store[0])
    assert fetch(collection, [file], tmp_path / "got", {}, lambda _: None) == []


def test_a_file_that_lacks_but_its_name_is_not_asked_for(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path
) -> None:
    file = store[1][4]
    part = tmp_path / "got" / part_name(file.path)
    part.parent.mkdir(parents=True)
    shutil.copy(store[0] / file.path, part)
    watched = _Failing(collection, after=100)
    assert fetch(watched, [file], tmp_path / "got", {}, lambda _: None) == [file]
    assert watched.starts == []
    check([file], tmp_path / "got", store[0])


@pytest.mark.parametrize("rest", [b"x" * 2000, b"x" * 7000])
def test_a_wrong_beginning_is_fetched_anew(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path, rest: bytes
) -> None:
    file = store[1][4]
    part = tmp_path / "got" / part_name(file.path)
    part.parent.mkdir(parents=True)
    part.write_bytes(rest)
    told: list[float] = []
    fetch(collection, [file], tmp_path / "got", {}, told.append)
    check([file], tmp_path / "got", store[0])
    assert sum(told) == file.size


@pytest.mark.parametrize(
    "damage", [bytes(5000), b"", bytes(4999), bytes(5001)], ids=["other", "empty", "short", "long"]
)
def test_damage_there_never_becomes_a_file_here(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path, damage: bytes
) -> None:
    file = store[1][4]
    (Path(collection.url) / "objects" / file.sha256).write_bytes(damage)
    with pytest.raises((IntegrityError, RemoteError)):
        fetch(collection, [file], tmp_path / "got", {}, lambda _: None)
    assert not (tmp_path / "got" / file.path).exists()


def test_what_is_left_of_a_file_never_takes_the_place_of_a_sound_one(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path
) -> None:
    file = store[1][4]
    fetch(collection, [file], tmp_path / "got", {}, lambda _: None)
    (tmp_path / "got" / part_name(file.path)).write_bytes(bytes(5000))
    assert fetch(collection, [file], tmp_path / "got", {}, lambda _: None) == []
    check([file], tmp_path / "got", store[0])


def test_files_of_this_disk_are_copied_if_they_are_sound(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path
) -> None:
    folder, files = store
    damaged = Path(shutil.copy(folder / files[4].path, tmp_path / "damaged"))
    damaged.write_bytes(bytes(5000))
    known = {files[4].sha256: damaged, files[3].sha256: folder / files[3].path, files[2].sha256: tmp_path / "none"}
    watched = _Failing(collection, after=100)
    fetch(watched, files[2:5], tmp_path / "got", known, lambda _: None)
    check(files[2:5], tmp_path / "got", folder)
    assert sorted(watched.starts) == [0, 0, 1000, 2000, 3000, 4000]


def test_a_large_file_of_this_disk_is_copied_in_little_memory(tmp_path: Path) -> None:
    """Of 16 threads each may be at a shard of half a gigabyte."""
    content = random.Random(0).randbytes(10_000_000)  # noqa: S311
    (tmp_path / "large").write_bytes(content)
    file = StoreFile(path="large", size=len(content), sha256=hashlib.sha256(content).hexdigest())
    tracemalloc.start()
    try:
        fetch(Folder(tmp_path), [file], tmp_path / "got", {file.sha256: tmp_path / "large"}, lambda _: None)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "got" / "large").read_bytes() == content
    assert most < 5_000_000


def test_a_damaged_file_of_this_disk_spoils_nothing_that_has_come(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path
) -> None:
    folder, files = store
    part = tmp_path / "got" / part_name(files[4].path)
    part.parent.mkdir(parents=True)
    part.write_bytes((folder / files[4].path).read_bytes()[:3000])
    (tmp_path / "damaged").write_bytes(bytes(5000))
    watched = _Failing(collection, after=100)
    fetch(watched, [files[4]], tmp_path / "got", {files[4].sha256: tmp_path / "damaged"}, lambda _: None)
    assert watched.starts == [3000, 4000]
    check([files[4]], tmp_path / "got", folder)


class _Failing:
    """A collection that answers so many times, and then never again."""

    def __init__(self, remote: Remote, after: int) -> None:
        self._remote = remote
        self._left = after
        self.url = remote.url
        self.starts: list[int] = []

    def read(self, name: str, most: int, start: int = 0, stop: int | None = None) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise RemoteError("gone")
        self.starts.append(start)
        return self._remote.read(name, most, start, stop)

    def __getattr__(self, name: str) -> object:
        return getattr(self._remote, name)
