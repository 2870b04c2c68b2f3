"""The Rerun viewer, started for a preview; it stays when the command has ended."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from posedata.errors import ChoiceError, RemoteError
from posedata.preview.about import About
from posedata.preview.recording import log_scenes, new_stream
from posedata.preview.scenes import Scene

if TYPE_CHECKING:  # `recording` imports it first, and has to
    import rerun as rr

PATIENCE = 30.0
"""Seconds that the viewer may take to begin, and to take what was sent."""

_HOST = "127.0.0.1"
_GLANCE = 1.0
"""Seconds. A viewer that finds no window ends soon, but not before it listens."""

_INSTEAD = "write a recording with --out FILE.rrd, and open it where there is a screen"


def need_screen() -> None:
    """Raise ChoiceError where a window cannot be opened."""
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in screens):
        raise ChoiceError(f"--viewer: expected a screen, found neither $DISPLAY nor $WAYLAND_DISPLAY; {_INSTEAD}")


def show(scenes: Iterator[Scene], about: About) -> None:
    """Send frames to a viewer of their own.

    Raises:
        RemoteError: if it does not begin, or ends meanwhile.
    """
    with started() as (address, need_alive):
        # No `with`: a stream that is left so waits for its viewer for ever.
        stream = new_stream(about)
        stream.connect_grpc(address)
        log_scenes(stream, scenes, about)
        _flush(stream, need_alive)
        stream.disconnect()


def _flush(stream: "rr.RecordingStream", need_alive: Callable[[float], None]) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return stream.flush(timeout_sec=1)
        except RuntimeError as error:
            need_alive(0)
            if time.monotonic() > end:
                what = f"expected it to take all frames, found it busy ({error})"
                raise RemoteError(f"the Rerun viewer: {what}; {_INSTEAD}") from error


@contextmanager
def started() -> Iterator[tuple[str, Callable[[float], None]]]:
    """A viewer that listens, and stays after this if nothing fails.

    Returns:
        Its address, and what raises RemoteError if it ends within so many seconds.

    Raises:
        RemoteError: if it does not begin, or has ended after all.
    """
    port = _free_port()
    # Rerun's own way to start it would listen to the whole network, and share our stdout.
    options = ("--bind", _HOST, "--port", str(port), "--hide-welcome-screen", "--expect-data-soon")
    with TemporaryFile() as words:
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "rerun_cli", *options],  # -P: no module of the folder that we stand in
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=words,
            env=_environment(),
            start_new_session=True,
        )
        need_alive = partial(_need_alive, child, words)
        try:
            _await(port, need_alive)
            yield f"rerun+http://{_HOST}:{port}/proxy", need_alive
            need_alive(_GLANCE)
        except BaseException:
            _end(child)
            raise


def _environment() -> dict[str, str]:
    """One in which the viewer asks nobody on the network.

    On a build server it sends no statistics of its use, so it is told to be on one. Whether there is a newer version it
    would ask all the same, so it is sent to a proxy that is none: port 9 of this machine, where nothing answers.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("FORCE_RERUN_ANALYTICS", "NO_PROXY")}
    return kept | {"CI": "true"} | dict.fromkeys(("ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY"), f"http://{_HOST}:9")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])


def _await(port: int, need_alive: Callable[[float], None]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        need_alive(0.1)
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((_HOST, port)) == 0:
                return
    raise RemoteError(f"the Rerun viewer: expected it to listen within {PATIENCE:g} s, found it silent; {_INSTEAD}")


def _need_alive(child: subprocess.Popen[bytes], words: IO[bytes], seconds: float) -> None:
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return
    words.seek(0)
    said = words.read().decode(errors="replace").strip().splitlines()
    last = f" ({said[-1]})" if said else ""
    raise RemoteError(f"the Rerun viewer: expected it to stay open, found that it ended{last}; {_INSTEAD}")


def _end(child: subprocess.Popen[bytes]) -> None:
    """The viewer is a child of the child; both are a group of their own."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait(PATIENCE)
