"""What collections behind URLs share: calls to fsspec that can be given up."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar
from urllib.parse import urlsplit

from posedata.sharing.remote import GivenUpError, speaking, too_much

T = TypeVar("T")

SECONDS = 30
"""Until a silent connection counts as lost."""

_LEAST_SECONDS = 900
"""That every request has, however few its bytes."""

_SLOWEST = 7_500
"""Bytes a second that a file comes or goes at, at least; beside 15 others, over a line of a megabit a second."""


class Network:
    """See `posedata.sharing.remote.Remote`.

    Args:
        url: of the collection.
        options: of fsspec's file system for its scheme.
    """

    def __init__(self, url: str, **options: Any) -> None:
        import fsspec

        self.url = url.rstrip("/")
        self.given_up = threading.Event()
        self._jobs: set[Future[Any]] = set()
        with speaking(url):
            self._files: Any = fsspec.filesystem(urlsplit(url).scheme, **options)
            self._root = self._files._strip_protocol(self.url).rstrip("/")

    def need_writable(self) -> None:
        """See `Remote`."""

    def sizes(self, folder: str) -> dict[str, int | None]:
        """See `Remote`."""
        self._files.invalidate_cache()
        with speaking(f"{self.url}/{folder}".rstrip("/")):
            found = self._do("ls", self._listed(folder), detail=True)
        return {entry["name"].rpartition("/")[2]: entry["size"] for entry in found if entry["type"] == "file"}

    def _listed(self, folder: str) -> str:
        """What is asked for to list a folder."""
        return f"{self._root}/{folder}".rstrip("/")

    def stop(self) -> None:
        """See `Remote`."""
        self.given_up.set()
        for job in tuple(self._jobs):
            job.cancel()

    def _do(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call the file system; what is asynchronous there can be cancelled, which fsspec's own waiting cannot."""
        if not self._files.async_impl:
            return getattr(self._files, method)(*arguments, **options)
        return self._wait(getattr(self._files, f"_{method}")(*arguments, **options))

    def _wait(self, work: Coroutine[Any, Any, T], size: int = 0) -> T:
        """What comes of a request that moves `size` bytes at most; raises TimeoutError if it goes on for too long."""
        seconds = _LEAST_SECONDS + size / _SLOWEST
        job = asyncio.run_coroutine_threadsafe(_settled(work, seconds), self._files.loop)
        self._jobs.add(job)
        if self.given_up.is_set():
            job.cancel()
        try:
            result = job.result()
        except CancelledError as error:
            raise GivenUpError(f"{self.url}: given up") from error
        finally:
            self._jobs.discard(job)
        if isinstance(result, BaseException):
            raise result
        return result


async def _settled(work: Coroutine[Any, Any, T], seconds: float) -> T | BaseException:
    """What came, or what went wrong; raised in the loop when nobody waits any more, asyncio would print it."""
    (result,) = await asyncio.gather(asyncio.wait_for(work, seconds), return_exceptions=True)
    return result


async def gathered(pieces: AsyncIterator[bytes], most: int) -> bytes:
    """All of an answer, given up once it is larger than it may be: a server can send without end."""
    content, size = [], 0
    async for piece in pieces:
        content.append(piece)
        size += len(piece)
        if size > most:
            raise too_much(most)
    return b"".join(content)


def bytes_range(start: int, stop: int | None) -> dict[str, str]:
    """The header that asks for a part; none for all of a file."""
    return {} if stop is None else {"Range": f"bytes={start}-{stop - 1}"}
