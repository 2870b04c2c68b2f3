"""Raw formats: one module each, all read into `PoseSequence`.

`FORMATS` is the table of them. The name that the caller gives decides; nothing is guessed from the files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from posedata.errors import ChoiceError
from posedata.formats import brace, climbalong, keypoints, penn_action, speed21
from posedata.formats.base import RawDataset

__all__ = ["FORMATS", "Format", "RawDataset", "find_format"]


@dataclass(frozen=True)
class Format:
    """A raw format.

    Attributes:
        name: as in `--dataset`.
        open: opens a raw tree; raises BadInputError if the tree has not the layout.
        actions: the words its annotations use for actions; empty = none.
        detector: whether its input heatmaps come from a detector rather than from noise.
        licence: who may use the data.
        source: where its authors publish it, and what to put where.
    """

    name: str
    open: Callable[[Path], RawDataset]
    actions: tuple[str, ...]
    detector: bool
    licence: str
    source: str


FORMATS: Mapping[str, Format] = {
    f.name: f
    for f in (
        Format("brace", brace.Brace, brace.ACTIONS, False, brace.LICENCE, brace.SOURCE),
        Format("climbalong", climbalong.ClimbAlong, (), True, climbalong.LICENCE, climbalong.SOURCE),
        Format("keypoints", keypoints.Keypoints, (), False, keypoints.LICENCE, keypoints.SOURCE),
        Format(
            "penn_action",
            penn_action.PennAction,
            penn_action.ACTIONS,
            False,
            penn_action.LICENCE,
            penn_action.SOURCE,
        ),
        Format("speed21", speed21.Speed21, (), False, speed21.LICENCE, speed21.SOURCE),
    )
}


def find_format(name: str) -> Format:
    """The format of that name.

    Raises:
        ChoiceError: if there is none.
    """
    if name not in FORMATS:
        raise ChoiceError(f"dataset {name!r}: expected one of {', '.join(FORMATS)}")
    return FORMATS[name]
