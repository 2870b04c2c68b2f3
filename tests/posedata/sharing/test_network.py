"""Pieces of requests; the collections themselves are spoken with in test_remote.py."""

import asyncio
import gc
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from posedata.sharing import network
from posedata.sharing.network import bytes_range, gathered
from posedata.sharing.remote import GivenUpError
from posedata.sharing.web import Web


@pytest.mark.parametrize(
    ("start", "stop", "header"),
    [(0, None, {}), (0, 1, {"Range": "bytes=0-0"}), (100, 200, {"Range": "bytes=100-199"})],
)
def test_the_header_of_a_part_names_its_last_byte(start: int, stop: int | None, header: dict[str, str]) -> None:
    assert bytes_range(start, stop) == header


async def _pieces(sent: list[bytes]) -> AsyncIterator[bytes]:
    while True:  # a server without end
        sent.append(b"abc")
        yield b"abc"


async def _two() -> AsyncIterator[bytes]:
    yield b"abc"
    yield b"def"


def test_an_answer_may_be_as_large_as_it_may_be() -> None:
    assert asyncio.run(gathered(_two(), 6)) == b"abcdef"


def test_a_larger_answer_is_given_up_before_it_ends() -> None:
    sent: list[bytes] = []
    with pytest.raises(ValueError, match="6 bytes"):
        asyncio.run(gathered(_pieces(sent), 6))
    assert len(sent) == 3


def test_what_fails_after_it_was_given_up_is_not_printed(caplog: pytest.LogCaptureFixture) -> None:
    place, begun = Web("http://127.0.0.1:1"), threading.Event()

    async def failing() -> None:
        begun.set()
        time.sleep(0.3)  # the loop must be busy, so that the cancelling comes too late
        raise ValueError("a cut connection")

    def give_up() -> None:
        begun.wait()
        place.stop()

    with caplog.at_level(logging.ERROR, "asyncio"), pytest.raises(GivenUpError):
        stopper = threading.Thread(target=give_up)
        stopper.start()
        place._wait(failing())
    stopper.join()
    time.sleep(0.5)
    gc.collect()
    assert not caplog.records


def test_what_fails_is_raised() -> None:
    async def failing() -> None:
        raise FileNotFoundError("x")

    with pytest.raises(FileNotFoundError):
        Web("http://127.0.0.1:1")._wait(failing())


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a second a request, and one for every 1000 bytes."""
    monkeypatch.setattr(network, "_LEAST_SECONDS", 0.1)
    monkeypatch.setattr(network, "_SLOWEST", 1000)


@pytest.mark.usefixtures("hasty")
def test_what_moves_more_bytes_may_take_longer() -> None:
    place = Web("http://127.0.0.1:1")
    assert place._wait(asyncio.sleep(0.5, "came"), 4000) == "came"
    with pytest.raises(TimeoutError):
        place._wait(asyncio.sleep(4, "came"), 400)


@pytest.mark.usefixtures("hasty")
def test_a_whole_file_of_a_server_without_ranges_has_its_time(serve: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "abc").write_bytes(bytes(5000))
    place = Web(serve(tmp_path, ranges=False, delay=0.5))
    assert len(place.read("objects/abc", 5000, 0, 100)) == 5000
