"""Files of a collection block by block, each asked for again before it is given up."""

from collections.abc import Iterator

from posedata.errors import RemoteError
from posedata.sharing.remote import GivenUpError, NotThereError, Remote

_BLOCK = 8 << 20
"""Bytes that are asked for at a time: what a cut costs."""

_WAITS = (0.5, 2.0, 5.0)
"""Seconds before a block is asked for again."""


def blocks(remote: Remote, name: str, size: int, begun: int = 0) -> Iterator[bytes]:
    """The bytes of a file from `begun` on; places that cannot give parts give all of it, of which the rest is taken.

    Args:
        remote: the collection.
        name: of the file.
        size: of it.
        begun: bytes that are there already.

    Raises:
        GivenUpError: once somebody has called `stop`: not every place ends what is under way.
        RemoteError: if they do not come.
    """
    while begun < size:
        if remote.given_up.is_set():
            raise GivenUpError(f"{remote.url}: given up")
        block = _patiently(remote, name, size, begun)
        yield block
        begun += len(block)


def _patiently(remote: Remote, name: str, size: int, start: int) -> bytes:
    for seconds in _WAITS:
        try:
            return _block(remote, name, size, start)
        except (NotThereError, GivenUpError):
            raise
        except RemoteError:
            if remote.given_up.wait(seconds):
                raise GivenUpError(f"{remote.url}: given up") from None
    return _block(remote, name, size, start)


def _block(remote: Remote, name: str, size: int, start: int) -> bytes:
    stop = min(start + _BLOCK, size)
    block = remote.read(name, size, start, stop)
    if len(block) == size:
        return block[start:]
    if len(block) != stop - start:
        raise RemoteError(
            f"{remote.url}/{name}: expected {stop - start:,} bytes, found {len(block):,}; the same command goes on"
        )
    return block
