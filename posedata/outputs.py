"""One file as the outcome of a command: there whole, or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from posedata.errors import ChoiceError, ConflictError
from posedata.files import sync_folder, sync_tree
from posedata.locks import locked


@contextmanager
def whole_file(out: Path, overwrite: bool) -> Iterator[Path]:
    """A path to write to; the file takes its name when all is done, and goes if anything fails.

    Raises:
        ConflictError: if `out` may not be replaced, or another process makes it.
    """
    _refuse(out, overwrite)
    folder = out.with_name(f".{out.name}.making")
    with locked(folder, out):
        part = folder / out.name
        part.unlink(missing_ok=True)
        try:
            yield part
            sync_tree(folder)
            _refuse(out, overwrite)
            part.replace(out)
            sync_folder(out.absolute().parent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def need_outside(out: Path, store: Path) -> None:
    """Raise ChoiceError if `out` lies in the store, which would no longer be what its manifest says."""
    if out.resolve().is_relative_to(store.resolve()):
        raise ChoiceError(f"{out}: expected a file outside the store, found one in it; use another --out")


def _refuse(out: Path, overwrite: bool) -> None:
    if out.is_dir():
        raise ConflictError(f"{out}: expected no such path, found a folder; use another --out")
    if not overwrite and (out.exists() or out.is_symlink()):
        raise ConflictError(f"{out}: expected no such file, found one; use --overwrite or another --out")
