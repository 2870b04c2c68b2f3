"""Runs installed commands as processes of their own that need not import anything again: forks of one that has.

A process with torch in it takes two seconds to start; a fork of one takes none. What a test sees is the same: the entry
point that is installed, another process, its exit code and its output. `python tests/zygote.py SOCKET` serves requests,
`Zygote` makes them.
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
from importlib import import_module
from importlib.metadata import entry_points
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

_HARMLESS = ("AWS_", "KMP_", "LD_LIBRARY_PATH", "POSEDATA_", "PYTEST_", "TORCHINDUCTOR_")
"""Variables that nothing looks at while it is imported. Some are set in the middle by what a test imports: sklearn sets
those of OpenMP, torch those of its compiler, cv2 the path of libraries, which the loader has read by then."""


class Zygote:
    """The process that is forked."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="zygote-")
        self._address = f"{self._folder.name}/socket"
        self._environment = dict(os.environ)
        ready, theirs = os.pipe()
        self._process = subprocess.Popen([sys.executable, __file__, self._address, str(theirs)], pass_fds=[theirs])
        os.close(theirs)
        with os.fdopen(ready, "rb") as pipe:
            assert pipe.read() == b"ready"

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Whether a process with that environment would import the same."""
        keys = environment.keys() | self._environment.keys()
        differing = [key for key in keys if environment.get(key) != self._environment.get(key)]
        return all(key.startswith(_HARMLESS) for key in differing)

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> subprocess.CompletedProcess[str]:
        """What `subprocess.run` would give."""
        request = json.dumps({"command": command, "environment": dict(environment), "folder": str(folder)}).encode()
        with (
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            socket.socket(socket.AF_UNIX) as connection,
        ):
            connection.settimeout(300)
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
    programs = {script.name: script.load() for script in entry_points(group="console_scripts") if "pose" in script.name}
    gc.freeze()
    sys.argv = _serve(sys.argv[1])
    _run(programs[Path(sys.argv[0]).name])
