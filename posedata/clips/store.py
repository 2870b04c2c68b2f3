"""Read a store of video clips."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posedata.clips.schema import CLIP_FRAMES, DEALT, KIND
from posedata.errors import ChoiceError
from posedata.splits import SPLITS
from posedata.store.opened import Opened, open_kind


class ClipStore(Opened):
    """A complete store of clips, opened for reading; its attributes are those of `Opened`, its length is in frames."""

    @property
    def up(self) -> str:
        """Where heads are above feet: "-y" in a camera's coordinates, "+z" in those of a room."""
        return str(self.attributes["measured"]["up"])

    def clips(self, split: str) -> NDArray[np.int64]:
        """Numbers of the clips of "train" or "validation"; raises ChoiceError if there is no such split."""
        if split not in DEALT:
            raise ChoiceError(f"split {split!r}: expected one of {', '.join(DEALT)}")
        return np.flatnonzero(self["split"][::CLIP_FRAMES] == SPLITS[split])

    def images(self, clips: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(n, 8, 224, 224, 3) frames of clips, RGB from 0 to 255; raises as `frames` does."""
        return self.frames("image", _positions(clips))

    def joints(self, clips: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, 8, 17, 3) joints of clips in metres; raises as `frames` does."""
        return self.frames("joints", _positions(clips))


def _positions(clips: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n, 8) positions of the frames of clips."""
    return np.asarray(clips[:, None] * CLIP_FRAMES + np.arange(CLIP_FRAMES))


def open_clips(path: Path | str) -> ClipStore:
    """Open a store of clips after proving that it is complete, see `posedata.store.opened.open_any`.

    Args:
        path: the store.

    Raises:
        BadInputError: if there is nothing at `path`, or a store of another kind.
        ConflictError: if it is being replaced at this moment.
        IntegrityError: if it is no complete store.
    """
    return open_kind(ClipStore, KIND, path)
