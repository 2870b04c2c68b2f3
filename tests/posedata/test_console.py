"""What the commands share: exit codes, messages, progress."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from posedata import console
from posedata.errors import BadInputError, ChoiceError, ConflictError, IntegrityError, PoseDataError

ERASED = "\x1b[2K"
"""What a terminal is told to empty the line it is on."""


@pytest.fixture(autouse=True)
def undo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`run` sets a signal handler and a hook for exceptions."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def leave(monkeypatch: pytest.MonkeyPatch, error: BaseException | None, *arguments: str) -> int:
    """The exit code of a command that raises `error`."""

    @click.command()
    def command() -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(sys, "argv", ["tool", *arguments])
    with pytest.raises(SystemExit) as caught:
        console.run(command, "tool")
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
        (click.Abort(), 130, "error: interrupted"),
        (KeyboardInterrupt(), 130, "error: interrupted"),
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
    code = f"import click, os, signal, time\nfrom posedata import console\n@click.command()\ndef c():\n    {body}\n"
    command = [sys.executable, "-c", code + "console.run(c, 'tool')", *arguments]
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


def test_a_reader_that_leaves_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    code = (
        "import click\nfrom posedata import console\n@click.command()\ndef c():\n"
        "    for _ in range(20000): click.echo('line')\nconsole.run(c, 'tool')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_json_is_one_object_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_json({"a": 1, "b": [None, "é"]})
    out, err = capsys.readouterr()
    assert json.loads(out) == {"a": 1, "b": [None, "é"]}
    assert err == ""


def test_json_never_holds_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        console.print_json({"a": float("nan")})


def test_a_table_has_even_columns(capsys: pytest.CaptureFixture[str]) -> None:
    console.print_table([("a", 1), ("long name", "x y")])
    assert capsys.readouterr().out == "a          1\nlong name  x y\n"
    console.print_table([("run", "state", "best"), ("a", "", None), ("b", "finished", 12)])
    assert capsys.readouterr().out == "run  state     best\na              None\nb    finished  12\n"


def test_remarks_go_to_stderr_unless_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    console.remark("careful", quiet=False)
    assert capsys.readouterr() == ("", "careful\n")
    console.remark("careful", quiet=True)
    assert capsys.readouterr() == ("", "")


def test_progress_is_a_line_a_step_away_from_terminals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for quiet, expected in ((False, "reading: 1,234 files\n"), (True, "")):
        with console.progress(quiet)("reading", 1234, "files") as advance:
            advance(1000)
            advance(234)
        assert capsys.readouterr() == ("", expected)


class Terminal(io.StringIO):
    """A stderr with bars."""

    def isatty(self) -> bool:
        return True


def take_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    return terminal


def test_progress_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = take_terminal(monkeypatch)
    with console.progress(quiet=False)("reading", 4, "files") as advance:
        advance(4)
    assert "reading" in terminal.getvalue()
    assert "4/4" in terminal.getvalue()
    assert not terminal.getvalue().endswith(ERASED)


def test_progress_that_does_not_last_is_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = take_terminal(monkeypatch)
    with console.progress(quiet=False, lasting=False)("run 1", 2, "epochs") as advance:
        advance(0.5)
    assert "run 1" in terminal.getvalue()
    assert terminal.getvalue().endswith(ERASED)
    terminal.isatty = lambda: False  # type: ignore[method-assign]
    with console.progress(quiet=False, lasting=False)("run 2", 2, "epochs") as advance:
        advance(2)
    assert "run 2" not in terminal.getvalue()


def test_output_options_reach_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    seen = []

    @click.command()
    @console.output_options
    def command(as_json: bool, quiet: bool) -> None:
        seen.append((as_json, quiet))

    for arguments in ([], ["--json"], ["--quiet"], ["-q", "--json"]):
        command.main(arguments, standalone_mode=False)
    assert seen == [(False, False), (True, False), (False, True), (True, True)]
    assert capsys.readouterr() == ("", "")


def test_starting_a_command_imports_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, posedata.cli; print(sorted({'numpy', 'zarr', 'scipy', 'pydantic', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "[]\n"
