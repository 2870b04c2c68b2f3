"""Threads: make the next item while the last one is used, or several at once."""

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from functools import partial
from threading import Event
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(items: Iterator[T], stop: Callable[[], None] = lambda: None) -> Generator[T, None, None]:
    """The same items in the same order, each made in a thread while the one before is used; errors keep their place.

    Once it is closed, nothing is being made any more.

    Args:
        items: what is to be made.
        stop: called if the last items are not wanted any more: it ends the making of an item that may take long.
    """
    with ThreadPoolExecutor(1) as pool:
        try:
            coming = pool.submit(next, items, _END)
            while (item := coming.result()) is not _END:
                coming = pool.submit(next, items, _END)
                yield item  # type: ignore[misc]
        except BaseException:
            stop()
            raise


def filled(items: Iterable[T], parts: Iterable[str]) -> Iterator[T]:
    """The same items, each once its properties of these names were asked for, side by side in two threads that stay."""
    names = tuple(parts)
    with ThreadPoolExecutor(2) as pool:
        for item in items:
            list(pool.map(partial(getattr, item), names))
            yield item


def in_threads(
    work: Callable[[T], R], items: Iterable[T], threads: int, stop: Callable[[], None] = lambda: None
) -> Iterator[R]:
    """Results as they come; after an error nothing more is begun.

    Args:
        work: what is done with each item.
        items: in the order in which they are begun.
        threads: how many.
        stop: called after an error: it ends what may take long.
    """
    with ThreadPoolExecutor(threads) as pool:
        try:
            jobs = [pool.submit(work, item) for item in items]
            for job in as_completed(jobs):
                yield job.result()
        except BaseException:
            stop()
            pool.shutdown(cancel_futures=True)
            raise


def in_order(work: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """Results in the order of the items, several made at a time; after an error nothing more is begun.

    Args:
        work: what is done with each item.
        items: what is to be worked on.
        threads: how many.
    """
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from pool.map(work, items)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def until(stopped: Event, items: Iterable[T]) -> Iterator[T]:
    """The same items; raises CancelledError instead of the next one once `stopped` is set."""
    for item in items:
        if stopped.is_set():
            raise CancelledError
        yield item


_END = object()
