"""What a shard's bytes depend on: any change of the code shows."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import pytest

from posedata import __version__
from posedata import versions as module
from posedata.versions import versions


def test_code_and_libraries_are_told() -> None:
    found = versions()
    assert list(found) == ["posedata", "numcodecs", "numpy", "scipy"]
    assert {name: found[name] for name in found if name != "posedata"} == {
        name: version(name) for name in ("numcodecs", "numpy", "scipy")
    }


def test_the_code_enters_by_names_and_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "store").mkdir()
    files = {"versions.py": b"a", "store/b.py": b"b"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "store" / "notes.txt").write_bytes(b"no code")
    monkeypatch.setattr(module, "__file__", str(tmp_path / "versions.py"))
    digest = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    text = f'{{"store/b.py":"{digest["store/b.py"]}","versions.py":"{digest["versions.py"]}"}}'
    expected = f"{__version__} (code {hashlib.sha256(text.encode()).hexdigest()[:16]})"
    fresh = versions.__wrapped__
    assert fresh()["posedata"] == expected
    (tmp_path / "store" / "b.py").write_bytes(b"B")
    assert fresh()["posedata"] != expected
