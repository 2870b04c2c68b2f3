"""OpenPose: a folder of JSON files, one a frame, as `--write_json` writes them.

    NAME_000000000012_keypoints.json
    {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": [x, y, confidence, ...], ...}, ...]}

The frame is the last number in the name of the file. Each person has the 25 joints of the model BODY_25 or the 18 of
COCO, in pixels (`--keypoint_scale 0`, the default); one that was not found is 0, 0, 0. OpenPose follows nobody from
frame to frame: people come in any order, and `person_id` is -1. Unless something has put numbers from 0 in place of the
-1, they are linked from frame to frame. Neck, middle of the hips, eyes and small toes are dropped; a big toe is a
foot_index. Hands, faces and other fields are not read.

Layout: https://github.com/CMU-Perceptual-Computing-Lab/openpose, doc/02_output.md.
"""

import re
from pathlib import Path
from typing import Any

from posedata.errors import BadInputError, bad_file
from posedata.formats.base import read_json_object
from posedata.formats.keypoints.tracks import MOST_NUMBER, Poses, Recording, joint_rows, told
from posedata.skeleton import BODY_25, INDEX, OPENPOSE_18

_NAME = re.compile(r"(?:.*[^0-9])?([0-9]{1,15})_keypoints\.json")

_PLACES = {
    3 * len(order): [None if keypoint is None else INDEX[keypoint] for keypoint in order]
    for order in (BODY_25, OPENPOSE_18)
}
"""Numbers of a pose -> where its joints go."""


def openpose_frames(folder: Path) -> dict[int, Path]:
    """The files of a folder by their frames, rising; empty if it is no folder of OpenPose's.

    Raises:
        BadInputError: if two files are of one frame.
    """
    frames: dict[int, Path] = {}
    for path in sorted(folder.glob("*_keypoints.json")):
        found = _NAME.fullmatch(path.name)
        if found is None:
            continue
        frame = int(found[1])
        if frame in frames or frame > MOST_NUMBER:
            raise bad_file(path, [f"name: expected each frame once, from 0 to {MOST_NUMBER}, found {frame}"])
        frames[frame] = path
    return dict(sorted(frames.items()))


def read_openpose(folder: Path) -> Recording:
    """The people of a folder.

    Raises:
        BadInputError: at the first file that cannot be read, or if nobody is in any.
    """
    poses = Poses(folder, linked=True)
    for frame, path in openpose_frames(folder).items():
        people = read_json_object(path).get("people")
        if not isinstance(people, list):
            raise bad_file(path, [f"people: expected a list, found {told(people)}"])
        for i, person in enumerate(people):
            try:
                _add(person, frame, poses)
            except BadInputError as error:
                raise bad_file(path, [f"people[{i}].{fault}" for fault in error.faults]) from error
    tracks = poses.tracks("person_id")
    return Recording(tracks, notes=poses.notes(tracks))


def _add(person: Any, frame: int, poses: Poses) -> None:
    """Put a person's pose where it belongs."""
    fields = person if isinstance(person, dict) else {}
    name = _name(fields.get("person_id"))
    numbers = fields.get("pose_keypoints_2d", fields.get("pose_keypoints"))  # as the first versions called them
    places = _PLACES.get(len(numbers) if isinstance(numbers, list) else 0, _PLACES[3 * len(BODY_25)])
    try:
        joints = joint_rows(numbers, len(places), "joints of BODY_25, or of 18 of COCO")
    except BadInputError as error:
        raise BadInputError(f"pose_keypoints_2d: {error}") from error
    if poses.find(name, frame) is not None:
        raise BadInputError(f"person_id: expected each person once in a frame, found {name} again")
    poses.put(name, frame, places, joints)


def _name(given: object) -> str:
    """A person's number as text; "" for one who has none."""
    number = given[0] if isinstance(given, list) and len(given) == 1 else given
    return str(number) if type(number) is int and number >= 0 else ""
