"""From addresses to a raw tree: whole or not at all, and always of the same archives."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from posedata.errors import BadInputError, ChoiceError, ConflictError, IntegrityError, RemoteError
from posedata.fetch import fetching
from posedata.fetch.fetching import RECEIPT, fetch, hashes_file
from posedata.files import sha256_file
from posedata.formats import FORMATS
from posedata.locks import locked

NAMES = ("brace", "penn_action", "speed21")


def run(site: Any, name: str, root: Path) -> fetching.Receipt:
    return fetch(name, root, site.url + ("speed21.zip" if name == "speed21" else ""))


def content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def root(home: Path) -> Path:
    return home / "raw" / "some"


@pytest.mark.parametrize("name", NAMES)
def test_a_tree_is_what_the_format_reads(
    name: str, site: Any, root: Path, home: Path, published: dict[str, bytes], raw_trees: dict[str, Path]
) -> None:
    site.files = published
    receipt = run(site, name, root)
    found, real = content(root), content(raw_trees[name])
    assert json.loads(found.pop(RECEIPT)) == json.loads(receipt.model_dump_json())
    if name == "brace":
        real["videos_info.csv"] = real.pop("annotations/videos_info.csv")
    del real["SYNTHETIC.txt"]
    assert found == real
    fetched, sampled = FORMATS[name].open(root), FORMATS[name].open(raw_trees[name])
    assert fetched.items() == sampled.items()
    assert not {RECEIPT} & {path.name for path in fetched.tables()}
    assert fetched.warnings == ()
    # Nothing is left of the archives but their hashes.
    assert [path.name for path in (home / "cache" / "fetch" / name).iterdir()] == ["hashes.json"]
    assert [path.name for path in root.parent.iterdir()] == ["some"]


def test_the_receipt_and_the_record_name_every_archive(site: Any, root: Path, published: dict[str, bytes]) -> None:
    site.files = published
    receipt = run(site, "brace", root)
    assert receipt.licence == FORMATS["brace"].licence
    assert "ECCV 2022" in receipt.cite
    names = ["dataset.zip", "manual_keypoints.zip", "brace-main.zip"]
    assert [(a.file, a.url, a.size) for a in receipt.archives] == [(n, site.url + n, len(published[n])) for n in names]
    kept = json.loads(hashes_file("brace").read_text())
    assert {name: record["sha256"] for name, record in kept.items()} == {a.file: a.sha256 for a in receipt.archives}


@pytest.mark.parametrize("make", ["zipped", "tarred"])
def test_either_kind_of_archive_will_do(
    site: Any, root: Path, make: str, raw_trees: dict[str, Path], request: pytest.FixtureRequest
) -> None:
    site.files["x"] = request.getfixturevalue(make)(content(raw_trees["speed21"]))
    fetch("speed21", root, site.url + "x?sig=s3cret")
    assert FORMATS["speed21"].open(root).items() == FORMATS["speed21"].open(raw_trees["speed21"]).items()
    assert "s3cret" not in (root / RECEIPT).read_text() + hashes_file("speed21").read_text()


def test_another_archive_later_is_refused(
    site: Any, root: Path, published: dict[str, bytes], zipped: Any, raw_trees: dict[str, Path]
) -> None:
    site.files = published
    first = run(site, "speed21", root).archives[0]
    site.files = {"speed21.zip": zipped(content(raw_trees["speed21"]))}
    again = root.with_name("again")
    with pytest.raises(IntegrityError) as caught:
        run(site, "speed21", again)
    message = str(caught.value)
    assert message.startswith(f"{first.url}: sha256: expected {first.sha256}, found ")
    assert f"remove {hashes_file('speed21')}" in message
    assert not again.exists()
    # As the message says; the archive that was refused is asked for again, not taken from the cache.
    hashes_file("speed21").unlink()
    asked = len(site.asked)
    second = run(site, "speed21", again).archives[0]
    assert len(site.asked) == asked + 1
    assert second.sha256 != first.sha256
    assert second.sha256 in message


def test_the_same_archive_later_is_accepted_from_anywhere(site: Any, root: Path, published: dict[str, bytes]) -> None:
    site.files = published | {"copy": published["speed21.zip"]}
    run(site, "speed21", root)
    before = hashes_file("speed21").read_bytes()
    assert fetch("speed21", root.with_name("again"), site.url + "copy").archives[0].url == site.url + "copy"
    assert hashes_file("speed21").read_bytes() == before


def test_hashes_that_cannot_be_read_are_told(site: Any, root: Path) -> None:
    hashes_file("speed21").parent.mkdir(parents=True)
    hashes_file("speed21").write_text("{")
    with pytest.raises(BadInputError, match=r"hashes\.json: expected the hashes of earlier downloads.*remove it"):
        run(site, "speed21", root)


@pytest.mark.parametrize("there", ["file", "folder", "link"])
def test_what_is_there_is_left_alone(site: Any, root: Path, there: str) -> None:
    root.parent.mkdir(parents=True)
    if there == "file":
        root.write_text("mine")
    elif there == "folder":
        (root / "mine").mkdir(parents=True)
    else:
        root.symlink_to("nowhere")
    with pytest.raises(ConflictError, match="expected no such folder or an empty one"):
        run(site, "brace", root)
    assert site.asked == []


def test_an_empty_folder_is_filled(site: Any, root: Path, published: dict[str, bytes]) -> None:
    site.files = published
    root.mkdir(parents=True)
    run(site, "penn_action", root)
    assert len([*(root / "labels").iterdir()]) == 12


def test_a_second_process_is_refused(site: Any, root: Path) -> None:
    folder = hashes_file("brace").parent
    with locked(folder, folder), pytest.raises(ConflictError, match="found another process"):
        run(site, "brace", root)


def test_a_cut_goes_on_and_finished_archives_are_not_asked_for_again(
    site: Any, root: Path, home: Path, published: dict[str, bytes]
) -> None:
    site.files = published
    half = len(published["manual_keypoints.zip"]) // 2
    site.cut["manual_keypoints.zip"] = half
    with pytest.raises(RemoteError, match=f"it goes on behind the {half:,} bytes"):
        run(site, "brace", root)
    assert not root.parent.exists()
    (home / "cache" / "fetch" / "brace" / "tmpx1y2z3").touch()  # as a killed process leaves it
    run(site, "brace", root)
    assert site.asked == [
        ("dataset.zip", None),
        ("manual_keypoints.zip", None),
        ("manual_keypoints.zip", f"bytes={half}-"),
        ("brace-main.zip", None),
    ]
    assert [path.name for path in (home / "cache" / "fetch" / "brace").iterdir()] == ["hashes.json"]


def test_a_dangerous_archive_leaves_nothing_and_is_no_known_one(
    site: Any, root: Path, home: Path, published: dict[str, bytes], zipped: Any
) -> None:
    evil = zipped({"metadata.txt": b"", "skeletons/1.data": b"", "../../evil.data": b""})
    site.files = {"speed21.zip": evil}
    with pytest.raises(BadInputError, match="which lies outside of it; remove it to download it again") as caught:
        run(site, "speed21", root)
    assert [*root.parent.iterdir()] == []
    assert not hashes_file("speed21").exists()
    archive = Path(str(caught.value).partition(": ")[0])
    assert archive.read_bytes() == evil
    # As the message says.
    archive.unlink()
    site.files = published
    run(site, "speed21", root)
    assert not list(home.rglob("evil*"))


def test_a_body_that_ends_early_without_anybody_knowing_is_no_known_one(
    site: Any, root: Path, published: dict[str, bytes]
) -> None:
    site.files, site.length, site.cut["Penn_Action.tar.gz"] = published, False, 5000
    with pytest.raises(BadInputError, match="remove it to download it again"):
        run(site, "penn_action", root)
    assert not hashes_file("penn_action").exists()
    assert [*root.parent.iterdir()] == []


def test_a_full_disk_keeps_the_archives(
    site: Any, root: Path, published: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files = published

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x")

    with monkeypatch.context() as patch:
        patch.setattr(fetching, "sync_tree", full)
        with pytest.raises(OSError, match="No space"):
            run(site, "penn_action", root)
    assert [*root.parent.iterdir()] == []
    asked = len(site.asked)
    run(site, "penn_action", root)
    assert len(site.asked) == asked == 1


def test_what_cannot_be_fetched(root: Path) -> None:
    with pytest.raises(ChoiceError, match="can be fetched: brace, penn_action, speed21"):
        fetch("climbalong", root)
    with pytest.raises(ChoiceError, match="expected --url"):
        fetch("speed21", root)


def test_the_hash_is_that_of_the_bytes(site: Any, root: Path, published: dict[str, bytes], tmp_path: Path) -> None:
    site.files = published
    (tmp_path / "a").write_bytes(published["speed21.zip"])
    assert run(site, "speed21", root).archives[0].sha256 == sha256_file(tmp_path / "a")
