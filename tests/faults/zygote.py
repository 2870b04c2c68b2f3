"""Runs installed commands as processes of their own that need not import anything again: forks of one that has.

A process with torch in it takes two seconds to start; a fork of one takes none. What a test sees is the same: the entry
point that is installed, another process, its exit code and its output. `python tests/faults/zygote.py PROGRAM SOCKET
PIPE` serves requests, which `Zygote` makes; PIPE is the descriptor to which it says that it is ready. Each program has
a process of its own, for a fork takes the longer, the more is imported.
"""

import atexit
import gc
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NoReturn

_MODULES = {
    "posedata": (
        "distributed",
        "matplotlib.figure",
        "posedata.build",
        "posedata.sharing.pull",
        "posedata.sharing.push",
        "s3fs",
        "scipy.signal",
    ),
    "posetrain": (
        "matplotlib.figure",
        "posedata.build",
        "posetrain.evaluation",
        "posetrain.training",
        "scipy.signal",
        "torch._dynamo",  # by any optimizer
    ),
}
"""What takes long to import, by program."""

_SECONDS = 300
"""After which a command is taken to hang."""

_AT_FIRST = dict(os.environ)
"""The environment before tests import packages that change it, like sklearn, torch's compiler and cv2."""

_SET_BY_TESTS = ("AWS_", "MY_PASSWORD", "POSEDATA_", "SERVICE_API_KEY", "no_proxy")
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


class Fork:
    """A command that is a fork, as `subprocess.Popen` with pipes."""

    def __init__(self, command: Sequence[str], connection: socket.socket, out: int, err: int) -> None:
        self._command, self._connection, self._files = list(command), connection, (out, err)
        self._pid = int.from_bytes(connection.recv(8, socket.MSG_WAITALL), "big")
        self._told: list[str] = []
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Likewise."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Likewise."""
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self._command, timeout or 0)
            with self._connection:
                self.returncode = int(self._connection.recv(99))
            for written in self._files:
                with os.fdopen(written, "rb") as file:
                    file.seek(0)
                    self._told.append(file.read().decode().replace("\r\n", "\n"))
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Likewise."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def kill(self) -> None:
        """Likewise."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Likewise."""
        self.wait(timeout)
        out, err = self._told
        return out, err


Process = subprocess.Popen[str] | Fork


class Zygote:
    """The processes that are forked, each begun when it is first needed."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="zygote-")
        self._environment = environment()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def run(self, command: Sequence[str], folder: Path, **extra: str) -> subprocess.CompletedProcess[str]:
        """What `run_anew` gives; by a fork, where an installed command would import the same."""
        process = self.start(command, folder, **extra)
        try:
            told = process.communicate(_SECONDS)
        finally:
            process.kill()
        assert process.returncode is not None
        return subprocess.CompletedProcess(list(command), process.returncode, *told)

    def start(self, command: Sequence[str], folder: Path, **extra: str) -> Process:
        """The same, whose end is not waited for."""
        known = environment(**extra)
        if Path(command[0]).name in _MODULES and self.fits(known):
            return self._forked(command, folder, known)
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, text=True, env=known, cwd=folder, **pipes)

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether a process with that environment would import the same."""
        differing = {name for name, _ in environment.items() ^ self._environment.items()}
        return all(name.startswith(_SET_BY_TESTS) for name in differing)

    def _forked(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Fork:
        request = json.dumps({"command": command, "environment": dict(environment), "folder": str(folder)}).encode()
        out, err = os.memfd_create("out"), os.memfd_create("err")
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address(Path(command[0]).name))
        socket.send_fds(connection, [len(request).to_bytes(8, "big")], [out, err])
        connection.sendall(request)
        return Fork(command, connection, out, err)

    def _address(self, program: str) -> str:
        """Where the process listens that is forked for a program."""
        address = f"{self._folder.name}/{program}"
        if program not in self._processes:
            ready, theirs = os.pipe()
            line = [sys.executable, __file__, program, address, str(theirs)]
            process = subprocess.Popen(line, pass_fds=[theirs], env=self._environment)
            os.close(theirs)
            with os.fdopen(ready, "rb") as pipe:
                assert pipe.read() == b"ready"
            self._processes[program] = process
        return address

    def close(self) -> None:
        """End them."""
        for process in self._processes.values():
            process.terminate()
            process.wait()
        self._folder.cleanup()


def _serve(address: str, ready: int) -> list[str]:
    """Fork for every request, and tell how it ended; returns the command in the process that is to be it."""
    with selectors.DefaultSelector() as waiting, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(16)
        waiting.register(listening, selectors.EVENT_READ)
        os.write(ready, b"ready")
        os.close(ready)
        while True:
            for key, _ in waiting.select():
                if key.fileobj is listening:
                    connection, _ = listening.accept()
                    request, fds = _received(connection)
                    if (child := os.fork()) == 0:
                        for inherited in (connection, *(k.data[1] for k in waiting.get_map().values() if k.data)):
                            inherited.close()
                        return _be(request, fds)
                    for fd in fds:
                        os.close(fd)
                    with suppress(BrokenPipeError):
                        connection.sendall(child.to_bytes(8, "big"))
                    waiting.register(os.pidfd_open(child), selectors.EVENT_READ, (child, connection))
                else:
                    waiting.unregister(key.fileobj)
                    _tell_end(*key.data)
                    os.close(key.fd)


def _received(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """A request, and where its output goes."""
    size, fds, _, _ = socket.recv_fds(connection, 8, 2)
    with connection.makefile("rb") as stream:
        return json.loads(stream.read(int.from_bytes(size, "big"))), fds


def _be(request: dict[str, Any], fds: list[int]) -> list[str]:
    """Become the process of a command."""
    for number, fd in enumerate(fds, 1):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    return list(request["command"])


def _tell_end(child: int, connection: socket.socket) -> None:
    _, status = os.waitpid(child, 0)
    with connection, suppress(BrokenPipeError):
        connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


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
    _program, _address, _ready = sys.argv[1:]
    for _name in _MODULES[_program]:
        with suppress(ModuleNotFoundError):
            import_module(_name)
    (_script,) = entry_points(group="console_scripts", name=_program)
    _loaded = _script.load()
    gc.freeze()
    sys.argv = _serve(_address, int(_ready))
    _run(_loaded)
