"""Places where collections lie, all with the same few operations and the same errors."""

import asyncio
import os
import sys
import threading
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from posedata.errors import ChoiceError, ConflictError, RemoteError
from posedata.files import copy_durably, own_name, sync_folder, write_durably
from posedata.secrets import check_url, redact

T = TypeVar("T")

_PACKAGES = {"s3": "s3fs", "hf": "huggingface_hub", "http": "aiohttp", "https": "aiohttp"}
"""Scheme -> the package that speaks it."""

_REFUSED = ("PreconditionFailed", "ConditionalRequestConflict")
"""S3's words for a file that was to be new, and is not."""

_RAISED = (
    ("aiohttp", "ClientError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("httpx", "HTTPError"),
    ("httpx2", "HTTPError"),
    ("huggingface_hub.errors", "HfHubHTTPError"),
)
"""What libraries of remote places raise beside OSError and ValueError."""

_MOST_SECONDS = 900
"""For one request: a block of 8 MB comes within it at 9 kB/s."""

_SECONDS = 30
"""Until a silent connection counts as lost."""


class NotThereError(RemoteError):
    """A place that answers, and has not what was asked for."""


class GivenUpError(RemoteError):
    """Somebody called `stop`."""


class Remote(Protocol):
    """A folder of files somewhere; names are relative to it, with `/`."""

    url: str
    given_up: threading.Event
    """Set once somebody has called `stop`."""

    def read(self, name: str, most: int, start: int = 0, stop: int | None = None) -> bytes:
        """Bytes of a file; all of it from a place that cannot give parts.

        Args:
            name: of the file.
            most: bytes that an answer may have at all.
            start: of the first byte.
            stop: behind the last; None = to the end.

        Raises:
            RemoteError: if they do not come, or are more than that.
        """

    def sizes(self, folder: str) -> dict[str, int | None]:
        """Names in a folder and their sizes, None where the place does not tell them; raises RemoteError."""

    def send(self, source: Path, name: str) -> None:
        """Put a file there, whole or not at all. Raises RemoteError."""

    def write(self, name: str, content: bytes, replace: bool) -> None:
        """Write a small file, whole or not at all.

        Raises:
            ConflictError: if it is there and not to be replaced.
            RemoteError: if it cannot be written.
        """

    def stop(self) -> None:
        """Give up whatever is under way, from any thread."""


class Folder:
    """A collection on a disk, or on one that is shared."""

    def __init__(self, root: Path) -> None:
        self.url = str(root)
        self.given_up = threading.Event()
        self._root = root

    def read(self, name: str, most: int, start: int = 0, stop: int | None = None) -> bytes:
        """See `Remote`."""
        with speaking(f"{self.url}/{name}"), (self._root / name).open("rb") as file:
            file.seek(start)
            return _at_most(file.read(most + 1 if stop is None else stop - start), most)

    def sizes(self, folder: str) -> dict[str, int | None]:
        """See `Remote`."""
        path = self._root / folder
        if not self._root.is_dir():
            raise NotThereError(f"{self.url}: expected a folder, found none")
        if not path.is_dir():
            return {}
        with speaking(str(path)):
            entries = [entry for entry in os.scandir(path) if not entry.name.startswith(".")]
            return {entry.name: entry.stat().st_size for entry in entries if entry.is_file(follow_symlinks=False)}

    def send(self, source: Path, name: str) -> None:
        """See `Remote`."""
        path = self._root / name
        with own_name(path) as mine:
            copy_durably(source, mine)
            mine.replace(path)
        sync_folder(path.parent)

    def write(self, name: str, content: bytes, replace: bool) -> None:
        """See `Remote`."""
        path = self._root / name
        with own_name(path) as mine:
            write_durably(mine, [content])
            try:
                if replace:
                    mine.replace(path)
                else:
                    path.hardlink_to(mine)  # fails where the file is, unlike a rename
            except FileExistsError as error:
                raise taken(str(path)) from error
            except PermissionError:  # a disk without hard links
                _write_new(path, content)
        sync_folder(path.parent)

    def stop(self) -> None:
        """See `Remote`."""
        self.given_up.set()


class Network:
    """A collection behind a URL, reached by fsspec."""

    def __init__(self, url: str) -> None:
        import fsspec

        self.url = url.rstrip("/")
        self._scheme = urlsplit(url).scheme
        self._jobs: set[Future[Any]] = set()
        self.given_up = threading.Event()
        with speaking(url):
            self._files: Any = fsspec.filesystem(self._scheme, skip_instance_cache=True, **_options(self._scheme))
            self._root = self._files._strip_protocol(self.url).rstrip("/")

    def read(self, name: str, most: int, start: int = 0, stop: int | None = None) -> bytes:
        """See `Remote`."""
        part = {} if stop is None else {"start": start, "end": stop}
        path = f"{self._root}/{name}"
        with speaking(f"{self.url}/{name}"):
            if self._scheme.startswith("http"):
                return self._wait(self._page(path, most, part))
            if stop is None and (size := self._do("size", path)) is not None and size > most:
                raise _too_much(most)
            return _at_most(self._do("cat_file", path, **part), most)

    async def _page(self, path: str, most: int, part: Mapping[str, int]) -> bytes:
        """An answer over HTTP, given up once it is larger than it may be: a server can send without end."""
        headers = {"Accept-Encoding": "identity"}
        if part:
            headers["Range"] = f"bytes={part['start']}-{part['end'] - 1}"
        session = await self._files.set_session()
        content = bytearray()
        async with session.get(self._files.encode_url(path), headers=headers) as answer:
            if answer.status == 404:
                raise FileNotFoundError(path)
            answer.raise_for_status()
            async for piece in answer.content.iter_chunked(1 << 20):
                content += piece
                if len(content) > most:
                    raise _too_much(most)
        return bytes(content)

    def sizes(self, folder: str) -> dict[str, int | None]:
        """See `Remote`."""
        self._files.invalidate_cache()
        where, web = f"{self._root}/{folder}".rstrip("/"), self._scheme.startswith("http")
        with speaking(f"{self.url}/{folder}".rstrip("/")):
            found = self._do("ls", f"{where}/" if web else where, detail=True)
        names = {entry["name"].rpartition("/")[2]: entry["size"] for entry in found if entry["type"] == "file"}
        return {unquote(name): size for name, size in names.items()} if web else names  # a page has links

    def send(self, source: Path, name: str) -> None:
        """See `Remote`."""
        self._writable()
        with speaking(f"{self.url}/{name}"):
            self._do("put_file", str(source), f"{self._root}/{name}")

    def write(self, name: str, content: bytes, replace: bool) -> None:
        """See `Remote`."""
        self._writable()
        path, where = f"{self._root}/{name}", f"{self.url}/{name}"
        with speaking(where):
            if replace:
                self._do("pipe_file", path, content)
                return
            if self._scheme != "s3" and self._do("exists", path):  # only there can the server decide
                raise taken(where)
            try:
                self._do("pipe_file", path, content, **({"mode": "create"} if self._scheme == "s3" else {}))
            except OSError as error:
                if _code(error) in _REFUSED:
                    raise taken(where) from error
                raise

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

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        job = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, _MOST_SECONDS), self._files.loop)
        self._jobs.add(job)
        if self.given_up.is_set():
            job.cancel()
        try:
            return job.result()
        except CancelledError as error:
            raise GivenUpError(f"{self.url}: given up") from error
        finally:
            self._jobs.discard(job)

    def _writable(self) -> None:
        if self._scheme.startswith("http"):
            raise ChoiceError(
                f"{self.url}: expected a place to write to, found a web server; push to s3://, hf:// or a folder"
            )


