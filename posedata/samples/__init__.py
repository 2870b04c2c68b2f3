"""Small synthetic raw trees in every real layout, plainly marked synthetic."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from posedata.errors import ChoiceError
from posedata.progress import Progress, silent
from posedata.samples import brace, climbalong, coco, film, human36m, keypoints, penn_action, speed21
from posedata.samples.base import empty_tree

__all__ = ["SAMPLES", "write_sample"]

Write = Callable[[Path, np.random.Generator, int, int], Iterator[int]]
"""Fills an empty folder with a layout; yields how many more sequences are there."""

SAMPLES: Mapping[str, Write] = {
    "brace": brace.write,
    "climbalong": climbalong.write,
    "coco": coco.write,
    "film": film.write,
    "human36m": human36m.write,
    "keypoints": keypoints.write,
    "penn_action": penn_action.write,
    "speed21": speed21.write,
}
"""By dataset, or `film`."""


def write_sample(
    name: str,
    root: Path,
    sequences: int = 12,
    frames: int = 120,
    seed: int = 0,
    segments: Path | None = None,
    progress: Progress = silent,
) -> None:
    """Write a synthetic raw tree.

    Args:
        name: the dataset whose layout it has, or `film`.
        root: where; must not exist or be empty.
        sequences: how many; of COCO photographs, of Human3.6M clips.
        frames: in each; COCO has none, clips have 8.
        seed: decides on all motion.
        progress: told of the sequences.
        segments: for BRACE, a `segments.csv` whose videos, frames and dances to fill with motion; replaces
            `sequences` and `frames`.

    Raises:
        ChoiceError: if there is no such dataset, or it has no segments.
        ConflictError: if `root` holds anything.
        BadInputError: if `segments` is no such file.
    """
    if name not in SAMPLES:
        raise ChoiceError(f"dataset {name!r}: expected one of {', '.join(SAMPLES)}")
    rng = np.random.default_rng([seed, *name.encode()])
    if segments is None:
        with empty_tree(
            root, f"posedata sample {name} --sequences {sequences} --frames {frames} --seed {seed}"
        ) as tree:
            _fill(SAMPLES[name](tree, rng, sequences, frames), sequences, progress)
        return
    if name != "brace":
        raise ChoiceError(f"--segments: expected with brace, found with {name}")
    rows = brace.read_segments(segments)
    with empty_tree(root, f"posedata sample {name} --segments {segments.name} --seed {seed}") as tree:
        _fill(brace.write_segments(tree, rng, rows), len(rows), progress)


def _fill(written: Iterator[int], sequences: int, progress: Progress) -> None:
    with progress("writing", sequences, "sequences") as advance:
        for more in written:
            advance(more)
