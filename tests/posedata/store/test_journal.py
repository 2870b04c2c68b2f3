import json
from pathlib import Path

import pytest

from posedata.files import write_durably
from posedata.manifest import StoreFile
from posedata.store.journal import Journal

NAMES = [{f"{name}/c/{shard}" for name in ("shot", "split")} for shard in range(3)]


def make_file(folder: Path, name: str, content: bytes = b"values") -> StoreFile:
    written = write_durably(folder / name, [content])
    return StoreFile(path=name, size=written.size, sha256=written.sha256)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of two finished shards, as a killed build leaves it."""
    made = Journal(tmp_path / "journal", "key", tmp_path / "store", NAMES)
    for shard in (2, 0):
        made.add(shard, [make_file(tmp_path / "store", f"{name}/c/{shard}") for name in ("shot", "split")])
    return tmp_path / "journal"


def read(journal: Path, key: str = "key") -> dict[int, tuple[StoreFile, ...]]:
    return Journal(journal, key, journal.parent / "store", NAMES).finished


def test_a_new_journal_is_empty(tmp_path: Path) -> None:
    assert read(tmp_path / "deep" / "journal") == {}


def test_finished_shards_are_found_again_however_often(journal: Path) -> None:
    for _ in range(3):
        found = read(journal)
        assert {shard: [file.path for file in files] for shard, files in found.items()} == {
            2: ["shot/c/2", "split/c/2"],
            0: ["shot/c/0", "split/c/0"],
        }


def test_a_journal_of_another_build_is_thrown_away(journal: Path) -> None:
    assert read(journal, "another key") == {}
    assert read(journal) == {}


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_that_was_cut_does_not_count(journal: Path, cut: int) -> None:
    journal.write_bytes(journal.read_bytes()[:-cut])
    assert set(read(journal)) == ({2, 0} if cut == 1 else {2})


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"{}\n{}\n", b"[]", b'{"key": "key"}\nnonsense\n'])
def test_what_is_no_journal_is_none(journal: Path, content: bytes) -> None:
    journal.write_bytes(content)
    assert read(journal) == {}


@pytest.mark.parametrize(
    "line",
    [
        '{"shard": 1, "files": []}',
        '{"shard": -1, "files": []}',
        '{"shard": 3, "files": []}',
        '{"shard": 1, "files": [FILE, FILE]}',
    ],
)
def test_a_shard_counts_only_with_its_own_files(journal: Path, line: str) -> None:
    file = make_file(journal.parent / "store", "shot/c/2").model_dump_json()
    with journal.open("a") as lines:
        lines.write(line.replace("FILE", file) + "\n")
    assert set(read(journal)) == {2, 0}


@pytest.mark.parametrize("content", [None, b"", b"valuer", b"values and more"])
def test_a_shard_counts_only_if_every_file_is_what_was_written(journal: Path, content: bytes | None) -> None:
    path = journal.parent / "store" / "split" / "c" / "0"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert set(read(journal)) == {2}
    assert len(journal.read_text().splitlines()) == 2  # key and one shard


def test_every_line_is_on_disk_before_the_next_shard_is_written(journal: Path) -> None:
    first, *lines = journal.read_text().splitlines()
    assert json.loads(first) == {"key": "key"}
    assert [json.loads(line)["shard"] for line in lines] == [2, 0]
