"""What MkDocs does before it builds the site: examples in the help of commands become code.

In a docstring they are a paragraph behind a backspace, which keeps its lines; Markdown would run them together.
"""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import click

from posedata.cli import cli as posedata
from posetrain.cli import cli as posetrain

_EXAMPLES = re.compile(r"^\x08\n(?P<heading>\S.*)\n(?P<lines>(?:  .*\n?)+)", re.MULTILINE)


def on_pre_build(config: Any) -> None:
    """Rewrite the help of all commands; a command that was rewritten stays as it is."""
    del config
    for command in _commands(posedata, posetrain):
        command.help = _EXAMPLES.sub(_code, inspect.cleandoc(command.help or ""))


def _commands(*commands: click.Command) -> Iterator[click.Command]:
    for command in commands:
        yield command
        if isinstance(command, click.Group):
            yield from _commands(*command.commands.values())


def _code(found: re.Match[str]) -> str:
    lines = "\n".join(line[2:] for line in found["lines"].splitlines())
    return f"{found['heading']}\n\n```sh\n{lines}\n```\n"
