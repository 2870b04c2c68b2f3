"""How a command ends: exit codes, messages, signals."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from posedata import ending
from posedata.errors import BadInputError, ChoiceError, ConflictError, IntegrityError, PoseDataError


@pytest.fixture(autouse=True)
def undo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`run` sets a signal handler and a hook for exceptions."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    before = {number: signal.getsignal(number) for number in (signal.SIGALRM, signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def leave(monkeypatch: pytest.MonkeyPatch, error: BaseException | None, *arguments: str) -> int:
    """The exit code of a command that raises `error`."""

    @click.command()
    def command() -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(sys, "argv", ["tool", *arguments])
    with pytest.raises(SystemExit) as caught:
        ending.run(command, "tool")
    return int(caught.value.code or 0)


def os_error(number: int, name: str | None = None) -> OSError:
    return OSError(number, os.strerror(number), name)


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (None, 0, ""),
        (PoseDataError("odd"), 1, "error: odd\n"),
        (ChoiceError("that one"), 2, "error: that one\n"),
        (BadInputError("first", "second"), 3, "error: first\nerror: second\n"),
        (IntegrityError("torn"), 4, "error: torn\n"),
        (ConflictError("taken"), 6, "error: taken\n"),
        (
            ModuleNotFoundError("no", name="jinja2"),
            2,
            "error: jinja2: expected the package, found it missing; pip install",
        ),
        (
            ModuleNotFoundError("no", name="torch"),
            2,
            "error: torch: expected the package, found it missing; pip install",
        ),
        (ModuleNotFoundError("no", name="posedata.typo"), 1, "error: posedata.typo: "),
        (MemoryError(), 5, "error: memory: "),
        (os_error(errno.ENOSPC, "/x"), 5, "error: /x: expected free space"),
        (os_error(errno.EDQUOT, "/x"), 5, "error: /x: expected free space"),
        (os_error(errno.EIO, "/x"), 5, "error: /x: "),
        (os_error(errno.EACCES, "/x"), 3, "error: /x: Permission denied"),
        (click.UsageError("no such thing"), 2, "error: no such thing; see --help\n"),
        (click.Abort(), 130, "error: interrupted; nothing was left half-made\n"),
        (KeyboardInterrupt(), 130, "error: interrupted; nothing was left half-made\n"),
    ],
    ids=lambda value: repr(value)[:30] if isinstance(value, BaseException) else "",
)
def test_exit_codes_and_messages(
    error: BaseException | None,
    code: int,
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert leave(monkeypatch, error) == code
    out, err = capsys.readouterr()
    assert out == ""
    # Behind a ^C on a terminal, click begins a new line.
    assert err.lstrip("\n").startswith(word)
    assert all(line.startswith("error: ") for line in err.split("\n") if line)


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert leave(monkeypatch, BadInputError("bad"), "--debug") == 3
    assert "Traceback" in capsys.readouterr().err
    assert leave(monkeypatch, BadInputError("bad")) == 3
    assert "Traceback" not in capsys.readouterr().err


def in_process(body: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"import click, os, signal, time\nfrom posedata import ending\n@click.command()\ndef c():\n    {body}\n"
    command = [sys.executable, "-c", code + "ending.run(c, 'tool')", *arguments]
    return subprocess.run(command, text=True, capture_output=True, timeout=60, check=False)


def test_a_bug_is_one_line_and_code_1() -> None:
    done = in_process("raise ZeroDivisionError('secret')")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ZeroDivisionError: ")
    assert done.stderr.count("\n") == 1
    assert "secret" not in done.stderr


def test_a_bug_shows_its_traceback_with_debug() -> None:
    done = in_process("raise ZeroDivisionError('odd')", "--debug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(("number", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_signals_have_their_codes(number: str, code: int) -> None:
    done = in_process(f"os.kill(os.getpid(), signal.{number}); time.sleep(30)")
    assert done.returncode == code
    assert done.stderr.lstrip("\n").startswith("error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("program", ["posedata", "posetrain"])
def test_who_interrupts_the_imports_sees_no_traceback(program: str) -> None:
    code = f"""
import os, signal, sys

class Impatient:
    def find_spec(self, name, path=None, target=None):
        if name == "{program}.cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Impatient())
from {program}.__main__ import main
main()"""
    done = subprocess.run(
        [sys.executable, "-c", code, "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_a_signal_that_python_swallows_stops_it_all_the_same() -> None:
    """As it does in destructors, and in callbacks of the import system."""
    body = """
    class Gone:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)
            [None for _ in range(1000)]
    Gone()
    time.sleep(50)
    print("not stopped")"""
    done = in_process(body)
    assert (done.returncode, done.stdout) == (143, "")
    assert done.stderr.lstrip("\n") == "error: terminated; nothing was left half-made\n"


def test_a_signal_when_all_is_done_does_no_harm() -> None:
    """Python takes its time to leave, and has no handlers any more."""
    body = """
    import atexit
    class Slow:
        def __del__(self):
            time.sleep(1.5)
    signal.slow = Slow()
    atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))"""
    assert in_process(body).returncode == 0


def test_unwinding_is_not_interrupted_again() -> None:
    body = """
    try:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(50)
    finally:
        for _ in range(15):
            time.sleep(0.1)
        print("removed")"""
    done = in_process(body)
    assert (done.returncode, done.stdout) == (130, "removed\n")


def test_without_a_stderr_the_work_is_done() -> None:
    code = "import click\nfrom posedata import console, ending\n@click.command()\ndef c():\n"
    code += "    with console.progress(False)('drawing', 1, 'frames') as advance: advance(1)\n    print('done')\n"
    line = ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, code + "ending.run(c, 'tool')"]
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n")


def test_a_reader_that_leaves_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    code = (
        "import click\nfrom posedata import ending\n@click.command()\ndef c():\n"
        "    for _ in range(20000): click.echo('line')\nending.run(c, 'tool')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
