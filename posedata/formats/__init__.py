"""Raw formats: one module each, all read into `PoseSequence`.

`FORMATS` is the table of them. The name that the caller gives decides; nothing is guessed from the files.
"""

from posedata.errors import ChoiceError
from posedata.formats import brace, climbalong, keypoints, penn_action, speed21
from posedata.formats.base import RawDataset
from posedata.formats.table import Format, FormatTable

__all__ = ["FORMATS", "Format", "RawDataset", "find_format"]

FORMATS = FormatTable(
    (
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
)
"""Name -> format: posedata's own, and those that installed packages bring by an entry point."""


def find_format(name: str) -> Format:
    """The format of that name.

    Raises:
        ChoiceError: if there is none, two claim the name, or the package that brings it cannot be loaded.
    """
    if name not in FORMATS:
        raise ChoiceError(f"dataset {name!r}: expected one of {', '.join(FORMATS)}")
    return FORMATS[name]
