"""Read MATLAB and netCDF files in a child process: on damaged ones their libraries crash the process, print or hang.

The parent sends a path and the names of variables; the child answers with arrays, or with the words of what is wrong.
Nothing is pickled. One child serves many files, and is replaced when a file kills it.
"""

import json
import math
import resource
import subprocess
import sys
import weakref
import zlib
from collections.abc import Callable, Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posedata.errors import bad_file

MOST_BYTES = 1 << 28
"""Of an array that is read whole: the boxes and keypoints of a hundred thousand frames are below it."""

_SECONDS = 30
"""More than a thousand times what a real file takes, with room for a slow import."""

_MEMORY = 4 << 30
"""Bytes of address space that the child may have."""

_MOST_ANSWER = MOST_BYTES + (1 << 20)

_ARRAYS, _FAULT = b"A", b"F"

_TELLING = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)
"""What libraries say of damaged files. Anything else ends the child: the file counts as one that crashes its reader."""

Load = Callable[[Path, list[str]], Mapping[str, object]]
"""Reads the variables of those names that a file has; a function that its module holds by name."""


class ChildReader:
    """A child process that reads files of one kind; it ends with this object.

    Args:
        kind: of the files, as messages call it.
        load: reads one; called in the child.
    """

    def __init__(self, kind: str, load: Load) -> None:
        self._kind, self._load = kind, load
        self._stop: Callable[[], object] = lambda: None
        self._connection: Connection[bytes, bytes] | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        """End the child; whoever waits for it in another thread is told that the file stalls it."""
        if self._child:
            self._child.kill()

    def read(self, path: Path, names: tuple[str, ...]) -> dict[str, NDArray[np.generic]]:
        """The variables of those names that the file has.

        Raises:
            BadInputError: if it is no sound file of that kind, if a variable is no array of numbers or text, or if it
                crashes or stalls its reader.
        """
        connection = self._connection or self._start()
        try:
            connection.send_bytes(json.dumps([str(path), names]).encode())
            answer = connection.recv_bytes(_MOST_ANSWER) if connection.poll(_SECONDS) else b""
        except (OSError, EOFError):
            answer = b""
        if not answer:
            self._stop()
            self._connection = None
            raise bad_file(path, [f"expected a {self._kind} file, found one that crashes or stalls its reader"])
        if answer[:1] == _FAULT:
            raise bad_file(path, [answer[1:].decode()])
        return _unpacked(answer)

    def _start(self) -> "Connection[bytes, bytes]":
        ours, theirs = Pipe()
        module, name = self._load.__module__, self._load.__qualname__
        ours_too = f"import sys; sys.path.append({str(Path(__file__).parents[2])!r})"  # where this is not installed
        code = f"{ours_too}; from {__name__} import serve; from {module} import {name}; serve({name}, {self._kind!r})"
        child = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-c", code, str(theirs.fileno())],  # -P: no module of the folder that we stand in
            pass_fds=[theirs.fileno()],
            stderr=subprocess.DEVNULL,  # what a C library says as it aborts is not for the user
            start_new_session=True,  # a Ctrl-C is for the parent; the child ends with it
        )
        theirs.close()
        self._stop = weakref.finalize(self, _end, child, ours)
        self._connection, self._child = ours, child
        return ours


def _end(child: subprocess.Popen[bytes], connection: "Connection[bytes, bytes]") -> None:
    connection.close()
    child.kill()
    child.wait()


def serve(load: Load, kind: str) -> None:
    """What the child does: answer on the connection of its first argument until the parent goes."""
    connection: Connection[bytes, bytes] = Connection(int(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    while True:
        try:
            path, names = json.loads(connection.recv_bytes())
        except EOFError:
            return
        connection.send_bytes(_read(load, kind, Path(path), names))


def _read(load: Load, kind: str, path: Path, names: list[str]) -> bytes:
    try:
        found = load(path, names)
    except _TELLING as error:
        words = str(error).partition("\n")[0] or type(error).__name__
        return _FAULT + f"expected a {kind} file, found {words}".encode()
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, array in found.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "uifbcU":
            what = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            return _FAULT + f"{name}: expected numbers or text, found {what}".encode()
        arrays[name] = array
    size = sum(array.nbytes for array in arrays.values())
    if size > MOST_BYTES:
        return _FAULT + f"expected at most {MOST_BYTES} bytes of values, found {size}".encode()
    return _packed(arrays)


def _packed(arrays: Mapping[str, NDArray[np.generic]]) -> bytes:
    """A line of JSON with names, dtypes and shapes, then the values in that order."""
    header = json.dumps([(name, array.dtype.str, array.shape) for name, array in arrays.items()]).encode()
    return b"".join([_ARRAYS, header, b"\n", *(array.tobytes() for array in arrays.values())])


def _unpacked(answer: bytes) -> dict[str, NDArray[np.generic]]:
    start = answer.index(b"\n") + 1
    arrays = {}
    for name, dtype, shape in json.loads(answer[1:start]):
        size = math.prod(shape) * np.dtype(dtype).itemsize
        arrays[name] = np.frombuffer(memoryview(answer)[start : start + size], dtype).reshape(shape)
        start += size
    return arrays
