"""Read a store of temporal heatmaps: its sequences, windows and sigmas."""

from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posedata.errors import ChoiceError, IntegrityError
from posedata.heatmaps import RowTable, row_table
from posedata.splits import SPLITS, TRAIN
from posedata.store.arrays import KEPT_CHUNKS
from posedata.store.opened import Opened, open_kind
from posedata.store.schema import KIND
from posedata.windows import span, window_starts, within_split, without_overlap


class Store(Opened):
    """A complete store of temporal heatmaps, opened for reading; its attributes are those of `Opened`."""

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """(S,) frames of each sequence; raises IntegrityError if they do not add up."""
        lengths: NDArray[np.int64] = self["sequence_length"]
        if (lengths <= 0).any() or lengths.sum() != len(self):
            raise IntegrityError(f"{self.path}/sequence_length: expected lengths that sum up to {len(self)}")
        return lengths

    @cached_property
    def frame_sequence(self) -> NDArray[np.int64]:
        """(N,) number of each frame's sequence; raises IntegrityError if the lengths do not add up."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @cached_property
    def frame_video(self) -> NDArray[np.int64]:
        """(N,) number of each frame's video, in order of dataset and name."""
        names = np.asarray([f"{d}\n{v}" for d, v in zip(self["sequence_dataset"], self["sequence_video"], strict=True)])
        return np.unique(names, return_inverse=True)[1][self.frame_sequence]

    def windows(self, split: str = "all", length: int = 5, step: int = 1) -> NDArray[np.int64]:
        """First positions of the windows of a split.

        Windows of "train" slide by one frame. Those of every other split share no frame, and so do those
        of "all", which pays no heed to splits.

        Args:
            split: "train", "validation", "test", "held_out" or "all".
            length: frames in a window.
            step: frames from one to the next.

        Returns:
            (W,) positions; a window holds start, start + step, ...

        Raises:
            ChoiceError: if there is no such split.

        Examples:
            >>> store = open_store("data/stores/brace-k1-random.zarr")
            >>> store.windows("validation", length=5, step=2)[:3]
            array([477, 486, 495])
        """
        if split not in (*SPLITS, "all"):
            raise ChoiceError(f"split {split!r}: expected one of {', '.join(SPLITS)}, all")
        starts = window_starts(self.frame_sequence, self["frame_number"], self["shot"], length, step)
        reach = span(length, step) - 1
        if split != "all":
            starts = within_split(starts, self["split"], SPLITS[split], reach)
        return starts if split != "all" and SPLITS[split] == TRAIN else without_overlap(starts, reach)

    @cached_property
    def sigmas(self) -> tuple[float, ...]:
        """The set of sigma_in; empty for detector input."""
        noise = self.attributes["recipe"]["noise"]
        return tuple(noise["sigmas"]) if noise else ()

    @cached_property
    def input_table(self) -> RowTable:
        """Rows of the input heatmaps; their sigma is `sigma_numbers`."""
        return row_table(self.sigmas)

    def sigma_numbers(self, positions: NDArray[np.int64] | None = None) -> NDArray[np.intp]:
        """Which of `sigmas` each frame, or each keypoint of it, has: (n,) or (n, 25); None = those of all frames."""
        sigma = self["input_sigma"] if positions is None else self.frames("input_sigma", positions)
        return np.searchsorted(np.asarray(self.sigmas, np.float32), sigma)


def open_store(path: Path | str, kept_chunks: int = KEPT_CHUNKS) -> Store:
    """Open a store of temporal heatmaps after proving that it is complete, see `posedata.store.opened.open_any`.

    Args:
        path: the store; `posedata.find_store` finds one by its name or URL.
        kept_chunks: decoded chunks that each array of heatmaps keeps in memory, 5 MB each.

    Raises:
        BadInputError: if there is nothing at `path`, or a store of another kind.
        ConflictError: if it is being replaced at this moment.
        IntegrityError: if it is no complete store.

    Examples:
        >>> store = open_store("data/stores/brace-k1-random.zarr")
        >>> positions = store.windows("train")[0] + np.arange(5)
        >>> store.frames("input_heatmaps", positions).shape
        (5, 25, 56, 56)
    """
    return open_kind(Store, KIND, path, kept_chunks)
