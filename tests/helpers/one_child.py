"""One child process for all files that the tests of a module read: to start one takes longer than such a test."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest

from posedata.isolated.child import ChildReader, Load


class _Shared(ChildReader):
    def close(self) -> None:
        """Other tests go on with it."""


@contextmanager
def one_child(module: ModuleType, kind: str, load: Load) -> Iterator[None]:
    """Whatever `module` reads in a child process is read in one; a file that kills it costs another, as in a build."""
    reader = _Shared(kind, load)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ChildReader", lambda *_: reader)
        try:
            yield
        finally:
            ChildReader.close(reader)
