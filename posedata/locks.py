"""Advisory locks on folders: one writer, or any number of readers. They end with their process at the latest."""

import errno
import fcntl
import os
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posedata.errors import ConflictError, InUseError

_PATIENCE = 1.0
"""Seconds: looking whether a store is free, and exchanging it, hold it for a moment."""


@contextmanager
def locked(folder: Path, what: Path) -> Iterator[None]:
    """Hold `folder`, which is made if it is not there; the lock ends with the process at the latest.

    Args:
        folder: what is locked; a link is refused.
        what: named in the message.

    Raises:
        ConflictError: if another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConflictError(f"{what}: expected nobody else at it, found another process") from error
        # The folder may have been finished and removed between the opening and the locking.
        if not folder.exists() or os.fstat(handle).st_ino != folder.stat().st_ino:
            raise ConflictError(f"{what}: another process has just finished with it; try again")
        yield
    finally:
        os.close(handle)


@contextmanager
def unread(folder: Path) -> Iterator[None]:
    """Keep readers away from `folder`, which has none; where there are no locks, only hope so.

    Raises:
        InUseError: if somebody reads it.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _taken(handle, fcntl.LOCK_EX):
            raise InUseError(
                f"{folder}: expected nobody to read what is to be replaced, found a reader; run it again later, or "
                "use another --out"
            )
        yield
    finally:
        os.close(handle)


def hold_for_reading(folder: Path, holder: object) -> None:
    """Keep `folder` from being replaced for as long as `holder` lives; where there are no locks, do nothing.

    Raises:
        ConflictError: if it is being replaced at this moment.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    weakref.finalize(holder, os.close, handle)
    if _taken(handle, fcntl.LOCK_SH):
        raise ConflictError(f"{folder}: expected it at rest, found it being replaced; try again")
    if not folder.exists() or os.fstat(handle).st_ino != folder.stat().st_ino:
        raise ConflictError(f"{folder}: it has just been replaced; try again")


def _taken(handle: int, lock: int) -> bool:
    """Take a lock, unless somebody keeps one that excludes it. Some network file systems have none: nobody has."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(handle, lock | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                return True
            time.sleep(_PATIENCE / 20)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS):
                raise
            return False
        else:
            return False
