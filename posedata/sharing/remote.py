"""Places where collections lie, all with the same few operations and the same errors."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from posedata.errors import ChoiceError, ConflictError, RemoteError
from posedata.secrets import beginning, check_url, redact

_PACKAGES = {"s3": "s3fs", "hf": "huggingface_hub", "http": "aiohttp", "https": "aiohttp"}
"""Scheme -> the package that speaks it."""

_RAISED = (
    ("aiohttp", "ClientError"),
    ("botocore.exceptions", "BotoCoreError"),
    ("botocore.exceptions", "ClientError"),
    ("httpx", "HTTPError"),
    ("httpx2", "HTTPError"),
    ("huggingface_hub.errors", "HfHubHTTPError"),
)
"""What libraries of remote places raise beside OSError and ValueError."""


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

    def need_writable(self) -> None:
        """Raise ChoiceError if nothing can ever be written there."""

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


def open_remote(url: str) -> Remote:
    """The place that a URL or a path names; nothing is asked of it yet.

    Raises:
        ChoiceError: if nothing here speaks its scheme, or it has a query, or a user and a password, or names a path
            of another machine.
        ModuleNotFoundError: if the package that does is not installed.
    """
    from posedata.sharing.folder import Folder

    check_url(url)
    if "://" not in url:
        return Folder(Path(url).absolute())
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Folder(_path_of(parts))
    if parts.scheme not in _PACKAGES:
        known = ", ".join(f"{scheme}://" for scheme in (*_PACKAGES, "file"))
        raise ChoiceError(f"{redact(url)}: expected a path or one of {known}, found {parts.scheme}://")
    import_module(_PACKAGES[parts.scheme])
    if parts.scheme == "hf":
        from posedata.sharing.hub import Hub

        return Hub(url)
    if parts.scheme == "s3":
        from posedata.sharing.bucket import Bucket

        return Bucket(url)
    from posedata.sharing.web import Web

    return Web(url)


def _path_of(parts: SplitResult) -> Path:
    """The path that a file:// URL names on this machine."""
    path = unquote(parts.path)
    if parts.netloc not in ("", "localhost"):
        raise ChoiceError(
            f"file://{parts.netloc}{parts.path}: expected a path of this machine, found the machine {parts.netloc}; "
            f"use file:///{parts.netloc}{parts.path} if that is a folder"
        )
    if not path.startswith("/") or "\0" in path:
        raise ChoiceError(f"file://{parts.path}: expected a path, like file:///mnt/team")
    return Path(path)


def listed(remote: Remote, folder: str) -> dict[str, int | None]:
    """As `Remote.sizes`, and nothing where there is no such folder."""
    try:
        return remote.sizes(folder)
    except NotThereError:
        return {}


def at_most(content: bytes, most: int) -> bytes:
    """The same bytes; raises ValueError if there are more than `most`."""
    if len(content) > most:
        raise too_much(most)
    return content


def too_much(most: int) -> ValueError:
    """The error for an answer of more than `most` bytes."""
    return ValueError(f"more than the {most:,} bytes that it may have")


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
    return beginning(" ".join(str(error).split()), 300) or type(error).__name__


def _faults() -> tuple[type[Exception], ...]:
    """What libraries of remote places raise; only of those that are loaded."""
    loaded = [getattr(sys.modules[module], name) for module, name in _RAISED if module in sys.modules]
    return (OSError, ValueError, *loaded)
