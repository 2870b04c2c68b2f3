"""Downloads that go on where they were cut.

What has arrived lies in `FILE.part`, and what the server said of the whole in `FILE.part.json`. pooch decides whether a
file is there already and puts it in its place; it has no resuming of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from os import fsync
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from posedata.config import Frozen
from posedata.errors import RemoteError
from posedata.files import need_space, write_durably
from posedata.progress import Progress

if TYPE_CHECKING:
    from requests import Response, Session

TIMEOUT = (20.0, 60.0)
"""Seconds: to connect, and between two pieces."""

MOST_BYTES = 1 << 34
"""Of an archive: five times the largest."""

_ZIP, _GZIP = b"PK", b"\x1f\x8b"
_PIECE = 1 << 20


class _Version(Frozen):
    """What a server says of a file; two of one file are equal unless it has changed."""

    etag: str | None = None
    modified: str | None = None
    length: int | None = None

    @classmethod
    def of(cls, response: "Response") -> Self:
        """From the headers; of an answer to a range it is the whole file's length."""
        told = response.headers
        length = told.get("Content-Range", "").rpartition("/")[2] if response.status_code == 206 else ""
        length = length or told.get("Content-Length", "")
        return cls(
            etag=told.get("ETag"),
            modified=told.get("Last-Modified"),
            length=int(length) if length.isdecimal() else None,
        )

    @property
    def is_known(self) -> bool:
        """Whether a later answer can be told to be of the same file."""
        return self.etag is not None or self.modified is not None


def download(url: str, path: Path, advice: str, progress: Progress) -> None:
    """Put an archive at `path`, unless it is there; what an earlier call left half-done is used.

    Args:
        url: http or https.
        path: where; only one process may be at it.
        advice: what to do if `url` does not lead to an archive.
        progress: told of the bytes.

    Raises:
        RemoteError: if the server cannot be reached, stops early or sends no archive.
        ResourceError: if the disk has not enough room.
    """
    import pooch  # type: ignore[import-untyped]

    pooch.get_logger().setLevel("WARNING")  # it would tell the hash; so do we
    part = path.with_name(f"{path.name}.part")

    def downloader(url: str, output_file: str, _: object) -> None:
        _complete(url, part, advice, progress)
        part.replace(output_file)

    pooch.retrieve(url, known_hash=None, fname=path.name, path=path.parent, downloader=downloader)
    _note(part).unlink(missing_ok=True)


def _complete(url: str, part: Path, advice: str, progress: Progress) -> None:
    """Fill `part` up to its end."""
    import requests

    before = _read_note(part)
    if before.length is None or not part.is_file() or part.stat().st_size != before.length:
        with _network_faults(url, part), requests.Session() as session:
            response, start = _ask(session, url, part, before)
            with response:
                _check(response, start, url, advice)
                _receive(response, url, part, start, progress)
    with part.open("rb") as file:
        head = file.read(2)
    if head not in (_ZIP, _GZIP):
        part.unlink()
        raise RemoteError(f"{url}: expected a .zip or .tar.gz, found something that begins with {head!r}; {advice}")


def _ask(session: "Session", url: str, part: Path, before: _Version) -> tuple["Response", int]:
    """An answer, and the place in the file where its body begins."""
    start = part.stat().st_size if part.is_file() and before.is_known else 0
    if start:
        response = _get(session, url, {"Range": f"bytes={start}-"})
        at_start = response.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        if response.status_code == 206 and at_start and _Version.of(response) == before:
            return response, start
        if response.status_code not in (206, 416):
            return response, 0  # the whole file, or a refusal
        response.close()
    return _get(session, url, {}), 0


def _get(session: "Session", url: str, headers: dict[str, str]) -> "Response":
    # The bytes as they are stored: a .gz that is unpacked on the way would have another hash.
    return session.get(url, headers={"Accept-Encoding": "identity"} | headers, stream=True, timeout=TIMEOUT)


def _check(response: "Response", start: int, url: str, advice: str) -> None:
    """Raise RemoteError if no archive follows: before what has arrived so far is given up for it."""
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if response.status_code != (206 if start else 200):
        found = f"HTTP {response.status_code} {response.reason or ''}".rstrip()
    elif url.lower().startswith("https:") and not response.url.lower().startswith("https:"):
        found = "a redirection to an address without https"
    elif kind in ("text/html", "application/xhtml+xml"):
        found = "a web page"
    else:
        return
    raise RemoteError(f"{url}: expected an archive, found {found}; {advice}")


def _receive(response: "Response", url: str, part: Path, start: int, progress: Progress) -> None:
    """Write the body from `start` on."""
    version = _Version.of(response)
    if (version.length or 0) > MOST_BYTES:
        raise _too_large(url)
    need_space(part.parent, (version.length or 0) - start)
    known = version.length is not None
    step = (version.length, "bytes") if version.length is not None else (1, "files")
    with part.open("ab" if start else "wb") as file, progress(f"downloading {part.stem}", *step) as advance:
        if not start:
            fsync(file.fileno())  # the old bytes must be gone before the note of the new version is there
            write_durably(_note(part), [version.model_dump_json().encode()])
        advance(start if known else 0)
        for size in _write(response, file, start, url):
            advance(size if known else 0)
        advance(0 if known else 1)
        end = file.tell()
        fsync(file.fileno())
    if known and end != version.length:
        raise RemoteError(f"{url}: expected {version.length:,} bytes, found {end:,}; run the command again")


def _write(response: "Response", file: IO[bytes], start: int, url: str) -> Iterator[int]:
    """Sizes of the pieces as they are written."""
    end = start
    for piece in response.raw.stream(_PIECE, decode_content=False):
        end += len(piece)
        if end > MOST_BYTES:
            file.truncate(0)
            raise _too_large(url)
        file.write(piece)
        yield len(piece)


def _too_large(url: str) -> RemoteError:
    return RemoteError(f"{url}: expected at most {MOST_BYTES:,} bytes, found more; give another --url")


@contextmanager
def _network_faults(url: str, part: Path) -> Iterator[None]:
    """Whatever the network raises as RemoteError."""
    import requests
    import urllib3

    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        arrived = part.stat().st_size if part.is_file() and _read_note(part).is_known else 0
        goes_on = f"; it goes on behind the {arrived:,} bytes that are here" if arrived else ""
        raise RemoteError(
            f"{url}: expected an archive, found {_reason(error)}; run the command again, or give another --url{goes_on}"
        ) from error


def _reason(error: BaseException) -> str:
    """What was at the bottom of it, in a line."""
    while error.__context__ is not None:
        error = error.__context__
    told: Any = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(told).partition("\n")[0]


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_note(part: Path) -> _Version:
    """What the server said of the file that `part` is the beginning of; nothing if that was not kept whole."""
    try:
        return _Version.model_validate_json(_note(part).read_bytes())
    except (FileNotFoundError, ValidationError):
        return _Version()
