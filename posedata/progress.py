"""How long work tells how far it is, without knowing who looks on."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

Advance = Callable[[float], None]
"""Called with the number of units done since the last call, which need not be whole."""

Progress = Callable[[str, int, str], AbstractContextManager[Advance]]
"""Called with what is done, how many units there are, and their name; entered for as long as it takes."""


@contextmanager
def silent(what: str, total: int, unit: str) -> Iterator[Advance]:
    """A progress that shows nothing."""
    del what, total, unit
    yield lambda done: None
