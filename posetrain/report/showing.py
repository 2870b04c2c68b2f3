"""Pictures of predictions, of the samples that a run gets best, so so, and worst."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from posedata.preview.colours import INK, SIDES
from posedata.preview.draw import Picture, grid, line
from posetrain.judging import Judge
from posetrain.kinds import Samples
from posetrain.team import ALONE


@dataclass(frozen=True)
class Shown:
    """What a report shows of models of a kind of store.

    Attributes:
        judge: how they are scored.
        scored: what the score means, in a sentence.
        pictured: what the pictures show, likewise.
        draw: samples of a store with what was predicted of them, each a picture of the same size; takes the store,
            (n,) positions of samples, and (n, ...) what the task's `positions` says.
        each: how many are shown of the best, of the worst, and of those between.
        columns: how many stand side by side.
    """

    judge: Judge
    scored: str
    pictured: str
    draw: Callable[[Any, NDArray[np.int64], NDArray[np.floating]], list[Picture]]
    each: int
    columns: int


def picked(errors: NDArray[np.floating], each: int) -> dict[str, NDArray[np.int64]]:
    """Numbers of the samples to show, by what they are; none twice, the best first and the worst first.

    Args:
        errors: (W,) how wrong samples are; NaN = nobody knows, they are not shown.
        each: how many there are of each at most.
    """
    order = np.argsort(errors, kind="stable")[: int((~np.isnan(errors)).sum())]
    low, middle, high = np.array_split(order, 3)
    start = (len(middle) - min(each, len(middle))) // 2
    found = {"best": low[:each], "middle": middle[start : start + each], "worst": high[::-1][:each]}
    return {name: numbers for name, numbers in found.items() if len(numbers)}


@torch.inference_mode()
def predicted(model: Any, task: Any, samples: Samples, numbers: NDArray[np.int64]) -> NDArray[np.floating]:
    """(n, ...) what a model says of some samples."""
    found = [
        task.positions(model(task.given(batch))).cpu().numpy()
        for batch in samples.batches(numbers, task.at_once, task.parts, ALONE)
    ]
    return np.concatenate(found)


def sheet(tiles: Mapping[str, Sequence[Picture]], columns: int) -> Picture:
    """Groups of pictures of one size below each other, each with its name above it; a legend above all.

    Args:
        tiles: name -> at least one picture.
        columns: how many stand side by side at most.
    """
    most = min(columns, max(map(len, tiles.values())))
    rows = {name: grid(group, most) for name, group in tiles.items()}
    width = next(iter(rows.values())).shape[1]
    parts = [line(width, *((name, SIDES[name]) for name in SIDES))]
    for name, row in rows.items():
        parts += [line(width, (name, INK)), row]
    return np.concatenate(parts)
