"""`posedata preview --viewer rerun`, from outside, with what takes the viewer's place."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import rerun_cli

from posedata.errors import RemoteError
from posedata.preview.viewer import started
from posedata.store.reader import open_store

from .test_recording import rows_of

Run = Callable[..., subprocess.CompletedProcess[str]]

SCREEN = {"DISPLAY": ":0"}


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """An environment in which these lines of shell are the viewer; `$@` is what it is given."""

    def make(lines: str) -> dict[str, str]:
        path = tmp_path / "viewer"
        path.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\n{lines}\n")
        path.chmod(0o755)
        return SCREEN | {"RERUN_CLI_PATH": str(path), "HOME": str(tmp_path)}  # Rerun keeps a file there

    return make


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):  # the second if it goes while it is read
        return True


@pytest.mark.filterwarnings("ignore:RRD file has no footer")
def test_frames_arrive_and_the_viewer_stays(
    stand_in: Callable[[str], dict[str, str]], command: Run, stores: dict[str, Path], tmp_path: Path
) -> None:
    """Rerun's own receiver, without a window, writes down what comes."""
    rerun = Path(rerun_cli.__file__).with_name("rerun")
    words = f'echo "$@" > {tmp_path}/given; env > {tmp_path}/environment; echo hello from the viewer'
    extra = stand_in(f'{words}; exec {rerun} --save {tmp_path}/got.rrd "$@"') | {"FORCE_RERUN_ANALYTICS": "1"}
    sequence = ("--sequence", "climb_01", "--frames", "2:9")
    done = command("posedata", "preview", stores["climbalong"], *sequence, "--viewer", "rerun", "--json", **extra)
    assert done.returncode == 0, done.stderr
    shown = {"viewer": "rerun", "frames": 7, "sequences": ["climbalong/climb_01"]}
    assert json.loads(done.stdout) == shown
    assert done.stderr == "drawing: 7 frames\n"
    pid = int((tmp_path / "pid").read_text())
    assert not gone(pid)
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 30
    while not gone(pid) and time.monotonic() < end:
        time.sleep(0.05)
    target = open_store(stores["climbalong"])["target_points"]
    points = {
        n: row for (path, n), row in rows_of(tmp_path / "got.rrd").items() if path.endswith("get/skeleton/points")
    }
    assert sorted(number for number in points if number is not None) == list(range(2, 9))
    assert points[4]["Points2D:positions"] == target[4][~(target[4] != target[4])].reshape(-1, 2).tolist()
    # It listens to this machine alone, and asks nobody else.
    assert "--bind 127.0.0.1 " in (tmp_path / "given").read_text()
    told = (tmp_path / "environment").read_text().splitlines()
    assert {"CI=true", "ALL_PROXY=http://127.0.0.1:9"} <= set(told)
    assert not [line for line in told if line.startswith("FORCE_RERUN_ANALYTICS")]


def test_without_a_screen_another_way_is_told(command: Run, stores: dict[str, Path]) -> None:
    none = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "WAYLAND_SOCKET": ""}
    done = command("posedata", "preview", stores["brace"], "--viewer", "rerun", **none)
    assert (done.returncode, done.stdout) == (2, "")
    found = "--viewer: expected a screen, found neither $DISPLAY nor $WAYLAND_DISPLAY"
    assert done.stderr.startswith(f"error: {found}; write a recording with --out FILE.rrd")
    assert done.stderr.count("\n") == 1


LISTEN = """
import socket, sys
with socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1]))) as server:
    server.accept()
print("no window", file=sys.stderr)
sys.exit(3)
"""


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("echo out; echo first >&2; echo no window >&2; exit 3", "(no window)"),
        (f"exec {sys.executable} -c '{LISTEN}' \"$@\"", ""),
    ],
    ids=["at once", "once it listens"],
)
def test_a_viewer_that_ends_is_told(
    lines: str, said: str, stand_in: Callable[[str], dict[str, str]], command: Run, stores: dict[str, Path]
) -> None:
    done = command("posedata", "preview", stores["climbalong"], "--viewer", "rerun", "--quiet", **stand_in(lines))
    assert (done.returncode, done.stdout) == (7, "")
    assert done.stderr.startswith("error: the Rerun viewer: expected it to ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_viewer_that_ends_when_all_was_sent_is_told(
    stand_in: Callable[[str], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one does that listens before it looks for its window."""
    for name, value in stand_in(f"exec {sys.executable} -c '{LISTEN}' \"$@\"").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RemoteError, match=r"found that it ended \(no window\)"), started() as (address, _):
        assert address.startswith("rerun+http://127.0.0.1:")


def test_a_module_of_the_folder_that_one_stands_in_is_not_the_viewer(
    stand_in: Callable[[str], dict[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in stand_in("echo the viewer >&2; exit 3").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (tmp_path / "rerun_cli.py").write_text("raise SystemExit('another')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RemoteError, match=r"found that it ended \(the viewer\)"), started():
        pass


def test_after_a_fault_no_viewer_stays(
    stand_in: Callable[[str], dict[str, str]], command: Run, stores: dict[str, Path], climbs: Path, tmp_path: Path
) -> None:
    """The film is too short, which shows when its end has come."""
    rerun = Path(rerun_cli.__file__).with_name("rerun")
    (tmp_path / "cut.avi").write_bytes((climbs / "climb_01.avi").read_bytes()[:400_000])
    extra = stand_in(f'exec {rerun} --save {tmp_path}/got.rrd "$@"')
    options = ("--sequence", "climb_01", "--video", "cut.avi", "--viewer", "rerun", "--quiet")
    done = command("posedata", "preview", stores["climbalong"], *options, **extra)
    assert done.returncode == 3, done.stderr
    assert "cut.avi: expected" in done.stderr
    assert gone(int((tmp_path / "pid").read_text()))
