"""Handball clips: poses of one player, a JSON file a clip.

`clips/NAME.json`, an object:
    video           the recording that the clip is cut from
    fps             frames a second
    width, height   of the image in pixels
    poses           a frame an entry: null, or the joints in the order of `JOINTS`; each is [x, y] in 0-based pixels,
                    or null where it is not annotated
Frames are numbered from 0.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata import PoseSequence
from posedata.errors import bad_file
from posedata.formats import Format
from posedata.formats.base import need_folder, need_items, read_json_object
from posedata.poses import outside_note, within_image
from posedata.skeleton import to_keypoints

LICENCE = "CC BY 4.0"

SOURCE = "get clips.zip from https://handball.example and unpack it there: it holds the folder clips/"

JOINTS = (
    None,  # top of the head: none of the 25 keypoints
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
)
"""What each joint of the files becomes; None = dropped."""

_NUMBERS = ("fps", "width", "height")


class Handball:
    """A folder with `clips/`."""

    licence = LICENCE

    def __init__(self, root: Path) -> None:
        self.root = root
        self.warnings: tuple[str, ...] = ()
        self._clips = need_folder(root, "clips", SOURCE)

    def close(self) -> None:
        """Nothing takes long here."""

    def tables(self) -> list[Path]:
        """None: every clip stands for itself."""
        return []

    def items(self) -> list[str]:
        """Names of the clips."""
        return need_items((path.stem for path in self._clips.glob("*.json")), self._clips, "NAME.json")

    def files(self, item: str) -> list[Path]:
        """The clip's file."""
        return [self._clips / f"{item}.json"]

    def read(self, item: str) -> PoseSequence:
        """One clip; raises BadInputError with all faults of its file."""
        path = self._clips / f"{item}.json"
        clip = read_json_object(path)
        faults = _faults(clip)
        if faults:
            raise bad_file(path, faults)
        joints = _joints(clip["poses"])
        kept = within_image(joints, clip["width"], clip["height"])
        return PoseSequence(
            dataset="handball",
            name=item,
            video=clip["video"],
            points=to_keypoints(kept, JOINTS),
            frame_number=np.arange(len(joints)),
            fps=float(clip["fps"]),
            notes=outside_note(joints, kept),
        )


def _faults(clip: dict[str, Any]) -> list[str]:
    """What is wrong with a clip: field, what was expected, what was found."""
    faults = [
        f"{name}: expected a number above 0, found {clip.get(name)!r}"
        for name in _NUMBERS
        if not (type(clip.get(name)) in (int, float) and 0 < clip[name] < 1e5)
    ]
    if not isinstance(clip.get("video"), str):
        faults.append(f"video: expected a name, found {clip.get('video')!r:.60}")
    poses = clip.get("poses")
    if not isinstance(poses, list) or not poses:
        return [*faults, f"poses: expected a list with an entry a frame, found {poses!r:.60}"]
    return faults + [
        f"poses: frame {frame}: expected null or {len(JOINTS)} joints, each null or [x, y], found {pose!r:.60}"
        for frame, pose in enumerate(poses)
        if not (pose is None or (isinstance(pose, list) and len(pose) == len(JOINTS) and all(map(_is_joint, pose))))
    ]


def _is_joint(joint: object) -> bool:
    return joint is None or (
        isinstance(joint, list) and len(joint) == 2 and all(type(number) in (int, float) for number in joint)
    )


def _joints(poses: list[Any]) -> NDArray[np.float64]:
    """(T, 9, 2) pixels, NaN = not annotated."""
    joints = np.full((len(poses), len(JOINTS), 2), np.nan)
    for frame, pose in enumerate(poses):
        for number, joint in enumerate(pose or ()):
            if joint is not None:
                joints[frame, number] = joint
    return joints


FORMAT = Format("handball", Handball, actions=(), detector=False, licence=LICENCE, source=SOURCE)
