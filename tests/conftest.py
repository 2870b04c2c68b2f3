"""What all tests share: where the real data is, and small synthetic trees and stores made once."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import s3fs
from browser import Browser
from places import S3Server, WebServer, web_server
from zygote import Process, Zygote

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.samples import write_sample

SHARED = Path(os.environ.get("POSEDATA_SHARED") or Path(__file__).parents[2] / "shared")


def pytest_report_header() -> str:
    found = "found" if (SHARED / "data").is_dir() else "NOT FOUND: tests on real data are skipped, set $POSEDATA_SHARED"
    return f"real data: {SHARED / 'data'}: {found}"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data; skips where it is not."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"real data not found at {SHARED / 'data'}; set $POSEDATA_SHARED")
    return SHARED / "data"


@pytest.fixture(scope="session")
def raw_trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small synthetic tree of every format; tests must not change them (see `copy_tree`)."""
    root = tmp_path_factory.mktemp("raw")
    for name in ("brace", "keypoints", "penn_action", "speed21"):
        write_sample(name, root / name, sequences=12, frames=40)
    write_sample("climbalong", root / "climbalong", sequences=4, frames=24)
    return {path.name: path for path in root.iterdir()}


@pytest.fixture
def copy_tree(raw_trees: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a synthetic tree that a test may damage."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(raw_trees[name], tmp_path / "raw" / name))

    return copy


@pytest.fixture(scope="session")
def stores(raw_trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small store of every format; tests must not change them."""
    root = tmp_path_factory.mktemp("stores")
    for name, tree in raw_trees.items():
        detected = name == "climbalong"
        recipe = Recipe(
            datasets=(Selection(dataset=name),),
            noise=None if detected else Noise(),
            split="held-out" if detected else "video",
        )
        build_store(recipe, {name: tree}, root / f"{name}.zarr")
    return {path.stem: path for path in root.iterdir()}


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    made = Zygote()
    yield made
    made.close()


@pytest.fixture
def command(tmp_path: Path, zygote: Zygote) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs an installed command in its own data home: `command("posedata", "info", store)`."""

    def run(name: str, *arguments: object, **extra: str) -> subprocess.CompletedProcess[str]:
        line = [str(Path(sys.executable).parent / name), *map(str, arguments)]
        return zygote.run(line, tmp_path, **{"POSEDATA_HOME": str(tmp_path / "home"), **extra})

    return run


@pytest.fixture
def start(tmp_path: Path, zygote: Zygote) -> Iterator[Callable[..., Process]]:
    """Starts an installed command, whose end is not waited for; what runs when the test ends is killed."""
    started: list[Process] = []

    def begin(name: str, *arguments: object, **extra: str) -> Process:
        line = [str(Path(sys.executable).parent / name), *map(str, arguments)]
        started.append(zygote.start(line, tmp_path, **extra))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("weed"))
    yield server
    server.kill()


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """A running S3 server with its credentials in the environment."""
    for name, value in s3_server.environment.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()  # it goes by the environment in which it was made
    return s3_server


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serves a folder over HTTP and gives its URL; takes what `places.web_server` takes."""
    servers: list[WebServer] = []

    def start(folder: Path, **options: Any) -> str:
        servers.append(web_server(folder, **options))
        return servers[-1].url

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium; skips where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no chromium found: pages are not tried in a browser")
    started = Browser(program, tmp_path_factory.mktemp("chromium"))
    yield started
    started.close()
