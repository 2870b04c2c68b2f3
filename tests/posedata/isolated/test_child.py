import gc
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

import posedata
from posedata.errors import BadInputError
from posedata.isolated import child
from posedata.isolated.child import ChildReader
from posedata.isolated.mat import load_mat


def mat_reader() -> ChildReader:
    return ChildReader("MATLAB 5", load_mat)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    savemat(tmp_path / "a.mat", {"x": np.arange(6.0).reshape(2, 3), "word": "situp", "more": 1})
    return tmp_path / "a.mat"


def test_arrays_come_back_as_scipy_reads_them(path: Path) -> None:
    mat = mat_reader().read(path, ("x", "word", "absent"))
    assert mat.keys() == {"x", "word"}
    np.testing.assert_array_equal(mat["x"], [[0, 1, 2], [3, 4, 5]])
    assert mat["word"].tolist() == ["situp"]


@pytest.fixture
def others() -> set[str]:
    """Children that read files for other tests, and have not ended yet."""
    return children()


def test_one_child_serves_many_files_and_ends_with_its_reader(path: Path, others: set[str]) -> None:
    reader = mat_reader()
    reader.read(path, ("x",))
    before = children() - others
    reader.read(path, ("x",))
    assert children() - others == before
    assert len(before) == 1
    del reader
    gc.collect()
    assert not children() - others


def children() -> set[str]:
    """Children of this process that read files; more are browsers and servers of other tests."""
    every = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {number for number in every if b"posedata.isolated.child" in Path(f"/proc/{number}/cmdline").read_bytes()}


def test_a_child_that_dies_is_replaced(path: Path, others: set[str]) -> None:
    reader = mat_reader()
    reader.read(path, ("x",))
    os.kill(int((children() - others).pop()), 9)
    with pytest.raises(BadInputError, match=r"a\.mat: .*crashes or stalls"):
        reader.read(path, ("x",))
    assert reader.read(path, ("x",)).keys() == {"x"}


def test_a_child_that_stalls_is_stopped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_SECONDS", 0)
    with pytest.raises(BadInputError, match="stalls"):
        mat_reader().read(path, ("x",))


def test_modules_of_the_folder_that_one_stands_in_are_not_imported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("resource", "json", "numpy"):
        (path.parent / f"{name}.py").write_text(f"open({str(path.parent / 'run')!r}, 'w'); raise SystemExit")
    monkeypatch.setenv("PYTHONPATH", str(Path(posedata.__file__).parents[1]))
    monkeypatch.chdir(path.parent)
    assert mat_reader().read(path, ("x",)).keys() == {"x"}
    assert not (path.parent / "run").exists()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"none\.mat"):
        mat_reader().read(tmp_path / "none.mat", ("x",))


def test_arrays_of_every_kind_and_shape_come_back(tmp_path: Path) -> None:
    written = {
        "none": np.empty((0, 3)),
        "letters": np.asarray(["one", "four"], "U4"),
        "flags": np.asarray([[True, False]]),
        "small": np.arange(6, dtype=np.uint8).reshape(2, 3),
        "turned": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    }
    savemat(tmp_path / "a.mat", written)
    found = mat_reader().read(tmp_path / "a.mat", tuple(written))
    expected = loadmat(tmp_path / "a.mat")
    for name in written:
        np.testing.assert_array_equal(found[name], expected[name])
        assert found[name].dtype == expected[name].dtype


def test_values_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    savemat(tmp_path / "a.mat", {"x": np.zeros((1 << 28) + 1, np.int8)}, do_compression=True)
    assert (tmp_path / "a.mat").stat().st_size < 1 << 20
    with pytest.raises(BadInputError, match="expected at most 268435456 bytes of values, found 268435457"):
        mat_reader().read(tmp_path / "a.mat", ("x",))


def test_a_reader_that_is_closed_waits_no_longer(path: Path, others: set[str]) -> None:
    reader = mat_reader()
    reader.read(path, ("x",))
    os.kill(int((children() - others).pop()), signal.SIGSTOP)  # as a file that stalls scipy would
    begin = time.monotonic()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(reader.read, path, ("x",))
        time.sleep(0.2)
        reader.close()
        with pytest.raises(BadInputError, match="stalls"):
            waiting.result()
    assert time.monotonic() - begin < 10
