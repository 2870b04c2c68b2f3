"""One process at a time: advisory locks on folders."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posedata.errors import ConflictError


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