def open_remote(url: str) -> Remote:
    """The place that a URL or a path names; nothing is asked of it yet.

    Raises:
        ChoiceError: if nothing here speaks its scheme, or it has a query, or a user and a password.
        ModuleNotFoundError: if the package that does is not installed.
    """
    check_url(url)
    if "://" not in url:
        return Folder(Path(url).absolute())
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Folder(Path(parts.path))
    if parts.scheme not in _PACKAGES:
        known = ", ".join(f"{scheme}://" for scheme in (*_PACKAGES, "file"))
        raise ChoiceError(f"{redact(url)}: expected a path or one of {known}, found {parts.scheme}://")
    import_module(_PACKAGES[parts.scheme])
    if parts.scheme == "hf":
        from posedata.sharing.hub import Hub

        return Hub(url)
    return Network(url)


def _options(scheme: str) -> dict[str, Any]:
    """What lets a file system give up: none does by itself."""
    if scheme == "s3":
        times = {"connect_timeout": _SECONDS / 3, "read_timeout": _SECONDS, "retries": {"max_attempts": 3}}
        return {"config_kwargs": times, "use_listings_cache": False}
    if scheme.startswith("http"):
        import aiohttp

        limits = aiohttp.ClientTimeout(total=None, connect=_SECONDS / 3, sock_read=_SECONDS)
        return {"client_kwargs": {"timeout": limits, "trust_env": True}}
    return {}


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that must not be there; others may see the beginning of it."""
    try:
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise taken(str(path)) from error


def _at_most(content: bytes, most: int) -> bytes:
    if len(content) > most:
        raise _too_much(most)
    return content


def _too_much(most: int) -> ValueError:
    return ValueError(f"more than the {most:,} bytes that it may have")


def _code(error: OSError) -> str | None:
    """What an S3 server called an error."""
    answer = getattr(error.__cause__, "response", {})
    return answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None


def taken(what: str) -> ConflictError:
    """The error for a name that somebody else has."""
    return ConflictError(f"{what}: expected no dataset of this name, found one; use --overwrite or another --name")


@contextmanager
def speaking(what: str) -> Iterator[None]:
    """Whatever the libraries raise becomes a RemoteError that names the place."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotThereError(f"{what}: expected it there, found nothing") from error
    except PermissionError as error:
        raise RemoteError(f"{what}: expected to be let in, found {_why(error)}; check the credentials") from error
    except _faults() as error:
        raise RemoteError(f"{what}: expected an answer, found {_why(error)}; the same command goes on") from error


def _why(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _faults() -> tuple[type[Exception], ...]:
    """What libraries of remote places raise; only of those that are loaded."""
    loaded = [getattr(sys.modules[module], name) for module, name in _RAISED if module in sys.modules]
    return (OSError, ValueError, *loaded)
