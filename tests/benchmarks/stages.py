"""What the benchmarks of builds share."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from posedata.progress import Advance


class Stages:
    """A progress that takes the time of the stages."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, what: str, total: int, unit: str) -> Iterator[Advance]:
        begin = time.perf_counter()
        yield lambda done: None
        self.seconds[what] = time.perf_counter() - begin
