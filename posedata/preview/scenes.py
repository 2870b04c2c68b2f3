"""Frames of a store, ready to be drawn, and what picks are ordered by. Read in blocks."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posedata.geometry import mean_present
from posedata.heatmaps import peaks
from posedata.skeleton import K
from posedata.splits import SPLIT_NAMES
from posedata.store.reader import Store
from posedata.store.schema import CHUNK_FRAMES
from posedata.store.views import input_positions, sequence_names

Floats = NDArray[np.float64]
Halves = NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Drawn:
    """What a heatmap was rendered from.

    Attributes:
        cells: (25, 2) int8, x y; -1 = missing.
        sigma: (25,) in cells.
    """

    cells: NDArray[np.int8]
    sigma: Floats


@dataclass(frozen=True, eq=False)
class Backdrop:
    """The image that a frame was annotated on.

    Attributes:
        picture: (h, w, 3) uint8, red green blue.
        box: (4,) x0 y0 x1 y1: where the grid lies in it, in pixels from its left and upper edge; NaN = no box.
    """

    picture: NDArray[np.uint8]
    box: Floats


@dataclass(frozen=True, eq=False)
class Scene:
    """One frame.

    Attributes:
        sequence: dataset/name.
        number: of the frame in its source.
        seconds: when it is seen in its source, NaN = unknown.
        split: name, or "no split".
        box: (4,) x0 y0 x1 y1 in pixels of the source, NaN = no box.
        target: (25, 2) sub-cell grid positions, NaN = missing.
        peaks: (25, 2) centres of the input's largest cells, NaN where the input is all zeros.
        target_heatmaps: (25, 56, 56).
        input_heatmaps: (25, 56, 56).
        target_drawn: what the target was rendered from, sigma 1.
        input_drawn: the same of the input; None for a detector's.
        backdrop: None unless asked for.
    """

    sequence: str
    number: int
    seconds: float
    split: str
    box: Floats
    target: Floats
    peaks: Floats
    target_heatmaps: Halves
    input_heatmaps: Halves
    target_drawn: Drawn
    input_drawn: Drawn | None
    backdrop: Backdrop | None = None


def fused(heatmaps: Halves) -> NDArray[np.float32]:
    """One picture of many heatmaps: each scaled to its own peak, then the largest at every cell.

    Args:
        heatmaps: (n, 56, 56).

    Returns:
        (56, 56) from 0 to 1.
    """
    values = heatmaps.astype(np.float32)
    top = values.max(axis=(-2, -1), keepdims=True)
    together: NDArray[np.float32] = (values / np.where(top > 0, top, 1)).max(axis=0)
    return together


def read_scenes(store: Store, positions: NDArray[np.int64]) -> Iterator[Scene]:
    """The frames at these positions, in this order; a chunk of them is in memory at a time.

    Raises:
        IntegrityError: where the store is damaged.
    """
    names = sequence_names(store)
    for start in range(0, len(positions), CHUNK_FRAMES):
        yield from _block(store, positions[start : start + CHUNK_FRAMES], names)


def _block(store: Store, positions: NDArray[np.int64], names: list[str]) -> Iterator[Scene]:
    wanted = ("frame_number", "split", "box", "target_points", "target_cells", "target_heatmaps", "input_heatmaps")
    arrays = {name: store.frames(name, positions) for name in wanted}
    found = peaks(arrays["input_heatmaps"])
    drawn = _input_drawn(store, positions)
    sequences = store.frame_sequence[positions]
    seconds = arrays["frame_number"] / store["sequence_fps"][sequences]
    for i, sequence in enumerate(sequences.tolist()):
        yield Scene(
            names[sequence],
            int(arrays["frame_number"][i]),
            float(seconds[i]),
            SPLIT_NAMES.get(int(arrays["split"][i]), "no split").replace("_", "-"),
            arrays["box"][i].astype(np.float64),
            arrays["target_points"][i].astype(np.float64),
            found[i],
            arrays["target_heatmaps"][i],
            arrays["input_heatmaps"][i],
            Drawn(arrays["target_cells"][i], np.ones(K)),
            drawn[i] if drawn else None,
        )


def _input_drawn(store: Store, positions: NDArray[np.int64]) -> list[Drawn] | None:
    if "input_heatmaps" not in store.rendered:
        return None
    cells = store.frames("input_cells", positions)
    sigma = store.frames("input_sigma", positions).astype(np.float64)
    sigma = np.broadcast_to(sigma.reshape(len(positions), -1), (len(positions), K))
    return [Drawn(*pair) for pair in zip(cells, sigma, strict=True)]


def missing(store: Store, positions: NDArray[np.int64]) -> Floats:
    """How many keypoints of each frame are not annotated."""
    return np.asarray(K - store.frames("annotated", positions).sum(axis=-1), np.float64)


def noise(store: Store, positions: NDArray[np.int64]) -> Floats:
    """How far each frame's input lies from its target, in cells: the mean over keypoints that have both.

    The input of a noisy store is where its impulse was put; a detector's is decoded.

    Returns:
        (n,), NaN where no keypoint has both.
    """
    off = input_positions(store, positions) - store.frames("target_points", positions)
    return mean_present(np.linalg.norm(off, axis=-1))
