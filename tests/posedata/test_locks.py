import subprocess
import sys
from pathlib import Path

import pytest

from posedata.errors import ConflictError
from posedata.locks import locked


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
