import errno
import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from posedata.errors import ConflictError, InUseError
from posedata.locks import hold_for_reading, locked, unread


def test_only_one_holds_a_folder_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path / "a", tmp_path / "target"):
        with pytest.raises(ConflictError, match="target"), locked(tmp_path / "a", tmp_path / "target"):
            pytest.fail("held twice")
        with locked(tmp_path / "b", tmp_path / "other"):
            pass
    with locked(tmp_path / "a", tmp_path / "target"):
        pass


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from posedata.locks import locked\n"
        "with locked(Path(sys.argv[1]), Path('x')): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "a"], timeout=60, check=False).returncode == 9
    with locked(tmp_path / "a", tmp_path / "target"):
        pass


def test_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(OSError, match="link"), locked(tmp_path / "link", tmp_path / "target"):
        pytest.fail("followed")


class Reader:
    """Whatever keeps a store open."""


def test_what_is_read_is_not_free_until_the_last_reader_has_gone(tmp_path: Path) -> None:
    one, two = Reader(), Reader()
    hold_for_reading(tmp_path, one)
    hold_for_reading(tmp_path, two)
    for reader in ("one", "two"):
        with pytest.raises(InUseError, match="found a reader; run it again later"), unread(tmp_path):
            pytest.fail("replaced under a reader")
        if reader == "one":
            del one
    del two
    with unread(tmp_path):
        pass


def test_what_is_being_replaced_is_not_read(tmp_path: Path) -> None:
    reader = Reader()
    with unread(tmp_path), pytest.raises(ConflictError, match="being replaced; try again"):
        hold_for_reading(tmp_path, reader)


@pytest.mark.parametrize("again", [True, False], ids=["replaced", "removed"])
def test_what_was_replaced_while_it_was_opened_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    folder, reader, real = tmp_path / "a", Reader(), fcntl.flock
    folder.mkdir()

    def replace_first(handle: int, operation: int) -> None:
        shutil.move(folder, tmp_path / "old")
        if again:
            folder.mkdir()
        real(handle, operation)

    monkeypatch.setattr(fcntl, "flock", replace_first)
    with pytest.raises(ConflictError, match="just been replaced"):
        hold_for_reading(folder, reader)


def test_where_there_are_no_locks_stores_are_read_and_replaced_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(handle: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    reader = Reader()
    hold_for_reading(tmp_path, reader)
    with unread(tmp_path):
        pass


def test_a_process_that_was_killed_reads_no_more(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from posedata.locks import hold_for_reading\n"
        "class Reader: pass\n"
        "reader = Reader(); hold_for_reading(Path(sys.argv[1]), reader); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path], timeout=60, check=False).returncode == -9
    with unread(tmp_path):
        pass
