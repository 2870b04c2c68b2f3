from pathlib import Path

import pytest

from posedata.errors import ChoiceError, ConflictError
from posedata.outputs import need_outside, whole_file


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    with pytest.raises(KeyError), whole_file(out, overwrite=False) as part:
        part.write_text("half")
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    with whole_file(out, overwrite=False) as part:
        part.write_text("whole")
        assert not out.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert out.read_text() == "whole"


def test_what_stands_there_stays_unless_it_may_go(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    out.write_text("mine")
    with pytest.raises(ConflictError, match="--overwrite"), whole_file(out, overwrite=False):
        pass
    with pytest.raises(ConflictError, match="folder"), whole_file(tmp_path, overwrite=True):
        pass
    with whole_file(out, overwrite=True) as part:
        part.write_text("new")
    assert out.read_text() == "new"


def test_one_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    with whole_file(out, overwrite=False) as part:
        part.write_text("first")
        with pytest.raises(ConflictError, match="another process"), whole_file(out, overwrite=False):
            pass


def test_nothing_is_put_into_a_store(tmp_path: Path) -> None:
    need_outside(tmp_path / "page.html", tmp_path / "s.zarr")
    (tmp_path / "link").symlink_to(tmp_path / "s.zarr")
    for out in (tmp_path / "s.zarr" / "p.html", tmp_path / "link" / "p.html", tmp_path / "s.zarr" / "a" / ".." / "p"):
        with pytest.raises(ChoiceError, match="outside the store"):
            need_outside(out, tmp_path / "s.zarr")
