"""Downloads from a server on this machine that stops, changes its mind, or sends something else."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from posedata.errors import RemoteError, ResourceError
from posedata.fetch import download as module
from posedata.fetch.download import download
from posedata.progress import Advance, silent

BODY = b"PK" + bytes(range(256)) * 20_000
"""5 MB that begin as a .zip does."""

OTHER = b"PK" + bytes(range(255, -1, -1)) * 20_000


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "a.zip"


def fetch(site: Any, target: Path) -> bytes:
    download(site.url + "a.zip", target, "see the page", silent)
    return target.read_bytes()


def cut(site: Any, target: Path, at: int) -> int:
    """Bytes that are there after a download that was cut."""
    site.cut["a.zip"] = at
    with pytest.raises(RemoteError, match="run the command again"):
        fetch(site, target)
    assert not target.exists()
    return part(target).stat().st_size


def part(target: Path) -> Path:
    return target.with_name("a.zip.part")


def test_a_whole_file_leaves_nothing_beside_it(site: Any, target: Path) -> None:
    site.files["a.zip"] = BODY
    assert fetch(site, target) == BODY
    assert [path.name for path in target.parent.iterdir()] == ["a.zip"]


def test_what_is_there_is_not_asked_for(site: Any, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"kept")
    assert fetch(site, target) == b"kept"
    assert site.asked == []


@pytest.mark.parametrize("at", [1, 1000, 1 << 20, len(BODY) - 1])
def test_a_cut_download_goes_on(site: Any, target: Path, at: int) -> None:
    site.files["a.zip"] = BODY
    arrived = cut(site, target, at)
    assert arrived == at
    assert fetch(site, target) == BODY
    assert site.asked == [("a.zip", None), ("a.zip", f"bytes={at}-")]
    assert [path.name for path in target.parent.iterdir()] == ["a.zip"]


def test_it_goes_on_after_every_cut(site: Any, target: Path) -> None:
    site.files["a.zip"] = BODY
    assert [cut(site, target, 1_000_000) for _ in range(3)] == [1_000_000, 2_000_000, 3_000_000]
    assert fetch(site, target) == BODY


def test_a_server_without_ranges_sends_all_again(site: Any, target: Path) -> None:
    site.files["a.zip"], site.ranges = BODY, False
    cut(site, target, 1_000_000)
    assert fetch(site, target) == BODY
    assert site.asked[-1] == ("a.zip", "bytes=1000000-")


@pytest.mark.parametrize(("etag", "body"), [('"2"', OTHER), ('"1"', OTHER + b"longer"), ('"1"', BODY[:500_000])])
def test_a_file_that_changed_is_begun_anew(site: Any, target: Path, etag: str, body: bytes) -> None:
    site.files["a.zip"] = BODY
    cut(site, target, 1_000_000)
    site.files["a.zip"], site.etag["a.zip"] = body, etag
    assert fetch(site, target) == body
    assert site.asked[1:] == [("a.zip", "bytes=1000000-"), ("a.zip", None)]


def test_a_changed_date_begins_anew_where_there_is_no_etag(site: Any, target: Path) -> None:
    site.files["a.zip"], site.etag["a.zip"] = BODY, ""
    site.headers["Last-Modified"] = "Mon, 01 Jan 2024 00:00:00 GMT"
    cut(site, target, 1_000_000)
    site.files["a.zip"], site.headers["Last-Modified"] = OTHER, "Tue, 02 Jan 2024 00:00:00 GMT"
    assert fetch(site, target) == OTHER


def test_without_etag_and_date_nothing_is_put_behind_something_else(site: Any, target: Path) -> None:
    site.files["a.zip"], site.etag["a.zip"] = BODY, ""
    cut(site, target, 1_000_000)
    site.files["a.zip"] = OTHER
    assert fetch(site, target) == OTHER
    assert site.asked[-1] == ("a.zip", None)


def test_a_note_that_was_not_kept_whole_begins_anew(site: Any, target: Path) -> None:
    site.files["a.zip"] = BODY
    cut(site, target, 1_000_000)
    target.with_name("a.zip.part.json").write_text('{"etag"')
    assert fetch(site, target) == BODY
    assert site.asked[-1] == ("a.zip", None)


def test_a_whole_part_is_only_put_in_its_place(site: Any, target: Path) -> None:
    """As a process leaves it that was killed at the end."""
    site.files["a.zip"] = BODY
    cut(site, target, 1_000_000)
    part(target).write_bytes(BODY)
    assert fetch(site, target) == BODY
    assert len(site.asked) == 1


def test_a_length_that_is_not_told_is_no_hindrance(site: Any, target: Path) -> None:
    site.files["a.zip"], site.length = BODY, False
    assert fetch(site, target) == BODY


def test_the_bytes_are_those_on_the_server(site: Any, target: Path) -> None:
    """Some servers call a .tar.gz a .tar that is compressed on the way."""
    body = b"\x1f\x8b" + BODY
    site.files["a.zip"], site.headers["Content-Encoding"] = body, "gzip"
    assert fetch(site, target) == body


@pytest.mark.parametrize(
    ("name", "status", "found"),
    [("gone", 404, "HTTP 404 Not Found"), ("closed", 403, "HTTP 403"), ("down", 503, "HTTP 503")],
)
def test_a_refusal_is_told_and_keeps_what_is_there(site: Any, target: Path, name: str, status: int, found: str) -> None:
    del name
    site.files["a.zip"] = BODY
    cut(site, target, 1_000_000)
    site.status["a.zip"] = status
    with pytest.raises(RemoteError, match=f"expected an archive, found {found}.*; see the page"):
        fetch(site, target)
    assert part(target).stat().st_size == 1_000_000
    del site.status["a.zip"]
    assert fetch(site, target) == BODY


def test_a_login_page_does_not_replace_what_is_there(site: Any, target: Path) -> None:
    site.files["a.zip"] = BODY
    cut(site, target, 1_000_000)
    site.files["a.zip"], site.ranges = b"<html>Please log in</html>", False
    site.headers["Content-Type"] = "text/html; charset=utf-8"
    with pytest.raises(RemoteError, match="found a web page; see the page"):
        fetch(site, target)
    site.files["a.zip"], site.ranges = BODY, True
    del site.headers["Content-Type"]
    assert fetch(site, target) == BODY


@pytest.mark.parametrize("body", [b"<!doctype html>", b"", b'{"error": 1}'])
def test_what_begins_as_no_archive_is_refused(site: Any, target: Path, body: bytes) -> None:
    site.files["a.zip"] = body
    with pytest.raises(RemoteError, match=re.escape(f"found something that begins with {body[:2]!r}; see the page")):
        fetch(site, target)
    assert not part(target).exists()
    site.files["a.zip"] = BODY
    assert fetch(site, target) == BODY


def test_no_redirection_leaves_https() -> None:
    answer = SimpleNamespace(status_code=200, url="http://other/a.zip", headers={})
    module._check(answer, 0, "http://here/a.zip", "")
    with pytest.raises(RemoteError, match="found a redirection to an address without https"):
        module._check(answer, 0, "https://here/a.zip", "")


def test_a_piece_that_was_not_asked_for_is_refused(site: Any, target: Path) -> None:
    site.files["a.zip"], site.status["a.zip"] = BODY, 206
    with pytest.raises(RemoteError, match="found HTTP 206"):
        fetch(site, target)


def test_a_server_that_is_not_there(site: Any, target: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        site.url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(RemoteError, match="found Connection refused; run the command again"):
            fetch(site, target)


def test_a_server_that_says_nothing(site: Any, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silence:
        site.url = f"http://127.0.0.1:{silence.getsockname()[1]}/"
        with pytest.raises(RemoteError, match="found timed out; run the command again"):
            fetch(site, target)


def test_a_server_that_falls_silent_in_the_middle(site: Any, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        site.url = f"http://127.0.0.1:{server.getsockname()[1]}/"

        def speak() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 5000000\r\n\r\n' + BODY[: 3 << 20])
                connection.recv(1)  # until the other side gives up

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(RemoteError, match=r"found timed out; .*; it goes on behind the 3,145,728 bytes"):
            fetch(site, target)
        thread.join()


def test_a_full_disk_is_told_before_anything_is_written(
    site: Any, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.files["a.zip"] = BODY
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": len(BODY) - 1}))
    with pytest.raises(ResourceError, match=r"expected 5,120,002 bytes of free space at least, found 5,120,001"):
        fetch(site, target)
    assert not part(target).exists()


@pytest.mark.parametrize("length", [True, False])
def test_no_disk_is_filled_by_a_body_that_does_not_end(
    site: Any, target: Path, monkeypatch: pytest.MonkeyPatch, length: bool
) -> None:
    site.files["a.zip"], site.length = BODY, length
    monkeypatch.setattr(module, "MOST_BYTES", 3_000_000)
    with pytest.raises(RemoteError, match="expected at most 3,000,000 bytes, found more"):
        fetch(site, target)
    assert not part(target).exists() or part(target).stat().st_size == 0


def test_progress_counts_bytes(site: Any, target: Path) -> None:
    told: list[tuple[str, int, str, list[float]]] = []

    @contextmanager
    def progress(what: str, total: int, unit: str) -> Iterator[Advance]:
        told.append((what, total, unit, []))
        yield told[-1][3].append

    site.files["a.zip"] = BODY
    cut(site, target, 1_000_000)
    download(site.url + "a.zip", target, "", progress)
    (what, total, unit, steps), size = told[0], len(BODY)
    assert (what, total, unit) == ("downloading a.zip", size, "bytes")
    assert (steps[0], sum(steps)) == (1_000_000, size)
    assert len(steps) > 3
