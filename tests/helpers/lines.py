"""Lines of a page or a help, carried out as a shell would, without a shell where there need be none."""

import shlex
import subprocess
from pathlib import Path

from zygote import Zygote


def carry_out(line: str, zygote: Zygote, folder: Path) -> tuple[int, str]:
    """Exit code of a line, and what it told; if its output goes to a file, that is written."""
    command, _, file = line.partition(" > ")
    if not line.startswith("pose"):
        ran = subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, check=False)
        return ran.returncode, ran.stderr
    ran = zygote.run(shlex.split(command, comments=True), folder)
    if file:
        (folder / file).write_text(ran.stdout)
    return ran.returncode, ran.stderr
