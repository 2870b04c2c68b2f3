"""What several parts ask of a store: names of its sequences, and where its input says that the keypoints are."""

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError
from posedata.geometry import cell_centres
from posedata.heatmaps import peak_table, peaks
from posedata.skeleton import K
from posedata.store.reader import Store
from posedata.store.schema import CHUNK_FRAMES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_NAMED = 5

_BLOCK = 4 * CHUNK_FRAMES
"""Frames of heatmaps in memory at a time, 20 MB; a few chunks, for they are decoded side by side."""


def sequence_names(store: Store) -> list[str]:
    """dataset/name of every sequence."""
    return [f"{d}/{n}" for d, n in zip(store["sequence_dataset"], store["sequence_name"], strict=True)]


def find_sequence(names: Sequence[str], wanted: str) -> int:
    """Number of the sequence of that name.

    Args:
        names: dataset/name of every sequence.
        wanted: dataset/name, or the name alone where one dataset has it.

    Raises:
        BadInputError: if there is none, or more than one; near names are listed.
    """
    if wanted in names:
        return names.index(wanted)
    bare = [name.partition("/")[2] for name in names]
    found = [number for number, name in enumerate(bare) if name == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(names[number] for number in found)
        raise BadInputError(f"sequence {wanted}: expected the name of one, found several: {several}")
    near = [name for name in names if wanted in name] or get_close_matches(wanted, names, _MOST_NAMED)
    # Nearness is judged without the dataset too, for it is often left out.
    near += [names[bare.index(name)] for name in get_close_matches(wanted, bare, _MOST_NAMED)]
    told = ", ".join(list(dict.fromkeys(near or names))[:_MOST_NAMED])
    kind = "near it" if near else f"among {len(names):,}"
    raise BadInputError(f"sequence {wanted}: expected one of the store, found no such; {kind}: {told}")


def frames_of(store: Store, number: int) -> Ints:
    """(T,) positions of the frames of a sequence, by its number."""
    start, length = (int(store[f"sequence_{name}"][number]) for name in ("start", "length"))
    return np.arange(start, start + length)


def sequence_frames(store: Store, name: str) -> Ints:
    """(T,) positions of the frames of a sequence, by its name.

    Args:
        store: where it is.
        name: dataset/name, or the name alone where one dataset has it.

    Raises:
        BadInputError: if there is none, or more than one; near names are listed.
        IntegrityError: where the store is damaged.
    """
    return frames_of(store, find_sequence(sequence_names(store), name))


def input_positions(store: Store, positions: NDArray[np.int64]) -> Floats:
    """Where the input puts keypoints: the centres of the cells of a noisy store's impulses, or a detector's peaks.

    Returns:
        (n, 25, 2) grid positions, NaN where there is none.
    """
    if "input_heatmaps" in store.rendered:
        return cell_centres(store.frames("input_cells", positions))
    starts = range(0, len(positions), _BLOCK)
    blocks = (positions[start : start + _BLOCK] for start in starts)
    return np.concatenate([np.empty((0, K, 2)), *(peaks(store.frames("input_heatmaps", block)) for block in blocks)])


def input_peaks(store: Store, positions: NDArray[np.int64]) -> Floats:
    """Peaks of the input heatmaps of some frames, which is what a score takes for its positions.

    Those of a noisy store are looked up from cell and sigma: near the border a peak is not always where its impulse is.

    Returns:
        (n, 25, 2) grid positions, NaN where a heatmap is all zeros.
    """
    if "input_heatmaps" not in store.rendered:
        return input_positions(store, positions)
    cells = store.frames("input_cells", positions).astype(np.intp)
    sigma = store.sigma_numbers(positions)
    found = peak_table(store.input_table)[sigma.reshape(len(sigma), -1), cells[..., 1], cells[..., 0]]
    return np.where(cells < 0, np.nan, found)
