"""A collection on a disk, or on one that is shared."""

import errno
import os
import threading
from pathlib import Path

from posedata.files import copy_durably, own_name, sync_folder, write_durably
from posedata.sharing.remote import NotThereError, at_most, speaking, taken

_WITHOUT_LINKS = (errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What disks say that have no hard links: FAT, shares of Windows, buckets that are mounted."""


class Folder:
    """See `posedata.sharing.remote.Remote`."""

    def __init__(self, root: Path) -> None:
        self.url = str(root)
        self.given_up = threading.Event()
        self._root = root

    def read(self, name: str, most: int, start: int = 0, stop: int | None = None) -> bytes:
        """See `Remote`."""
        with speaking(f"{self.url}/{name}"), (self._root / name).open("rb") as file:
            file.seek(start)
            return at_most(file.read(most + 1 if stop is None else stop - start), most)

    def need_writable(self) -> None:
        """See `Remote`."""

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
            except OSError as error:
                if error.errno not in _WITHOUT_LINKS:
                    raise
                _write_new(path, content)
        sync_folder(path.parent)

    def stop(self) -> None:
        """See `Remote`."""
        self.given_up.set()


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that must not be there; others may see the beginning of it."""
    try:
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise taken(str(path)) from error
