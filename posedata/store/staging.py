"""Build beside the target, publish by one rename."""

import ctypes
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from posedata.errors import ConflictError, InUseError, RemoteError
from posedata.files import bytes_below, naming, remove_folder, sync_folder
from posedata.locks import locked, unread
from posedata.manifest import MANIFEST_NAME
from posedata.store.kinds import KINDS

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def is_store(path: Path) -> bool:
    """Whether a folder is a store, sound or not; a disk that cannot say so raises OSError."""
    try:
        content = json.loads((path / MANIFEST_NAME).read_bytes())
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and isinstance(content.get("kind"), str) and content["kind"] in KINDS


@contextmanager
def staged(
    target: Path,
    overwrite: bool,
    is_ours: Callable[[Path], bool] = is_store,
    resume: bool = False,
    keep: bool = False,
) -> Iterator[Path]:
    """A folder beside `target`, on the same disk, that only this process uses.

    It is removed at the end, whatever happens. What a killed process left there is removed first, or kept to be
    resumed; an error leaves that as it is. What was made so far is also kept if a cluster is lost, or if a reader of
    `target` is in the way when all is done.

    Args:
        target: where the finished folder will stand; see `publish`.
        overwrite: whether what stands there may be replaced.
        is_ours: whether a folder is of the kind that may be replaced.
        resume: whether what a killed process left is kept.
        keep: whether what was made so far is kept after any error or signal, to be resumed.

    Raises:
        ConflictError: if the target may not be replaced, or another process builds it.
    """
    check_target(target, overwrite, is_ours)
    folder = target.with_name(f".{target.name}.building")
    with naming(target), locked(folder, target):
        if not (resume and _is_plain(folder)):
            _empty(folder)
        resumed = any(folder.iterdir())
        try:
            yield folder
        except BaseException as error:
            kept = keep or isinstance(error, InUseError | RemoteError) or (resumed and isinstance(error, Exception))
            if not kept or not bytes_below(folder):
                remove_folder(folder)
            raise
        remove_folder(folder)


def _is_plain(folder: Path) -> bool:
    """Whether all below a folder is ours, and neither a link nor a device: nobody else has put it there for us."""
    paths = [Path(root, name) for root, folders, files in os.walk(folder) for name in (*folders, *files)]
    states = [path.lstat() for path in (folder, *paths)]
    return all(s.st_uid == os.geteuid() and (stat.S_ISDIR(s.st_mode) or stat.S_ISREG(s.st_mode)) for s in states)


def check_target(target: Path, overwrite: bool, is_ours: Callable[[Path], bool] = is_store) -> None:
    """Raise ConflictError if `target` exists and may not be replaced; only what is ours ever is."""
    if not target.exists() and not target.is_symlink():
        return
    if not overwrite:
        raise ConflictError(f"{target}: expected no such path, found one; use --overwrite or another --out")
    if not is_ours(target):
        raise ConflictError(
            f"{target}: expected one of its kind to overwrite, found something else; remove it yourself"
        )
    with unread(target):
        pass


def publish(folder: Path, target: Path) -> None:
    """Put the finished `folder` in the place of `target` in one step; `folder` then holds what stood there.

    Raises:
        InUseError: if somebody reads what stands there.
    """
    if target.exists():
        with unread(target):
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


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
