"""Runs installed commands as processes of their own that need not import anything again: forks of one that has.

A process with torch in it takes two seconds to start; a fork of one takes none. What a test sees is the same: the entry
point that is installed, another process, its exit code and its output. `python tests/faults/zygote.py SOCKET PIPE`
serves requests, which `Zygote` makes; PIPE is the descriptor to which it says that it is ready.
"""

import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import NoReturn

_MODULES = (
    "distributed",
    "matplotlib.figure",
    "posedata.build",
    "posedata.sharing.pull",
    "posedata.sharing.push",
    "posetrain.evaluation",
    "posetrain.training",
    "s3fs",
    "scipy.signal",
    "torch",
)
"""What takes long to import."""

_SECONDS = 300
"""After which a command is taken to hang."""

_AT_FIRST = dict(os.environ)
"""The environment before tests import packages that change it, like sklearn, torch's compiler and cv2."""

_SET_BY_TESTS = ("AWS_", "POSEDATA_", "no_proxy")
"""Variables that tests set for themselves and for commands; others they give as `extra`. Nothing looks at these while
it is imported."""


def environment(**extra: str) -> dict[str, str]:
    """That of a command: what the tests began with, what they have set on purpose, and more."""
    began = {name: value for name, value in _AT_FIRST.items() if not name.startswith(_SET_BY_TESTS)}
    return began | {name: value for name, value in os.environ.items() if name.startswith(_SET_BY_TESTS)} | extra


def run_anew(command: Sequence[str], folder: Path | None = None, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a folder, in a process that imports everything itself."""
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_SECONDS, env=environment(**extra), cwd=folder
    )


class Zygote:
    """The process that is forked."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="zygote-")
        self._address = f"{self._folder.name}/socket"
        self._environment = environment()
        ready, theirs = os.pipe()
        line = [sys.executable, __file__, self._address, str(theirs)]
        self._process = subprocess.Popen(line, pass_fds=[theirs], env=self._environment)
        os.close(theirs)
        with os.fdopen(ready, "rb") as pipe:
            assert pipe.read() == b"ready"

    def run(self, command: Sequence[str], folder: Path, **extra: str) -> subprocess.CompletedProcess[str]:
        """What `run_anew` gives; by a fork, where an installed command would import the same."""
        if Path(command[0]).name in _programs() and self.fits(environment(**extra)):
            return self._forked(command, folder, environment(**extra))
        return run_anew(command, folder, **extra)

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether a process with that environment would import the same."""
        differing = {name for name, _ in environment.items() ^ self._environment.items()}
        return all(name.startswith(_SET_BY_TESTS) for name in differing)

    def _forked(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        request = json.dumps({"command": command, "environment": dict(environment), "folder": str(folder)}).encode()
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            socket.socket(socket.AF_UNIX) as connection,
        ):
            connection.settimeout(_SECONDS)
            connection.connect(self._address)
            socket.send_fds(connection, [len(request).to_bytes(8, "big")], [out.fileno(), err.fileno()])
            connection.sendall(request)
            code = int(connection.recv(99))
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode().replace("\r\n", "\n"))
        return subprocess.CompletedProcess(list(command), code, *texts)

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()


@cache
def _programs() -> dict[str, EntryPoint]:
    """The installed commands by name."""
    return {script.name: script for script in entry_points(group="console_scripts") if "pose" in script.name}


def _serve(address: str) -> list[str]:
    """Fork for every request; returns the command in the process that is to be it."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(16)
        os.write(int(sys.argv[2]), b"ready")
        os.close(int(sys.argv[2]))
        while True:
            connection, _ = listening.accept()
            if os.fork() == 0:
                break
            connection.close()
    return _child(connection)


def _child(connection: socket.socket) -> list[str]:
    """Wait for the command in one process, be it in another."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, fds, _, _ = socket.recv_fds(connection, 8, 2)
    with connection.makefile("rb") as stream:
        request = json.loads(stream.read(int.from_bytes(size, "big")))
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        with suppress(BrokenPipeError):
            connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    connection.close()
    for number, fd in enumerate(fds, 1):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    return list(request["command"])


def _run(program: Callable[[], object]) -> NoReturn:
    """Run to the exit code; what a process does at its end is done, but nothing is freed, which takes long."""
    code = 1
    try:
        program()
    except SystemExit as leave:
        code = leave.code if isinstance(leave.code, int) else int(leave.code is not None)
    except BaseException:  # noqa: BLE001
        sys.excepthook(*sys.exc_info())
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    for _name in _MODULES:
        with suppress(ModuleNotFoundError):
            import_module(_name)
    programs = {name: script.load() for name, script in _programs().items()}
    gc.freeze()
    sys.argv = _serve(sys.argv[1])
    _run(programs[Path(sys.argv[0]).name])
