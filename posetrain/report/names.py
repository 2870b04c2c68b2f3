"""What a report calls a run, and how it tells its training."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from posetrain.config import TrainConfig


def names(runs: Sequence[Path], taken: Iterable[str]) -> list[str]:
    """As much of each path's end as tells the run from all others, and from names that are taken."""
    paths = [run.resolve() for run in runs]
    ends = ["/".join(path.parts[-n:]) for path in paths for n in range(1, len(path.parts))]
    counts = Counter(taken) + Counter(ends)
    return [
        next((end for n in range(1, len(path.parts)) if counts[end := "/".join(path.parts[-n:])] == 1), str(path))
        for path in paths
    ]


def steps(config: TrainConfig, samples: int, epochs: int) -> str:
    """How long a run was trained, of so many samples an epoch."""
    return f"{epochs} x {-(-samples // config.batch_size):,} steps of {config.batch_size}"
