"""`keypoints.json`: what the files beside it hold. Files whose joints are known need no `joints`.

    {
      "joints": {"nose": "nose", "left_eye": null, ...},   joint of the source, in its order -> keypoint, null = dropped
      "width": 1920, "height": 1080,                       of the image in pixels; without them nothing lies outside
      "fps": 30,                                           frames a second; without it the rate is unknown
      "confidence": 0.3,                                   below it a joint is not annotated; 0 takes all
      "action": "squat", "licence": "CC BY 4.0",
      "files": {"monday.csv": {"fps": 25, "video": "camera 2", ...}}     what is different in one file
    }

What a file says of itself goes before what is said here of all files, and what is said here of that file before both.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field, ValidationError, field_validator

from posedata.config import Frozen, faults
from posedata.errors import bad_file
from posedata.formats.base import read_json_object
from posedata.formats.keypoints.tracks import Joints, Recording, Slots, slots
from posedata.poses import MAX_COORDINATE
from posedata.skeleton import INDEX, KEYPOINTS

MAP_NAME = "keypoints.json"

_MOST_JOINTS = 1000

_Side = Annotated[float, Field(gt=0, le=MAX_COORDINATE, allow_inf_nan=False)]
_Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Images(Frozen):
    width: _Side | None = None
    height: _Side | None = None
    fps: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] | None = None
    action: _Text | None = None


class _File(_Images):
    video: _Text | None = None


class About(NamedTuple):
    """What is known of a file: inf = unknown size, NaN = unknown rate, "" = unknown action."""

    width: float
    height: float
    fps: float
    action: str
    video: str


class JointMap(_Images):
    """The content of keypoints.json.

    Attributes:
        joints: joint of the source, in its order -> keypoint, None = dropped; None where no file needs them.
        confidence: below which a joint is not annotated.
        licence: of the annotations.
        files: name of a file -> what is different in it.
        linked: whether people without a number are linked from frame to frame; else a frame shows one at most.
    """

    linked: ClassVar[bool] = False

    joints: Annotated[Joints, Field(min_length=1, max_length=_MOST_JOINTS)] | None = None
    confidence: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    licence: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    files: dict[str, _File] = Field(default_factory=dict)

    @field_validator("joints")
    @classmethod
    def _places(cls, joints: Joints | None) -> Joints | None:
        if joints is None:
            return None
        used = [keypoint for keypoint in joints.values() if keypoint is not None]
        strange = sorted(set(used) - INDEX.keys())
        if strange:
            raise ValueError(f"expected null or one of {', '.join(KEYPOINTS)}, not {', '.join(strange)}")
        twice = sorted({keypoint for keypoint in used if used.count(keypoint) > 1})
        if twice:
            raise ValueError(f"expected each keypoint once, not {', '.join(twice)} again")
        if not used:
            raise ValueError("expected at least one keypoint, not only null")
        return joints

    def need_joints(self, path: Path) -> Joints:
        """The joints of a file that does not itself know what they become; raises BadInputError if none are named."""
        if self.joints is None:
            where = path.with_name(MAP_NAME)
            raise bad_file(
                where, [f"joints: expected those of {path.name}, each with the keypoint that it becomes, found none"]
            )
        return self.joints

    def named_slots(self, path: Path, names: Sequence[str]) -> Slots:
        """Where the joints go that a file names; raises BadInputError if they are not known."""
        return slots(names, self.need_joints(path))

    def unnamed_slots(self, path: Path, count: int) -> Slots:
        """Where the joints go of a file that names none, and has so many; raises BadInputError as `named_slots`."""
        del count  # the map's own; who reads a pose compares
        return self.named_slots(path, [*self.need_joints(path)])

    def about(self, name: str, recording: Recording) -> About:
        """What is known of the file of that name."""
        own = self.files.get(name, _File())
        return About(
            width=own.width or recording.width or self.width or math.inf,
            height=own.height or recording.height or self.height or math.inf,
            fps=own.fps or recording.fps or self.fps or math.nan,
            action=own.action or self.action or "",
            video=own.video or Path(name).stem,
        )


def read_map(path: Path, kind: type[JointMap] = JointMap) -> JointMap:
    """A keypoints.json as a joint map of that kind; raises BadInputError with all its faults."""
    try:
        return kind.model_validate(read_json_object(path))
    except ValidationError as error:
        raise bad_file(path, faults(error)) from error
