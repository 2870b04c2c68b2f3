"""Files block by block, asked for again before they are given up."""

import threading

import pytest

from posedata.errors import RemoteError
from posedata.sharing import blocks as module
from posedata.sharing.blocks import blocks
from posedata.sharing.remote import GivenUpError, NotThereError

CONTENT = bytes(range(25))


class Place:
    """Gives what it is asked for, after it has failed as it is told; remembers what was asked."""

    url = "there"

    def __init__(self, *faults: Exception, parts: bool = True, lacking: int = 0) -> None:
        self.given_up = threading.Event()
        self.asked: list[tuple[int, int | None]] = []
        self._faults, self._parts, self._lacking = [*faults], parts, lacking

    def read(self, name: str, most: int, start: int = 0, stop: int | None = None) -> bytes:
        self.asked.append((start, stop))
        if self._faults:
            raise self._faults.pop(0)
        return CONTENT[start : (stop or 0) - self._lacking] if self._parts else CONTENT


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", 10)
    monkeypatch.setattr(module, "_WAITS", (0.0, 0.0))


def got(place: Place, begun: int = 0) -> bytes:
    return b"".join(blocks(place, "x", len(CONTENT), begun))  # type: ignore[arg-type]


def test_a_file_comes_in_blocks_from_where_it_was_left() -> None:
    place = Place()
    assert got(place, begun=3) == CONTENT[3:]
    assert place.asked == [(3, 13), (13, 23), (23, 25)]
    assert got(Place(), begun=25) == b""


def test_where_there_are_no_parts_all_of_it_is_taken_at_once() -> None:
    place = Place(parts=False)
    assert got(place, begun=3) == CONTENT[3:]
    assert len(place.asked) == 1


def test_a_block_is_asked_for_again_and_then_no_more() -> None:
    assert got(Place(RemoteError("a"), RemoteError("b"))) == CONTENT
    with pytest.raises(RemoteError, match="c"):
        got(Place(RemoteError("a"), RemoteError("b"), RemoteError("c")))


@pytest.mark.parametrize("fault", [NotThereError("gone"), GivenUpError("stopped")])
def test_what_will_not_come_is_asked_for_once(fault: RemoteError) -> None:
    place = Place(fault)
    with pytest.raises(type(fault)):
        got(place)
    assert len(place.asked) == 1


def test_nobody_waits_once_it_is_given_up() -> None:
    class Stopping(Place):
        def read(self, name: str, most: int, start: int = 0, stop: int | None = None) -> bytes:
            self.given_up.set()
            return super().read(name, most, start, stop)

    place = Stopping(RemoteError("a"))
    with pytest.raises(GivenUpError):
        got(place)
    assert len(place.asked) == 1


def test_no_other_block_is_asked_for_once_it_is_given_up() -> None:
    place = Place()
    coming = blocks(place, "x", len(CONTENT))  # type: ignore[arg-type]
    assert next(coming) == CONTENT[:10]
    place.given_up.set()
    with pytest.raises(GivenUpError):
        next(coming)
    assert len(place.asked) == 1


def test_a_short_block_is_a_fault() -> None:
    with pytest.raises(RemoteError, match="there/x: expected 10 bytes, found 8"):
        got(Place(lacking=2))
