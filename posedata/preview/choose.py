"""From what is wanted to positions of frames in a store."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posedata.preview import select
from posedata.preview.scenes import Floats, missing, noise
from posedata.progress import Progress
from posedata.store.reader import Store
from posedata.store.schema import SHARD_FRAMES
from posedata.store.views import frames_of, sequence_frames, sequence_names

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Wanted:
    """What is to be shown.

    Attributes:
        sequence: dataset/name, or name; None = many sequences, one frame of each.
        first: number in the source of the first frame, None = no bound.
        end: number behind the last frame, None = no bound.
        pick: which sequences: "random", "noisiest" or "most-missing".
        count: sequences, or frames on the sheet of one sequence.
        seed: of a random pick.
    """

    sequence: str | None = None
    first: int | None = None
    end: int | None = None
    pick: str = "random"
    count: int = 12
    seed: int = 0


def chosen_frames(store: Store, wanted: Wanted, spread: bool, progress: Progress) -> Ints:
    """Positions of the frames to show, in their order.

    Args:
        store: where they are.
        wanted: what is to be shown.
        spread: of one sequence, whether only `count` frames are taken, evenly spread.
        progress: told of the frames that a pick has to measure.

    Raises:
        BadInputError: if there is no such sequence or frame.
        IntegrityError: where the store is damaged.
    """
    if wanted.sequence is None:
        return _one_of_each(store, wanted, progress)
    frames = sequence_frames(store, wanted.sequence)
    numbers = store.frames("frame_number", frames)
    frames = frames[select.frames_between(numbers, wanted.first, wanted.end)]
    return select.evenly(frames, wanted.count) if spread else frames


def _one_of_each(store: Store, wanted: Wanted, progress: Progress) -> Ints:
    """The typical frames of some sequences."""
    if wanted.pick == "random":
        sequences = select.draw_lots(sequence_names(store), wanted.count, wanted.seed).tolist()
        measures = [missing(store, frames_of(store, number)) for number in sequences]
    else:
        each = _measured(store, noise if wanted.pick == "noisiest" else missing, progress)
        sequences = select.most(np.asarray([select.mean(measure) for measure in each]), wanted.count).tolist()
        measures = [each[number] for number in sequences]
    starts = store["sequence_start"][sequences].tolist()
    return np.asarray([start + select.typical(m) for start, m in zip(starts, measures, strict=True)], np.int64)


def _measured(store: Store, measure: Callable[[Store, Ints], Floats], progress: Progress) -> list[Floats]:
    """A measure of every frame, by sequence."""
    blocks = [np.arange(start, min(start + SHARD_FRAMES, len(store))) for start in range(0, len(store), SHARD_FRAMES)]
    found = []
    with progress("measuring", len(store), "frames") as advance:
        for block in blocks:
            found.append(measure(store, block))
            advance(len(block))
    return np.split(np.concatenate(found), store["sequence_start"][1:])
