"""What commands say: data goes to stdout, remarks and progress to stderr."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import click

from posedata.progress import Advance, Progress, silent
from posedata.secrets import redact, redact_values


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout."""
    click.echo(json.dumps(redact_values(value), indent=2, allow_nan=False))


def print_config(context: click.Context, resolved: Mapping[str, Any], as_json: bool) -> None:
    """All options of a command on stdout; `resolved` has values of parameters that count as others than asked for."""
    from posedata.configfile import config_of, to_yaml

    config = config_of(context.command, {**context.params, **resolved})
    if as_json:
        print_json(config)
    else:
        click.echo(redact(to_yaml(config)), nl=False)


def print_table(rows: Sequence[tuple[object, ...]]) -> None:
    """Rows on stdout, in columns."""
    cells = [[str(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        click.echo(redact("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()))


def remark(text: str, quiet: bool) -> None:
    """A line on stderr, unless quiet."""
    if not quiet:
        click.echo(redact(text), err=True)


def progress(quiet: bool, lasting: bool = True) -> Progress:
    """Bars on a terminal, a line a step elsewhere, nothing if quiet; if not lasting, bars that go when done.

    With $NO_COLOR (https://no-color.org) a terminal is sent text alone, so no bars either.
    """
    if quiet:
        return silent
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        return partial(_bar, transient=not lasting)
    return _line if lasting else silent


@contextmanager
def _bar(what: str, total: int, unit: str, transient: bool) -> Iterator[Advance]:
    from rich import progress as columns
    from rich.console import Console

    counts = [columns.MofNCompleteColumn(), columns.TextColumn(unit)]
    if unit == "bytes":
        counts = [columns.DownloadColumn(), columns.TransferSpeedColumn()]
    ends = [columns.TimeElapsedColumn(), columns.TimeRemainingColumn()]
    shown = [columns.TextColumn("{task.description}"), columns.BarColumn(), *counts, *ends]
    with columns.Progress(*shown, console=Console(stderr=True), transient=transient) as bars:
        task = bars.add_task(what, total=total)
        yield lambda done: bars.advance(task, done)


@contextmanager
def _line(what: str, total: int, unit: str) -> Iterator[Advance]:
    yield lambda done: None
    click.echo(f"{what}: {total:,} {unit}", err=True)
