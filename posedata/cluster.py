"""Encode shards on a cluster of dask.distributed.

A worker is sent all that a shard's bytes depend on, 2 MB, and sends them back: it needs neither the raw files nor the
store's disk. The build alone writes, so every file has one writer, and what a lost worker had not sent is done again
elsewhere.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from posedata.errors import ChoiceError, RemoteError
from posedata.shards import ShardFrames, encoded
from posedata.versions import versions

_PATIENCE = 60
"""Seconds without any result, then for the scheduler to answer, and then without any worker: then a build gives up."""

_LOST = (OSError, RuntimeError, CancelledError)
"""What dask raises where the other side is gone."""

_AHEAD = 2
"""Shards under way for every thread of the cluster, so that none waits for the next."""


def encode_on_cluster(
    address: str, numbers: Iterable[int], frames: Callable[[int], ShardFrames]
) -> Iterator[tuple[int, list[bytes]]]:
    """Encode shards.

    Args:
        address: of the scheduler, like tcp://host:8786.
        numbers: of the shards.
        frames: what there is to be known of a shard.

    Yields:
        A number and the files of that shard, in the order of its arrays; shards come as they are done.

    Raises:
        RemoteError: if there is no scheduler or no worker any more, if a shard is the end of every worker that tries
            it, or if a worker runs other code, or other versions of what makes the numbers.
    """
    waiting = iter(numbers)
    with _connected(address) as client:
        running: dict[Any, int] = {}
        while True:
            with _reporting(address):
                most = _AHEAD * max(_threads(client), 1)
            for number in islice(waiting, max(most - len(running), 0)):
                shard = frames(number)  # if this disk fails, that is no fault of the cluster
                with _reporting(address):
                    running[client.submit(_encode, shard, pure=False)] = number
            if not running:
                return
            for future in _done(client, address, list(running)):
                yield running.pop(future), _result(future, address)


def _done(client: Any, address: str, running: list[Any]) -> Iterable[Any]:
    """Those that are done, at least one; none if that takes long and there are workers still."""
    from distributed import wait

    with _reporting(address):
        try:
            return wait(running, timeout=_PATIENCE, return_when="FIRST_COMPLETED").done  # type: ignore[no-any-return, no-untyped-call]
        except TimeoutError:
            _need_workers(client, address)
            return ()


@contextmanager
def _reporting(address: str) -> Iterator[None]:
    """What a lost scheduler makes dask raise becomes a RemoteError."""
    try:
        yield
    except _LOST as error:
        raise RemoteError(
            f"{address}: expected the scheduler to stay, found it gone; start another, or leave --scheduler out: the "
            "same command goes on behind the finished shards"
        ) from error


def check_cluster(address: str) -> None:
    """Raise what `encode_on_cluster` would, as far as it can be known before any other work is done.

    Raises:
        ChoiceError: if that is no address.
        RemoteError: as there.
    """
    _check_address(address)
    with _connected(address) as client:
        try:
            found = {address: client.run_on_scheduler(versions)}
        except (*_LOST, ImportError, AttributeError) as error:
            found = {address: error}
        with _reporting(address):
            found |= client.run(versions, on_error="return")
    _check_versions(found)


def _check_address(address: str) -> None:
    try:
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        sound = parts.hostname and parts.port
    except ValueError:  # a port that is no number or above 65535
        sound = None
    if not sound:
        raise ChoiceError(f"--scheduler {address!r}: expected an address like tcp://host:8786, found none")


def _check_versions(found: Mapping[str, Any]) -> None:
    """Raise RemoteError, one line a difference, unless all machines (by address) have the versions of this one."""
    faults = {}
    for address, there in found.items():
        if isinstance(there, Exception):
            faults[str(there)] = f"{address}: expected posedata {versions()['posedata']}, found {_line(there)}"
        elif there != versions():
            expected, other = _differing(versions(), there), _differing(there, versions())
            faults[other] = f"{address}: expected {expected} as here, found {other}"
    if faults:
        advice = "; install the same there as here, and start it again"
        raise RemoteError(*(fault + advice for fault in faults.values()))


def _differing(these: Mapping[str, str], those: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in these.items() if those.get(name) != version)


def _encode(shard: ShardFrames) -> tuple[dict[str, dict[str, str]], list[bytes]]:
    """What a worker does; it says who it is, for it may have joined since the others were asked."""
    from distributed import get_worker

    return {get_worker().address: versions()}, [b"".join(parts) for _, parts in encoded(shard)]


def _result(future: Any, address: str) -> list[bytes]:
    if future.status == "error":
        error = future.exception()
        raise RemoteError(
            f"{address}: expected its workers to encode a shard, found {_line(error)}; look at what they say, and "
            "give them at least 1 GB of memory a thread"
        ) from error
    with _reporting(address):
        made_by, files = future.result()
    _check_versions(made_by)
    return list(files)


def _connected(address: str) -> Any:
    from distributed import Client

    for name in ("distributed", "distributed.client"):  # what they have to say comes as an exception, too
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=_PATIENCE / 6)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, ImportError) as error:  # a scheme that dask has not, or not without more
        raise ChoiceError(
            f"--scheduler {address!r}: expected an address like tcp://host:8786, found {_line(error)}"
        ) from error
    except (OSError, RuntimeError) as error:
        raise RemoteError(
            f"{address}: expected a dask scheduler, found none; start one with `dask scheduler`: {_line(error)}"
        ) from error
    with _reporting(address):
        _need_workers(client, address)
    return client


def _threads(client: Any) -> int:
    """Of all workers; raises TimeoutError if the scheduler does not say."""
    return sum(client.nthreads(callback_timeout=_PATIENCE).values())


def _need_workers(client: Any, address: str) -> None:
    """Raise RemoteError if no worker comes in time."""
    _threads(client)
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        client.close()
        raise RemoteError(
            f"{address}: expected a worker within {_PATIENCE} s, found none; start one with `dask worker {address}`"
        ) from error


def _line(error: object) -> str:
    """An error in one line."""
    return re.sub(r"\s+", " ", f"{type(error).__name__}: {error}")
