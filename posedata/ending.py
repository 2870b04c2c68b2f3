"""How a command ends: with an exit code, one line a fault on stderr, and nothing half-made."""

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import NoReturn

import click

from posedata.errors import FULL_DISK, PoseDataError
from posedata.secrets import redact, refuse_credentials

NOTHING = "nothing was left half-made"
"""What a stopped command tells, unless it keeps something."""

KEPT = "what has come is kept; the same command goes on"

_EXTRAS = {
    "PIL": "view",
    "av": "view",
    "cv2": "view",
    "distributed": "cluster",
    "h5netcdf": "movement",
    "huggingface_hub": "hf",
    "jinja2": "report",
    "matplotlib": "report",
    "rerun": "rerun",
    "s3fs": "s3",
    "safetensors": "train",
    "sklearn": "explain",
    "torch": "train",
    "transformers": "clips",
    "xarray": "movement",
}
"""Package -> the extra that brings it."""


def run(command: click.Command, name: str) -> NoReturn:
    """Run a command and leave with its exit code: one line a fault on stderr, a traceback only with --debug.

    Args:
        command: what to run.
        name: of the program.
    """
    when_stopped(lambda: NOTHING)
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    if debug:
        arguments.remove("--debug")
    sys.excepthook = _debugged if debug else _unexpected
    for number in _WORDS:
        signal.signal(number, _stop)
    signal.signal(signal.SIGALRM, _stop_again)
    sys.unraisablehook = _ignored
    if sys.stderr is None:  # whoever began us has closed it
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 for as long as the process lives
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
    finally:
        # What is left is Python's own; an alarm that it does not handle any more would kill it.
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
    # A command returns None, or what it gave to click's Exit.
    sys.exit(code)


def when_stopped(truth: Callable[[], str]) -> None:
    """What tells, after a signal from here on, what is left."""
    global _left
    _left = truth


_WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
_received: list[int] = []
_left: Callable[[], str] = str
_LOOK_AGAIN = 0.5
"""Seconds."""


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """Unwind, so that whatever is half-made is removed."""
    del frame
    _received.append(number)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_AGAIN, _LOOK_AGAIN)
    raise KeyboardInterrupt


def _stop_again(number: int, frame: FrameType | None) -> None:
    """Unwind if nothing does so: what is raised in a callback, as importing has them, is ignored by Python."""
    del number, frame
    if sys.exception() is None:
        raise KeyboardInterrupt


def _ignored(what: "sys.UnraisableHookArgs") -> None:
    """Say nothing of an interrupt that Python ignores."""
    if not isinstance(what.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(what)


def _stopped() -> tuple[int, str]:
    """Exit code and message after a signal."""
    number = signal.Signals(_received[0]) if _received else signal.SIGINT
    return 128 + number, f"{_WORDS[number]}; {_left()}"


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
    if error.errno in FULL_DISK:
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
