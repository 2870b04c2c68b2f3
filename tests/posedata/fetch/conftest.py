"""A server on this machine, and archives in the authors' layout made from synthetic trees."""

import io
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from places import WebServer


@dataclass
class Site:
    """What a server on this machine sends, and what it was asked for.

    Attributes:
        url: of its folder, with a `/` at its end.
        files: name -> body.
        etag: name -> ETag; empty = none.
        cut: name -> bytes of an answer's body after which the connection is closed, once.
        ranges: whether it answers a range with one.
        length: whether it tells lengths.
        headers: more of them, or others.
        status: name -> code of an answer without what was asked for.
        asked: (name, value of the Range header) of every request.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    etag: dict[str, str] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    ranges: bool = True
    length: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    status: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)


def answer(site: Site, handler: BaseHTTPRequestHandler) -> None:
    name = handler.path.lstrip("/").partition("?")[0]
    wanted = handler.headers.get("Range")
    site.asked.append((name, wanted))
    if name in site.status or name not in site.files:
        handler.send_response(site.status.get(name, 404))
        handler.end_headers()
        return
    whole = body = site.files[name]
    if wanted and site.ranges:
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(whole):
            handler.send_response(416)
            handler.end_headers()
            return
        body = whole[start:]
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
    else:
        handler.send_response(200)
    if site.length:
        handler.send_header("Content-Length", str(len(body)))
    if site.etag.get(name, '"1"'):
        handler.send_header("ETag", site.etag.get(name, '"1"'))
    for key, value in site.headers.items():
        handler.send_header(key, value)
    handler.end_headers()
    handler.wfile.write(body[: site.cut.pop(name, len(body))])


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A running server; connections are closed after every answer."""
    made = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(made, self)

        def log_message(self, *_: object) -> None:
            """Silent."""

    monkeypatch.setenv("no_proxy", "*")
    server = WebServer(("127.0.0.1", 0), Handler)
    made.url = f"{server.url}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.close()
    thread.join()


def zipped(files: dict[str, bytes]) -> bytes:
    """A .zip."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return memory.getvalue()


def tarred(files: dict[str, bytes], more: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    """A .tar.gz, with members without content in front."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as archive:
        for info in more:
            archive.addfile(info)
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return memory.getvalue()


@pytest.fixture(name="zipped")
def give_zipped() -> Callable[[dict[str, bytes]], bytes]:
    """Makes a .zip."""
    return zipped


@pytest.fixture(name="tarred")
def give_tarred() -> Callable[..., bytes]:
    """Makes a .tar.gz."""
    return tarred


def below(folder: Path, prefix: str) -> dict[str, bytes]:
    """The files of a folder by their names in an archive."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {prefix + path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def published(raw_trees: dict[str, Path]) -> dict[str, bytes]:
    """File -> archive, as the authors lay them out, with what is not wanted beside what is."""
    brace = raw_trees["brace"]
    videos = (brace / "annotations" / "videos_info.csv").read_bytes()
    repository = {
        **below(brace / "annotations", "brace-main/annotations/"),
        "brace-main/videos_info.csv": videos,
        "brace-main/README.md": b"# BRACE",
        "brace-main/annotations/audio_beats.json": b"{}",
    }
    del repository["brace-main/annotations/videos_info.csv"]
    finder = {"__MACOSX/dataset/2011/-a_1b2C3d4E/._x.json": b"finder", "dataset/.DS_Store": b"finder"}
    frames = {f"Penn_Action/frames/0001/{i:06d}.jpg": bytes([i]) * 5000 for i in range(1, 4)}
    labels = below(raw_trees["penn_action"] / "labels", "Penn_Action/labels/")
    tools = {"Penn_Action/tools/visualize.m": b"% tools", "Penn_Action/labels/._0001.mat": b"finder"}
    return {
        "dataset.zip": zipped(below(brace / "dataset", "dataset/") | finder),
        "manual_keypoints.zip": zipped(below(brace / "manual_keypoints", "manual_keypoints/")),
        "brace-main.zip": zipped(repository),
        "Penn_Action.tar.gz": tarred(frames | labels | tools),
        "speed21.zip": zipped(below(raw_trees["speed21"], "SPEED21/") | {"SPEED21/climbers.txt": b"Nobody"}),
    }


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data home."""
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
