"""A collection on a disk; what all collections do alike is tried in test_remote.py."""

import errno
from pathlib import Path

import pytest

from posedata.errors import ConflictError, RemoteError
from posedata.sharing.folder import Folder
from posedata.sharing.remote import NotThereError


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "team")
    folder.write("a.json", b"0123456789", replace=False)
    return folder


def test_a_part_is_read_from_its_first_byte_to_before_its_last(place: Folder) -> None:
    assert place.read("a.json", 10) == b"0123456789"
    assert place.read("a.json", 10, 3, 5) == b"34"


def test_what_is_larger_than_it_may_be_is_refused(place: Folder) -> None:
    with pytest.raises(RemoteError, match="9 bytes"):
        place.read("a.json", 9)


def test_only_plain_files_that_can_be_seen_are_listed(place: Folder, tmp_path: Path) -> None:
    root = tmp_path / "team"
    (root / ".hidden").touch()
    (root / "objects").mkdir()
    (root / "link.json").symlink_to(root / "a.json")
    assert place.sizes("") == {"a.json": 10}
    assert place.sizes("nowhere") == {}
    with pytest.raises(NotThereError, match="expected a folder, found none"):
        Folder(tmp_path / "none").sizes("")


@pytest.mark.parametrize("refused", [None, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_new_file_never_takes_the_place_of_another(
    refused: int | None, place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On disks without hard links neither."""
    if refused:

        def refuse(path: Path, target: Path) -> None:
            raise OSError(refused, "no links here")

        monkeypatch.setattr(Path, "hardlink_to", refuse)
    with pytest.raises(ConflictError):
        place.write("a.json", b"other", replace=False)
    place.write("b.json", b"new", replace=False)
    assert (place.read("a.json", 10), place.read("b.json", 3)) == (b"0123456789", b"new")
    place.write("a.json", b"other", replace=True)
    assert place.read("a.json", 10) == b"other"
    assert {path.name for path in (tmp_path / "team").iterdir()} == {"a.json", "b.json"}


def test_a_disk_that_is_full_is_not_taken_for_one_without_links(
    place: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    with pytest.raises(OSError, match="no space"):
        place.write("b.json", b"new", replace=False)
    assert [path.name for path in (tmp_path / "team").iterdir()] == ["a.json"]
