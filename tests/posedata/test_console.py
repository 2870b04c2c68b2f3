"""What commands say: JSON, tables, remarks, progress."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from posedata import console

ERASED = "\x1b[2K"
"""What a terminal is told to empty the line it is on."""


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


def test_starting_a_command_imports_nothing_heavy(tmp_path: Path) -> None:
    code = "import sys, posedata.cli; print(sorted({'numpy', 'zarr', 'scipy', 'pydantic', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "[]\n"
