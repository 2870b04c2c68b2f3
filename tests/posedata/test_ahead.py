"""Items in threads: order, errors, and an end that comes at once."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from functools import cached_property

import pytest

from posedata.ahead import ahead, filled, in_order, in_threads, until


def test_items_keep_their_order_and_errors_their_place() -> None:
    def made() -> Iterator[int]:
        yield from range(3)
        raise ValueError("the fourth")

    found = ahead(made())
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="the fourth"):
        next(found)
    assert list(ahead(iter(()))) == []


def test_the_next_item_is_made_while_the_last_is_used() -> None:
    begun = threading.Event()

    def made() -> Iterator[int]:
        yield 1
        begun.set()
        yield 2

    found = ahead(made())
    assert next(found) == 1
    assert begun.wait(10)
    assert list(found) == [2]


def test_who_wants_no_more_stops_what_takes_long() -> None:
    wake = threading.Event()

    def made() -> Iterator[int]:
        yield 1
        wake.wait(60)
        yield 2

    begin = time.monotonic()
    found = ahead(made(), wake.set)
    next(found)
    found.close()
    assert time.monotonic() - begin < 30


class Item:
    """Its parts wait for each other."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._both = threading.Barrier(2, timeout=10)

    @cached_property
    def left(self) -> int:
        return self._both.wait() + self.number

    @cached_property
    def right(self) -> int:
        return self._both.wait() + self.number

    @cached_property
    def wrong(self) -> int:
        raise ValueError(f"part of {self.number}")


def test_parts_are_made_side_by_side_before_an_item_comes() -> None:
    found = filled(map(Item, range(3)), ("left", "right"))
    assert [sorted(vars(item).keys() & {"left", "right", "wrong"}) for item in found] == [["left", "right"]] * 3
    with pytest.raises(ValueError, match="part of 0"):
        next(filled(map(Item, range(3)), ("wrong",)))


def test_after_an_error_nothing_more_is_begun() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 3:
            raise ValueError("three")
        time.sleep(0.01)
        return item

    with pytest.raises(ValueError, match="three"):
        list(in_threads(work, range(100), 1))
    assert len(begun) < 10
    assert sorted(in_threads(lambda item: item + 1, range(5), 2)) == [1, 2, 3, 4, 5]


def test_items_end_once_they_are_not_wanted() -> None:
    stopped = threading.Event()
    found = until(stopped, iter(range(9)))
    assert [next(found), next(found)] == [0, 1]
    stopped.set()
    with pytest.raises(CancelledError):
        next(found)
    assert list(until(threading.Event(), range(3))) == [0, 1, 2]


def test_results_in_the_order_of_the_items() -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        if item == 30:
            raise ValueError("thirty")
        time.sleep(0.02 if item % 3 == 0 else 0)
        return 2 * item

    assert list(in_order(work, range(20), 4)) == [2 * item for item in range(20)]
    begun.clear()
    with pytest.raises(ValueError, match="thirty"):
        list(in_order(work, range(30, 200), 1))
    assert len(begun) < 100
