"""Pieces of requests; the collections themselves are spoken with in test_remote.py."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from posedata.sharing.network import bytes_range, gathered


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
