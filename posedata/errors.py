"""Everything that posedata and posetrain raise on purpose.

Each class carries the exit code of the commands. The message says where, what was expected, what was
found and what to do; `faults` holds one such line for every fault that was found at once.
"""

import errno
from collections.abc import Sequence
from pathlib import Path

FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Numbers of errors of the system that only writing meets."""

MOST_TOLD = 100
"""Faults of one file that are told in words."""


class PoseDataError(Exception):
    """Base of all errors of this project."""

    exit_code = 1

    def __init__(self, message: str, *more: str) -> None:
        self.faults: tuple[str, ...] = (message, *more)
        super().__init__("\n".join(self.faults))


class ChoiceError(PoseDataError):
    """A name or option that is not among the choices; the message lists them."""

    exit_code = 2


class BadInputError(PoseDataError):
    """Raw data that is missing, damaged or about to be misread."""

    exit_code = 3


class IntegrityError(PoseDataError):
    """A store that is incomplete or is not what its manifest says."""

    exit_code = 4


class ResourceError(PoseDataError):
    """Not enough room on a disk or in memory."""

    exit_code = 5


class ConflictError(PoseDataError):
    """The target exists already, or another process is working on it."""

    exit_code = 6


class InUseError(ConflictError):
    """What is to be replaced is being read."""


class RemoteError(PoseDataError):
    """Another machine cannot be reached, or does not do what it was asked."""

    exit_code = 7


def bad_file(path: Path | str, faults: Sequence[str]) -> BadInputError:
    """One error that lists every fault found in `path`, a line each."""
    return BadInputError(*(f"{path}: {fault}" for fault in faults))


def first_faults(faults: Sequence[str]) -> list[str]:
    """Of many faults the first `MOST_TOLD`, and how many others there are."""
    more = len(faults) - MOST_TOLD
    return [*faults[:MOST_TOLD], *([f"{more:,} faults more"] if more > 0 else [])]
