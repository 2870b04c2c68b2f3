"""Archives that nobody vouches for."""

import gzip
import io
import struct
import tarfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from posedata.errors import BadInputError
from posedata.fetch import unpack as module
from posedata.fetch.unpack import unpack
from posedata.progress import silent

KEEP = (r"(?:[^/]+/)*(labels/[0-9]+\.mat)",)
GOOD = {"P/labels/1.mat": b"one" * 1000, "P/frames/1/1.jpg": b"frame" * 1000, "P/labels/2.mat": b"two"}


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "stage" / "tree"


def run(tmp_path: Path, into: Path, body: bytes) -> None:
    archive = tmp_path / "a"
    archive.write_bytes(body)
    unpack(archive, KEEP, into, silent)


def refused(tmp_path: Path, into: Path, body: bytes, found: str) -> None:
    """The archive is refused, and what was written lies below `into`."""
    before = set(tmp_path.iterdir())
    with pytest.raises(BadInputError, match=f"^{tmp_path / 'a'}: expected .*found .*{found}.*; remove it to download"):
        run(tmp_path, into, body)
    assert set(tmp_path.iterdir()) - before <= {tmp_path / "a", tmp_path / "stage"}
    if (tmp_path / "stage").exists():
        assert [*(tmp_path / "stage").iterdir()] == [into]
    written = {path.relative_to(into).as_posix() for path in into.rglob("*")}
    assert written <= {"labels", "labels/1.mat", "labels/2.mat"}


