"""Small files in packs: fewer requests, the same proofs."""

import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posedata.errors import IntegrityError
from posedata.manifest import StoreFile
from posedata.sharing import blocks, packs
from posedata.sharing.folder import Folder
from posedata.sharing.objects import fetch, send, to_send
from posedata.sharing.packs import PACKS, packs_of, send_packs, unpacked
from posedata.sharing.remote import GivenUpError

SIZES = (10, 70_000, 0, 500, 60_000, 500, 65_536, 3)
"""Of the files; the second is too large to be packed."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two packs, of several blocks, and no waiting."""
    monkeypatch.setattr(packs, "_MOST", 100_000)
    monkeypatch.setattr(blocks, "_BLOCK", 30_000)
    monkeypatch.setattr(blocks, "_WAITS", ())


@pytest.fixture
def store(tmp_path: Path) -> tuple[Path, list[StoreFile]]:
    folder, files = tmp_path / "store", []
    folder.mkdir()
    for number, size in enumerate(SIZES):
        content = random.Random(number).randbytes(size)  # noqa: S311
        (folder / f"f{number}").write_bytes(content)
        files.append(StoreFile(path=f"f{number}", size=size, sha256=hashlib.sha256(content).hexdigest()))
    return folder, files


@pytest.fixture
def collection(store: tuple[Path, list[StoreFile]], tmp_path: Path) -> Folder:
    remote = Folder(tmp_path / "collection")
    send(remote, store[0], to_send(remote, store[1]).move, lambda _: None)
    send_packs(remote, *store, tmp_path)
    return remote


class Asked(Folder):
    """A folder that remembers what it was asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.names: list[str] = []

    def read(self, name: str, most: int, start: int = 0, stop: int | None = None) -> bytes:
        self.names.append(name)
        return super().read(name, most, start, stop)


def got(collection: Folder, files: list[StoreFile], out: Path, known: dict[str, Path] | None = None) -> list[str]:
    """What a fetch asks for, folder by folder; all files are there afterwards, and nothing else."""
    remote, told = Asked(Path(collection.url)), list[float]()
    fetched = fetch(remote, files, out, known or {}, told.append, packs=packs_of(files))
    assert sorted(path.name for path in out.iterdir()) == sorted(file.path for file in files)
    assert all(hashlib.sha256((out / file.path).read_bytes()).hexdigest() == file.sha256 for file in files)
    assert sum(told) == sum(file.size for file in files)
    assert len(fetched) + len(known or {}) == len(files)
    return sorted({name.partition("/")[0] for name in remote.names})


def test_small_files_keep_their_order_and_large_ones_are_alone(store: tuple[Path, list[StoreFile]]) -> None:
    found = [[file.path for file in pack.files] for pack in packs_of(store[1])]
    assert found == [["f0", "f2", "f3", "f4", "f5"], ["f6", "f7"]]
    assert packs_of(store[1][:2]) == []


@pytest.mark.parametrize(("last", "packs"), [(40_000, [["f0", "f1"]]), (40_001, [])])
def test_a_pack_may_be_full(last: int, packs: list[list[str]]) -> None:
    """Whoever deals files out otherwise asks for packs that nobody has sent."""
    files = [StoreFile(path=f"f{i}", size=size, sha256=f"{i:064}") for i, size in enumerate((60_000, last))]
    assert [[file.path for file in pack.files] for pack in packs_of(files)] == packs


@given(st.lists(st.integers(0, 80_000), max_size=30))
def test_no_pack_is_larger_than_it_may_be(sizes: list[int]) -> None:
    files = [StoreFile(path=f"f{i}", size=size, sha256=f"{i:064d}") for i, size in enumerate(sizes)]
    found = packs_of(files)
    assert all(pack.size <= packs._MOST and len(pack.files) > 1 for pack in found)
    packed = [file for pack in found for file in pack.files]
    assert len(set(packed)) == len(packed)
    assert {file.size for file in packed} <= set(range(packs._SMALL + 1))


def test_what_comes_by_packs_is_what_was_sent(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path
) -> None:
    remote = Asked(Path(collection.url))
    fetch(remote, store[1], tmp_path / "out", {}, lambda _: None, packs=packs_of(store[1]))
    alone = {name for name in remote.names if name.startswith("objects/")}
    assert alone == {f"objects/{store[1][1].sha256}"}
    assert got(collection, store[1], tmp_path / "again") == ["objects", "packs"]


def test_packs_that_are_there_are_not_sent_again(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path
) -> None:
    folder = Path(collection.url) / PACKS
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(before) == 2
    send_packs(collection, *store, tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_collection_without_packs_will_do(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path
) -> None:
    for path in (Path(collection.url) / PACKS).iterdir():
        path.unlink()
    got(collection, store[1], tmp_path / "out")


def test_what_is_damaged_in_a_pack_comes_by_itself(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path
) -> None:
    for path in (Path(collection.url) / PACKS).iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    got(collection, store[1], tmp_path / "out")


@pytest.mark.parametrize("size", [0, 1000, 40_000])
def test_what_a_pack_that_is_cut_lacks_comes_by_itself(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path, size: int
) -> None:
    for path in (Path(collection.url) / PACKS).iterdir():
        path.write_bytes(path.read_bytes()[:size])
    got(collection, store[1], tmp_path / "out")


def test_a_pack_that_was_given_up_is_not_fetched_file_by_file(
    store: tuple[Path, list[StoreFile]], collection: Folder
) -> None:
    class Stopped(Folder):
        def read(self, name: str, most: int, start: int = 0, stop: int | None = None) -> bytes:
            raise GivenUpError(name)

    with pytest.raises(GivenUpError):
        list(unpacked(Stopped(Path(collection.url)), packs_of(store[1])[0]))


def test_a_pack_is_not_asked_for_where_most_is_here(
    store: tuple[Path, list[StoreFile]], collection: Folder, tmp_path: Path
) -> None:
    folder, files = store
    known = {file.sha256: folder / file.path for file in files if file.path not in {"f4", "f7"}}
    remote = Asked(Path(collection.url))
    fetch(remote, files, tmp_path / "out", known, lambda _: None, packs=packs_of(files))
    names = {name.partition("/")[2] for name in remote.names}
    assert names == {files[4].sha256, packs_of(files)[1].name}


def test_a_damaged_file_is_not_packed(store: tuple[Path, list[StoreFile]], tmp_path: Path) -> None:
    folder, files = store
    (folder / "f3").write_bytes(bytes(500))
    with pytest.raises(IntegrityError, match="f3: expected sha256"):
        send_packs(Folder(tmp_path / "other"), folder, files, tmp_path)


def test_packs_are_sent_as_files_are(store: tuple[Path, list[StoreFile]], tmp_path: Path) -> None:
    """On the Hub what is sent waits for the commit of the dataset manifest; what is written is one by itself."""

    class Sending(Folder):
        def write(self, name: str, content: bytes, replace: bool) -> None:
            raise AssertionError(name)

    remote = Sending(tmp_path / "other")
    send_packs(remote, *store, tmp_path)
    assert remote.sizes(PACKS) == {pack.name: pack.size for pack in packs_of(store[1])}
