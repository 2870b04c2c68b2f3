"""Encode shards on a cluster of dask.distributed.

A worker is sent all that a shard's bytes depend on, 2 MB, and sends them back: it needs neither the raw files nor the
store's disk. The build alone writes, so every file has one writer, and what a lost worker had not sent is done again
elsewhere.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import islice
from typing import Any

from posedata.errors import ChoiceError, RemoteError
from posedata.shards import ShardFrames, encoded
from posedata.versions import fingerprint

_PATIENCE = 60
"""Seconds without any result, and then without any worker, after which a build gives up."""

_LOST = (OSError, RuntimeError, ImportError, CancelledError)
"""What dask raises where the other side is gone, or lacks a package."""

_OTHER_VERSION = (
    "--scheduler: expected workers with this version of posedata, numpy, scipy and numcodecs, found another"
)

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
        ChoiceError: if a worker runs other code, or other versions of what makes the numbers.
        RemoteError: if there is no scheduler, no worker, or if a shard is the end of every worker that tries it.
    """
    from distributed import Future, wait

    waiting = iter(numbers)
    with _connected(address) as client, _reporting(address):
        running: dict[Future[Any], int] = {}
        while True:
            most = _AHEAD * max(sum(client.nthreads().values()), 1)
            for number in islice(waiting, max(most - len(running), 0)):
                running[client.submit(_encode, frames(number), pure=False)] = number
            if not running:
                return
            try:
                done = wait(list(running), timeout=_PATIENCE, return_when="FIRST_COMPLETED").done  # type: ignore[no-untyped-call]
            except TimeoutError:
                _need_workers(client, address)
                continue
            for future in done:
                yield running.pop(future), _result(future)


@contextmanager
def _reporting(address: str) -> Iterator[None]:
    """What a lost scheduler makes dask raise becomes a RemoteError."""
    try:
        yield
    except _LOST as error:
        raise RemoteError(f"{address}: expected the scheduler to stay, found it gone: {error}") from error


def check_cluster(address: str) -> None:
    """Raise what `encode_on_cluster` would, as far as it can be known before any other work is done."""
    with _connected(address) as client:
        try:
            found = {client.run_on_scheduler(fingerprint), *client.run(fingerprint).values()}
        except _LOST as error:
            raise RemoteError(f"{address}: expected posedata on scheduler and workers, found: {error}") from error
    if found != {fingerprint()}:
        raise ChoiceError(_OTHER_VERSION)


def _encode(shard: ShardFrames) -> tuple[str, list[bytes]]:
    """What a worker does."""
    return fingerprint(), [b"".join(parts) for _, parts in encoded(shard)]


def _result(future: Any) -> list[bytes]:
    from distributed import KilledWorker

    try:
        made_by, files = future.result()
    except KilledWorker as error:
        raise RemoteError(f"{error}; expected enough memory on the workers, at least 1 GB a thread") from error
    if made_by != fingerprint():
        raise ChoiceError(_OTHER_VERSION)
    return list(files)


def _connected(address: str) -> Any:
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what it has to say comes as an exception, too
    try:
        client = Client(address, timeout=_PATIENCE / 6)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError, RuntimeError, ImportError) as error:
        raise RemoteError(f"{address}: expected a dask scheduler, found none: {error}") from error
    _need_workers(client, address)
    return client


def _need_workers(client: Any, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError as error:
        client.close()
        raise RemoteError(
            f"{address}: expected a worker within {_PATIENCE} s, found none; start one with `dask worker {address}`"
        ) from error
