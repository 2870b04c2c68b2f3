"""Build beside the target, publish by one rename."""

import ctypes
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posedata.errors import ConflictError
from posedata.files import sync_folder
from posedata.manifest import MANIFEST_NAME

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def staged(target: Path, overwrite: bool) -> Iterator[Path]:
    """A fresh folder beside `target`, on the same disk, that only this process uses.

    It is removed at the end, whatever happens. What a killed process left there is removed first.

    Args:
        target: where the finished store will stand; see `publish`.
        overwrite: whether a store that stands there may be replaced.

    Raises:
        ConflictError: if the target may not be replaced, or another process builds it.
    """
    check_target(target, overwrite)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = target.with_name(f".{target.name}.building")
    folder.mkdir(exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _lock(handle, folder, target)
        try:
            _empty(folder)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def check_target(target: Path, overwrite: bool) -> None:
    """Raise ConflictError if `target` exists and may not be replaced; only stores ever are."""
    if not target.exists() and not target.is_symlink():
        return
    if not overwrite:
        raise ConflictError(f"{target}: expected no such path, found one; use --overwrite or another --out")
    if not (target / MANIFEST_NAME).is_file():
        raise ConflictError(f"{target}: expected a store to overwrite, found something else; remove it yourself")


def publish(folder: Path, target: Path) -> None:
    """Put the finished `folder` in the place of `target` in one step; `folder` then holds what stood there."""
    if target.exists():
        _exchange(folder, target)
    else:
        folder.rename(target)
    sync_folder(target.parent)


def _exchange(a: Path, b: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.renameat2(_AT_FDCWD, os.fsencode(a), _AT_FDCWD, os.fsencode(b), _RENAME_EXCHANGE)
    if done != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{os.strerror(code)}: exchange with {a}", str(b))


def _lock(handle: int, folder: Path, target: Path) -> None:
    """Take the folder for this process, or raise ConflictError."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ConflictError(f"{target}: expected nobody else to build it, found another process at it") from error
    # The folder may have been finished and removed between the opening and the locking.
    if not folder.exists() or os.fstat(handle).st_ino != folder.stat().st_ino:
        raise ConflictError(f"{target}: another process has just finished with it; try again")


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
