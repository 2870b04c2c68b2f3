"""What the commands of both packages share: exit codes, progress, output. Data goes to stdout, the rest to stderr."""

import errno
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NoReturn, TypeVar, cast

import click
from click.shell_completion import CompletionItem

from posedata.errors import BadInputError, ChoiceError, PoseDataError
from posedata.progress import Advance, Progress, silent
from posedata.secrets import redact, redact_values, refuse_credentials

_FULL_DISK = {errno.ENOSPC, errno.EDQUOT}
_EXTRAS = {
    "PIL": "view",
    "cv2": "view",
    "distributed": "cluster",
    "h5netcdf": "movement",
    "huggingface_hub": "hf",
    "jinja2": "report",
    "matplotlib": "report",
    "rerun": "rerun",
    "s3fs": "s3",
    "safetensors": "train",
    "torch": "train",
    "xarray": "movement",
}
"""Package -> the extra that brings it."""

FOLDER: click.Path = click.Path(path_type=Path)
"""A path on the command line."""


class _Place(click.ParamType["Path | str"]):
    """A path, or a URL, which a path would garble."""

    name = "store"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path | str:
        del param, ctx
        return str(value) if "://" in str(value) else Path(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Stores of the data home by their names; where none begins like that, paths."""
        from posedata.home import stores_in_home

        del ctx, param
        names = sorted(path.stem for path in stores_in_home() if path.stem.startswith(incomplete))
        return [CompletionItem(incomplete, type="file"), *map(CompletionItem, names)]


STORE = _Place()
"""A store on the command line: its path, its name in the data home, or a URL COLLECTION/NAME."""


class _DatasetName(click.ParamType[str]):
    """A dataset; `-` passes for `_`."""

    name = "dataset"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from posedata.formats import FORMATS

        name = str(value).lower().replace("-", "_")
        if name not in FORMATS:
            self.fail(f"{value!r}: expected one of {', '.join(FORMATS)}", param, ctx)
        return name

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names."""
        from posedata.formats import FORMATS

        del ctx, param
        return [CompletionItem(name) for name in FORMATS if name.startswith(incomplete)]


DATASET = _DatasetName()
"""The name of a raw format on the command line."""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def run(command: click.Command, name: str, stopped: str = "nothing was left half-made") -> NoReturn:
    """Run a command and leave with its exit code: one line a fault on stderr, a traceback only with --debug.

    Args:
        command: what to run.
        name: of the program.
        stopped: what is true after a signal.
    """
    global _left
    _left = stopped
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    if debug:
        arguments.remove("--debug")
    sys.excepthook = _debugged if debug else _unexpected
    for number in _WORDS:
        signal.signal(number, _stop)
    try:
        refuse_credentials(arguments)
        code = command.main(arguments, prog_name=name, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _fail(error.exit_code, f"{error.format_message()}; see --help")
    except (click.Abort, KeyboardInterrupt):
        _fail(*_stopped())
    except SystemExit as leave:
        # click leaves with 1 when whoever read our output has gone: no fault of ours.
        sys.exit(0 if leave.code == 1 else leave.code)
    except (PoseDataError, MemoryError, OSError, ModuleNotFoundError) as error:
        if debug:
            click.echo(redact("".join(traceback.format_exception(error))), err=True, nl=False)
        _fail(*(_stopped() if _received else _judge(error)))
    # A command returns None, or what it gave to click's Exit.
    sys.exit(code)


def when_stopped(truth: str) -> None:
    """What is true after a signal from here on."""
    global _left
    _left = truth


_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
_received: list[int] = []
_left = ""


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """Unwind, so that whatever is half-made is removed."""
    del frame
    _received.append(number)
    raise KeyboardInterrupt


def _stopped() -> tuple[int, str]:
    """Exit code and message after a signal."""
    number = signal.Signals(_received[0]) if _received else signal.SIGINT
    return 128 + number, f"{_WORDS[number]}; {_left}"


def _judge(error: PoseDataError | MemoryError | OSError | ModuleNotFoundError) -> tuple[int, *tuple[str, ...]]:
    """Exit code and messages."""
    if isinstance(error, PoseDataError):
        return error.exit_code, *error.faults
    if isinstance(error, ModuleNotFoundError):
        extra = _EXTRAS.get(error.name or "")
        advice = f"pip install 'posedata[{extra}]'" if extra else "this is a bug: report it"
        return 2 if extra else 1, f"{error.name}: expected the package, found it missing; {advice}"
    if isinstance(error, MemoryError):
        return 5, "memory: expected enough, found none left; use fewer --workers or a smaller batch"
    what = error.filename or "system"
    if error.errno in _FULL_DISK:
        return 5, f"{what}: expected free space, found none; free some and run the command again"
    return 5 if error.errno == errno.EIO else 3, f"{what}: {error.strerror or error}"


def _fail(code: int, *messages: str) -> NoReturn:
    for message in messages:
        click.echo(f"error: {redact(message)}", err=True)
    sys.exit(code)


def _debugged(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Instead of Python's own traceback, which shows whatever stands in messages."""
    click.echo(redact("".join(traceback.format_exception(kind, error, trace))), err=True, nl=False)


def _unexpected(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Instead of a traceback; Python leaves with exit code 1 after it."""
    del error, trace
    if _received:
        # C code that was interrupted may raise another error in place of ours. All has been unwound by now.
        code, message = _stopped()
        click.echo(f"error: {message}", err=True)
        os._exit(code)
    click.echo(f"error: {kind.__name__}: this is a bug; run again with --debug and report what it prints", err=True)


def output_options(command: _Command) -> _Command:
    """The options --json and --quiet, passed as `as_json` and `quiet`."""
    as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
    quiet = click.option("--quiet", "-q", is_flag=True, help="Print results only: no progress, no remarks.")
    return as_json(quiet(command))


def config_options(*lists: str) -> Callable[[_Command], _Command]:
    """The options --config and --show-config, the second passed as `show_config`; what a file says counts as typed.

    Args:
        lists: parameters of one text with commas, for which a list may stand in the file.
    """

    def read(context: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
        from posedata.configfile import read_config

        if path and not context.resilient_parsing:
            context.default_map = read_config(path, context, set(lists))
        return path

    def add(command: _Command) -> _Command:
        @wraps(command)
        def configured(*args: Any, config: Path | None, **options: Any) -> Any:
            try:
                return command(*args, **options)
            except (BadInputError, ChoiceError) as error:
                from posedata.configfile import of_file

                if not config:
                    raise
                raise of_file(error, config, click.get_current_context()) from error

        words = "YAML of options; typed ones win."
        file = click.option("--config", type=FOLDER, is_eager=True, callback=read, metavar="FILE", help=words)
        show = click.option("--show-config", is_flag=True, help="Print all options, as --config takes them, and end.")
        return cast(_Command, file(show(configured)))

    return add


def print_config(context: click.Context, resolved: Mapping[str, Any], as_json: bool) -> None:
    """All options of a command on stdout; `resolved` has values of parameters that count as others than asked for."""
    from posedata.configfile import config_of, to_yaml

    config = config_of(context.command, {**context.params, **resolved})
    if as_json:
        print_json(config)
    else:
        click.echo(redact(to_yaml(config)), nl=False)


def given_options(context: click.Context) -> set[str]:
    """Names of the parameters that the user typed, or gave in a config file."""
    return {
        name for name in context.params if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout."""
    click.echo(json.dumps(redact_values(value), indent=2, allow_nan=False))


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
