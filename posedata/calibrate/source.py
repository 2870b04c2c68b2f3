"""Where a detector's output and its annotations come from: a store, or a raw tree read as a build reads it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata import geometry
from posedata.boxes import boxed, detected
from posedata.errors import BadInputError, ChoiceError
from posedata.formats import find_format
from posedata.formats.base import SYNTHETIC_MARK
from posedata.home import find_store, is_stray
from posedata.poses import PoseSequence
from posedata.splits import SPLITS
from posedata.store.reader import Store, open_store
from posedata.store.schema import CHUNK_FRAMES

_DETECTOR = "climbalong"


class Block(NamedTuple):
    """Frames that follow one another.

    Attributes:
        targets: (n, 25, 2) grid positions, NaN = missing.
        heatmaps: (n, 25, 56, 56), of the detector, not negative.
        sequence: (n,) number of each frame's sequence.
    """

    targets: NDArray[np.float32]
    heatmaps: NDArray[np.float16]
    sequence: NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """What is measured.

    Attributes:
        path: of the store or raw tree.
        digest: content digest of the store; None for a raw tree.
        synthetic: whether it is.
        frames: how many there are.
        blocks: reads them.
    """

    path: Path
    digest: str | None
    synthetic: bool
    frames: int
    blocks: Callable[[], Iterator[Block]]


def find_source(given: Path | str, split: str) -> Source:
    """The store, or the raw tree, which is one if it has a folder `input` or `target`.

    Args:
        given: path, name in the data home, or URL.
        split: of a store, whose frames are measured; "all" = every frame.

    Raises:
        BadInputError: if nothing is there, the raw data is faulty, or the split has no frame.
        ChoiceError: if a raw tree is to have a split.
        IntegrityError: if the store is damaged.
    """
    if isinstance(given, Path) and any((given / name).is_dir() for name in ("input", "target")):
        if split != "all":
            raise ChoiceError(f"--split: expected with a store, found {given}, a raw tree, which has no splits")
        return _raw(given)
    if is_stray(Path(given)):
        raise BadInputError(
            f"{given}: expected a store, or a detector's heatmaps in input/ and annotations in target/, found neither"
        )
    return _stored(open_store(find_store(given)), split)


def _stored(store: Store, split: str) -> Source:
    positions = np.arange(len(store))
    if split != "all":
        positions = np.flatnonzero(store["split"] == SPLITS[split])
    if not len(positions):
        raise BadInputError(f"{store.path}: split: expected frames of {split}, found none")
    synthetic, digest = bool(store.attributes["synthetic"]), store.manifest.content_digest
    return Source(store.path, digest, synthetic, len(positions), partial(_store_blocks, store, positions))


def _store_blocks(store: Store, positions: NDArray[np.int64]) -> Iterator[Block]:
    for start in range(0, len(positions), CHUNK_FRAMES):
        few = positions[start : start + CHUNK_FRAMES]
        targets, heatmaps = (store.frames(name, few) for name in ("target_points", "input_heatmaps"))
        yield Block(targets, heatmaps, store.frame_sequence[few])


def _raw(root: Path) -> Source:
    dataset = find_format(_DETECTOR).open(root)
    sequences = [dataset.read(item) for item in dataset.items()]
    synthetic = (root / SYNTHETIC_MARK).is_file()
    return Source(root, None, synthetic, sum(map(len, sequences)), partial(_raw_blocks, sequences))


def _raw_blocks(sequences: list[PoseSequence]) -> Iterator[Block]:
    for number, sequence in enumerate(sequences):
        points, boxes = boxed(sequence)
        targets = geometry.to_grid(points, boxes).astype(np.float32)
        start = 0
        for heatmaps in detected(sequence, np.isnan(boxes[:, 0])):
            stop = start + len(heatmaps)
            yield Block(targets[start:stop], heatmaps, np.full(len(heatmaps), number))
            start = stop
