"""Models over whole sequences: in windows that overlap, a frame's place the mean of what the windows say of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from posedata.pck import Floats
from posedata.progress import Progress, silent
from posedata.skeleton import K
from posedata.store.reader import Store
from posetrain.data import Windows
from posetrain.overlap import pieces, runs_of, weights
from posetrain.tasks import Refiner, Task

_BATCH = 32


def runs(store: Store) -> list[slice]:
    """Frames of one sequence and shot without a gap, as slices of the store."""
    return runs_of(store["frame_number"].astype(np.int64), store.frame_sequence, store["shot"])


def runs_with(frames: NDArray[np.int64], whole: Sequence[slice]) -> Iterator[slice]:
    """Those of some runs that hold any of some frames, which rise."""
    for run in whole:
        if np.searchsorted(frames, run.start) < np.searchsorted(frames, run.stop):
            yield run


@torch.inference_mode()
def over_sequences(
    refine: Refiner, task: Task, windows: Windows, whole: Sequence[slice], length: int, progress: Progress = silent
) -> Floats:
    """What a model says of the frames of some windows, when it goes over the sequences that they are from.

    Args:
        refine: the model.
        task: what it works on.
        windows: whose frames are wanted, in their frame step.
        whole: `runs` of the store.
        length: frames that the model sees at once; where a run is shorter, so is what it sees, but it never has fewer
            frames than one of `windows`.
        progress: told of the windows.

    Returns:
        (W, T, 25, 2) grid positions.
    """
    starts = defaultdict(list)
    least = min(length, windows.frames.shape[1])
    for run in runs_with(np.unique(windows.frames), whole):
        for start, count in pieces(run, length, windows.step):
            if count >= least:  # a shorter track holds none of the windows, and not every model takes it
                starts[count].append(start)
    total = np.zeros((len(windows.video), K, 2))
    mass = np.zeros((len(windows.video), 1, 1))
    with progress("refining sequences", sum(map(len, starts.values())), "windows") as advance:
        for count, firsts in starts.items():
            weight = weights(count)[:, None, None]
            seen = windows.elsewhere(np.asarray(firsts), count)
            for batch in seen.batches(np.arange(len(seen)), _BATCH, task.parts):
                found = task.positions(refine(task.given(batch)), batch).cpu().double().numpy()
                np.add.at(total, batch.frames, weight * found)
                np.add.at(mass, batch.frames, weight)
                advance(len(batch.frames))
    positions: Floats = total[windows.frames] / mass[windows.frames]
    return positions
