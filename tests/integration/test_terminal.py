"""The commands at a terminal: completion by the shell, bars, and text alone where that is wanted."""

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent
ESCAPE = "\x1b["


@pytest.fixture
def complete(tmp_path: Path, stores: dict[str, Path]) -> Callable[[str], list[str]]:
    """What bash puts behind a line when the key for completion is pressed, by the protocol of its own."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash found: completion is not tried")
    (tmp_path / "home" / "stores").mkdir(parents=True)
    (tmp_path / "home" / "stores" / "brace-k1-random.zarr").symlink_to(stores["brace"])

    def press(line: str) -> list[str]:
        words = line.split(" ")
        script = f"""
            compopt() {{ echo "compopt $1 $2"; }}
            eval "$(_{words[0].upper()}_COMPLETE=bash_source {words[0]})"
            complete -p {words[0]} > /dev/null
            COMP_WORDS=({" ".join(f"'{word}'" for word in words)}) COMP_CWORD={len(words) - 1}
            _{words[0]}_completion {words[0]}
            printf "%s\\n" "${{COMPREPLY[@]}}"
        """
        environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}", "POSEDATA_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            [bash, "--norc", "-c", script], capture_output=True, text=True, env=environment, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split("\n")[:-1]

    return press


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("posedata bui", ["build"]),
        ("posedata build --dat", ["--dataset"]),
        ("posedata build --dataset p", ["penn_action"]),
        ("posedata sample br", ["brace"]),
        ("posedata build --split ", ["video", "official", "held-out", "train"]),
        ("posedata info br", ["compopt -o default", "brace-k1-random"]),
        ("posedata info ./x", ["compopt -o default", ""]),
        ("posedata build --out ./x", ["compopt -o default", ""]),
        ("posetrain ev", ["eval"]),
        ("posetrain run --feed s", ["store"]),
        ("posetrain run br", ["compopt -o default", "brace-k1-random"]),
    ],
)
def test_bash_completes_commands_options_and_names(
    line: str, expected: list[str], complete: Callable[[str], list[str]]
) -> None:
    assert complete(line) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("name", ["posedata", "posetrain"])
def test_every_shell_is_told_how_to_complete(name: str, shell: str) -> None:
    environment = os.environ | {f"_{name.upper()}_COMPLETE": f"{shell}_source"}
    done = subprocess.run([BIN / name], env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_{name.upper()}_COMPLETE={shell}_complete" in done.stdout


def at_a_terminal(*line: object, **extra: str) -> tuple[int, str]:
    """Exit code of a command, and what a terminal gets of it."""
    master, slave = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    environment |= {"TERM": "xterm-256color", **extra}
    with subprocess.Popen(
        [str(BIN / str(line[0])), *map(str, line[1:])], stdin=slave, stdout=slave, stderr=slave, env=environment
    ) as process:
        os.close(slave)
        heard = b""
        try:
            while part := os.read(master, 1 << 16):
                heard += part
        except OSError:  # Linux: nobody has the other end any more
            pass
        os.close(master)
    return process.returncode, heard.decode()


@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_has_bars_and_with_no_color_text_alone(
    no_color: str, raw_trees: dict[str, Path], tmp_path: Path
) -> None:
    line = ("posedata", "build", "--dataset", "speed21", "--raw", raw_trees["speed21"], "--out", tmp_path / "s.zarr")
    code, text = at_a_terminal(*line, NO_COLOR=no_color)
    assert code == 0, text
    assert (ESCAPE in text) == (not no_color)
    assert ("reading speed21: 12 files\r\n" in text) == bool(no_color)
    assert ("12/12" in text) == (not no_color)


@pytest.mark.parametrize(
    "line",
    [
        ("posedata", "build", "--help"),
        ("posedata", "nonsense"),
        ("posedata", "info", "none.zarr"),
        ("posetrain", "--help"),
    ],
    ids=" ".join,
)
def test_nothing_else_is_coloured(line: tuple[str, ...]) -> None:
    assert ESCAPE not in at_a_terminal(*line, NO_COLOR="1")[1]