def special(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


@pytest.mark.parametrize("make", ["zipped", "tarred"])
def test_only_what_is_wanted_is_written(tmp_path: Path, into: Path, make: str, request: pytest.FixtureRequest) -> None:
    body = request.getfixturevalue(make)(GOOD | {"./labels/3.mat": b"", "P/labels/sub/4.mat": b"x"})
    run(tmp_path, into, body)
    written = {path.relative_to(into).as_posix(): path.read_bytes() for path in into.rglob("*") if path.is_file()}
    assert written == {"labels/1.mat": b"one" * 1000, "labels/2.mat": b"two", "labels/3.mat": b""}


def test_folders_and_unwanted_links_are_passed_over(tmp_path: Path, into: Path, tarred: Callable[..., bytes]) -> None:
    more = (
        special("P/labels/9.mat", tarfile.DIRTYPE),
        special("P/tools/latest", tarfile.SYMTYPE, "/etc"),
        special("P/labels", tarfile.SYMTYPE, str(tmp_path)),
    )
    run(tmp_path, into, tarred(GOOD, more))
    assert not (into / "labels").is_symlink()
    assert {path.name for path in (into / "labels").iterdir()} == {"1.mat", "2.mat"}


@pytest.mark.parametrize("make", ["zipped", "tarred"])
@pytest.mark.parametrize("name", ["../labels/1.mat", "P/../../labels/1.mat", "/labels/1.mat", "x/.."])
def test_no_member_leaves_the_tree(
    tmp_path: Path, into: Path, make: str, name: str, request: pytest.FixtureRequest
) -> None:
    refused(tmp_path, into, request.getfixturevalue(make)(GOOD | {name: b"evil"}), "which lies outside of it")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_no_link_or_device_is_taken_for_a_file(
    tmp_path: Path, into: Path, kind: bytes, tarred: Callable[..., bytes]
) -> None:
    more = (special("P/labels/1.mat", kind, "/etc/passwd"),)
    refused(tmp_path, into, tarred(GOOD, more), "member 'P/labels/1.mat': no regular file")


def test_no_link_in_a_zip_is_taken_for_a_file(tmp_path: Path, into: Path) -> None:
    info = zipfile.ZipInfo("labels/1.mat")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(memory := io.BytesIO(), "w") as archive:
        archive.writestr(info, "/etc/passwd")
    refused(tmp_path, into, memory.getvalue(), "no regular file")


def test_an_encrypted_zip(tmp_path: Path, into: Path, zipped: Callable[..., bytes]) -> None:
    body = bytearray(zipped({"labels/1.mat": b"one"}))
    at = body.rindex(b"PK\x01\x02")
    body[at + 8] |= 1
    refused(tmp_path, into, bytes(body), "encrypted")


def test_an_unusual_compression(tmp_path: Path, into: Path) -> None:
    with zipfile.ZipFile(memory := io.BytesIO(), "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("labels/1.mat", b"one")
    refused(tmp_path, into, memory.getvalue(), "an unusual compression")


@pytest.mark.parametrize("second", ["P/labels/1.mat", "Q/labels/1.mat"])
def test_a_member_twice(tmp_path: Path, into: Path, second: str) -> None:
    memory, packed = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive, tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in ("P/labels/1.mat", second):
            with warnings.catch_warnings(action="ignore"):
                archive.writestr(name, b"one")
            tar.addfile(special(name, tarfile.REGTYPE))
    refused(tmp_path, into, memory.getvalue(), f"member '{second}' twice")
    (into / "labels" / "1.mat").unlink()
    refused(tmp_path, into, packed.getvalue(), f"member '{second}' twice")


@pytest.mark.parametrize("make", ["zipped", "tarred"])
@pytest.mark.parametrize(
    ("limit", "most", "found"),
    [
        ("MOST_FILE", 2999, "'P/labels/1.mat' of 3,000 bytes"),
        ("MOST_KEPT", 3002, "more than .* or 3,002 bytes"),
        ("MOST_MEMBERS", 2, "more than 2 members"),
    ],
)
def test_limits(
    tmp_path: Path,
    into: Path,
    make: str,
    limit: str,
    most: int,
    found: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = request.getfixturevalue(make)(GOOD)
    monkeypatch.setattr(module, limit, most + 1)
    run(tmp_path, into, body)
    written = [*(into / "labels").iterdir()]
    assert len(written) == 2
    for path in written:
        path.unlink()
    monkeypatch.setattr(module, limit, most)
    refused(tmp_path, into, body, found)


@pytest.mark.parametrize("make", ["zipped", "tarred"])
def test_a_wanted_bomb_is_not_expanded(tmp_path: Path, into: Path, make: str, request: pytest.FixtureRequest) -> None:
    refused(tmp_path, into, request.getfixturevalue(make)({"labels/1.mat": bytes(1 << 27)}), "of 134,217,728 bytes")
    assert not into.exists()


def test_a_bomb_that_is_passed_over_ends(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch, tarred: Callable[..., bytes]
) -> None:
    monkeypatch.setattr(module, "MOST_STREAM", 1 << 25)
    refused(tmp_path, into, tarred({"frames/1.jpg": bytes(1 << 26)} | GOOD), "more bytes than a member says")


def test_bytes_behind_the_end_of_a_tar_end(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch, tarred: Callable[..., bytes]
) -> None:
    monkeypatch.setattr(module, "MOST_STREAM", 1 << 25)
    refused(tmp_path, into, tarred(GOOD) + gzip.compress(bytes(1 << 26)), "more bytes than")


def test_a_header_of_a_tar_that_never_ends_takes_no_memory(tmp_path: Path, into: Path) -> None:
    """Long names and extended headers are read whole: here 200 MB behind a member of 200 MB that is passed over."""
    parts = io.BytesIO()
    with gzip.open(parts, "wb", compresslevel=1) as file:
        for kind, size in ((tarfile.REGTYPE, 200 << 20), (tarfile.LNKTYPE, 200 << 20), (tarfile.XHDTYPE, 200 << 20)):
            info = special("frames/1.jpg", kind)
            info.size = size
            file.write(info.tobuf())
            file.write(bytes(size) if kind != tarfile.LNKTYPE else b"")
    tracemalloc.start()
    refused(tmp_path, into, parts.getvalue(), "more bytes than a member says")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20


def test_a_list_of_members_of_a_zip_that_is_too_long(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch, zipped: Callable[..., bytes]
) -> None:
    monkeypatch.setattr(module, "_MOST_DIRECTORY", 70_000)
    body = zipped({f"frames/{i:04d}": b"" for i in range(2000)} | GOOD)
    refused(tmp_path, into, body, "a list of members that is too large to be meant")


def test_a_sparse_file(tmp_path: Path, into: Path) -> None:
    info = special("frames/1", tarfile.GNUTYPE_SPARSE)
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[483:495] = b"777777777777"
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    refused(tmp_path, into, gzip.compress(bytes(block) + bytes(1024)), "a sparse file")


@pytest.mark.parametrize("make", ["zipped", "tarred"])
def test_what_is_wanted_must_be_there(tmp_path: Path, into: Path, make: str, request: pytest.FixtureRequest) -> None:
    refused(tmp_path, into, request.getfixturevalue(make)({"README": b"moved"}), "no member like ")


@pytest.mark.parametrize("make", ["zipped", "tarred"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_archive(tmp_path: Path, into: Path, make: str, share: float, request: pytest.FixtureRequest) -> None:
    body = request.getfixturevalue(make)({f"labels/{i}.mat": np.random.default_rng(i).bytes(999) for i in (1, 2)})
    refused(tmp_path, into, body[: int(len(body) * share)], "")


def test_a_damaged_header_in_a_tar_does_not_end_it(tmp_path: Path, into: Path, tarred: Callable[..., bytes]) -> None:
    plain = bytearray(gzip.decompress(tarred(GOOD)))
    plain[plain.index(b"P/frames") + 150] ^= 1  # in the header's checksum
    refused(tmp_path, into, gzip.compress(bytes(plain)), "a damaged header")


def test_flipped_bytes_are_told_or_harmless(tmp_path: Path, into: Path, tarred: Callable[..., bytes]) -> None:
    """Of a .tar.gz none passes, but in what gzip's header says of time and system."""
    body, rng = tarred(GOOD), np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(body)
        damaged[rng.integers(10, len(body))] ^= int(rng.integers(1, 256))
        with pytest.raises(BadInputError):
            run(tmp_path, into, bytes(damaged))
        for path in into.rglob("*.mat"):
            path.unlink()


def test_flipped_bytes_of_a_zip_raise_nothing_else(
    tmp_path: Path, into: Path, zipped: Callable[[dict[str, bytes]], bytes]
) -> None:
    body, rng, told = zipped(GOOD), np.random.default_rng(0), 0
    for _ in range(600):
        damaged = bytearray(body)
        damaged[rng.integers(2, len(body))] ^= int(rng.integers(1, 256))
        try:
            run(tmp_path, into, bytes(damaged))
        except BadInputError:
            told += 1
        else:
            assert {path.read_bytes() for path in into.rglob("*.mat")} <= {*GOOD.values()}
        for path in into.rglob("*.mat"):
            path.unlink()
    assert told > 100


def test_a_zip_that_understates_a_member(tmp_path: Path, into: Path, zipped: Callable[..., bytes]) -> None:
    body = bytearray(zipped({"labels/1.mat": bytes(1 << 20)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", body, body.index(signature) + offset, 100)
    refused(tmp_path, into, bytes(body), "")
    written = into / "labels" / "1.mat"
    assert not written.exists() or written.stat().st_size <= 100
