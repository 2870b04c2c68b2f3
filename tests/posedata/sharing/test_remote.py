"""The same few operations on every kind of place."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
import s3fs
from places import S3Server

from posedata.errors import ChoiceError, ConflictError, RemoteError
from posedata.sharing.remote import NotThereError, Remote, open_remote, speaking

Serve = Callable[..., str]


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    """An empty collection that can be written to."""
    if request.param == "folder":
        return open_remote(str(tmp_path / "collection"))
    request.getfixturevalue("s3")
    return open_remote(f"s3://pose/{uuid4().hex}")


def test_what_is_sent_is_read_and_listed(place: Remote, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(200)))
    place.send(source, "objects/abc")
    place.write("people.json", b"{}", replace=False)
    assert place.read("objects/abc", 500) == bytes(range(200))
    assert place.read("objects/abc", 500, 10, 20) == bytes(range(10, 20))
    assert place.sizes("objects") == {"abc": 200}
    assert place.sizes("") == {"people.json": 2}


def test_names_as_stores_have_them(place: Remote) -> None:
    name = "brace+penn_action-k1-1,2.5_v1.json"
    place.write(name, b"1", replace=False)
    assert place.read(name, 9) == b"1"
    assert list(place.sizes("")) == [name]


def test_what_is_not_there_is_told(place: Remote) -> None:
    with pytest.raises(NotThereError, match="objects/none: expected it there"):
        place.read("objects/none", 9)


def test_of_two_writers_one_wins(place: Remote) -> None:
    """Many at once, and nobody's bytes are mixed with another's."""

    def write(content: bytes) -> bool:
        try:
            place.write("people.json", content * 1000, replace=False)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, [bytes([letter]) for letter in b"abcdefgh"]))
    assert sum(won) == 1
    assert place.read("people.json", 5000) == b"abcdefgh"[won.index(True)].to_bytes() * 1000
    place.write("people.json", b"new", replace=True)
    assert place.read("people.json", 5000) == b"new"


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("ftp://host/x", "expected a path or one of s3://"),
        ("s3://bucket/x?versionId=3", "without a query"),
        ("gs://bucket/x", "gs://"),
        ("https://user:hidden@host/x", "without user and password"),
        ("http://[::1", "expected a URL"),
        ("file://mnt/team/datasets", "found the machine mnt; use file:///mnt/team/datasets"),
        ("file://", "expected a path, like file:///mnt/team"),
        ("file:///mnt/a%00b", "expected a path, like file:///mnt/team"),
    ],
)
def test_places_that_are_not_spoken_with(url: str, word: str) -> None:
    with pytest.raises(ChoiceError, match=word):
        open_remote(url)


@pytest.mark.parametrize("host", ["", "localhost"])
def test_a_file_url_names_a_path_of_this_machine(host: str) -> None:
    assert open_remote(f"file://{host}/mnt/my%20data/a+b").url == "/mnt/my data/a+b"


def test_a_web_server_is_read_and_not_written(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "abc").write_bytes(b"0123456789")
    (tmp_path / "a+b,c.json").write_bytes(b"1")
    remote = open_remote(serve(tmp_path))
    assert remote.read("objects/abc", 99, 2, 5) == b"234"
    assert remote.sizes("objects") == {"abc": None}
    assert remote.sizes("") == {"a+b,c.json": None}
    assert remote.read("a+b,c.json", 9) == b"1"
    with pytest.raises(NotThereError):
        remote.read("objects/none", 9)
    with pytest.raises(ChoiceError, match="web server"):
        remote.write("x", b"", replace=True)
    with pytest.raises(ChoiceError, match="web server"):
        remote.send(tmp_path / "objects" / "abc", "x")


@pytest.mark.parametrize("kind", ["folder", "http", "s3"])
def test_no_answer_is_larger_than_it_may_be(
    kind: str, request: pytest.FixtureRequest, serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "people.json").write_bytes(bytes(5000))
    remote = open_remote(str(tmp_path) if kind == "folder" else serve(tmp_path))
    if kind == "s3":
        request.getfixturevalue("s3")
        remote = open_remote(f"s3://pose/{uuid4().hex}")
        remote.send(tmp_path / "people.json", "people.json")
    with pytest.raises(RemoteError, match="more than the 4,999 bytes"):
        remote.read("people.json", 4999)
    assert len(remote.read("people.json", 5000)) == 5000


def test_nobody_listens() -> None:
    with pytest.raises(RemoteError, match="expected an answer"):
        open_remote("http://127.0.0.1:9/x").read("y", 9)


def test_a_long_error_shows_no_part_of_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "pl4nted-s3cret")
    with pytest.raises(RemoteError) as caught, speaking("there"):
        raise OSError(f"{'x' * 295} pl4nted-s3cret")
    assert "pl4" not in str(caught.value)


def test_a_wrong_secret_is_refused_and_not_shown(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(RemoteError, match="expected to be let in") as caught:
        open_remote("s3://pose/x").read("y", 9, 0, 9)
    assert "not-the-secret" not in str(caught.value)
    assert "Signature" not in str(caught.value)


def test_where_a_signed_address_is_refused_the_client_of_s3_reads(
    s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    remote = open_remote(f"s3://pose/{uuid4().hex}")
    remote.write("people", b"0123456789", replace=False)
    asked = []

    async def other(self: s3fs.S3FileSystem, path: str) -> str:
        asked.append(path)
        return f"{s3.environment['AWS_ENDPOINT_URL']}/{path}?X-Amz-Signature=wrong"

    monkeypatch.setattr(s3fs.S3FileSystem, "_url", other)
    assert remote.read("people", 99, 2, 5) == b"234"
    assert asked
