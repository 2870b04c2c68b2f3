"""What detectors say of the frames of a video: a list in NAME.json, as COCO's results are, AlphaPose's or MMPose's.

    [{"image_id": 12, "track_id": 1, "keypoints": [x, y, confidence, ...]}, ...]            COCO
    [{"image_id": "12.jpg", "idx": [[1.0]], "keypoints": [x, y, confidence, ...]}, ...]     AlphaPose
    [{"frame_id": 12, "instances": [{"keypoints": [[x, y], ...], "keypoint_scores": [confidence, ...]}]}, ...]

The last is what MMPose's inferencer writes of a film. Points are pixels. The frame is `frame_id`, `image_id` or, where
that is a name, the last digits in it. People are told apart by `track_id`, or by AlphaPose's `idx`: a number, or those
of all detections that were merged; which of them is the person's nobody tells, and the first is taken. Without either a
frame shows one person at most, unless they are linked. MMPose writes neither, but a `track_id` may have been added. The
joints are those of the joint map in its order; one whose confidence is 0 is missing. Other fields are not read.

Layouts: https://cocodataset.org/#format-results; https://github.com/MVIG-SJTU/AlphaPose, docs/output.md and, of `idx`,
alphapose/utils/pPose_nms.py; https://github.com/open-mmlab/mmpose, mmpose/apis/inferencers/base_mmpose_inferencer.py.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError, bad_file
from posedata.formats.base import read_json
from posedata.formats.keypoints.fields import frame_in_name, frame_number, move_in_place, person_name
from posedata.formats.keypoints.jointmap import MAP_NAME, JointMap
from posedata.formats.keypoints.tracks import (
    MOST_NUMBER,
    Faults,
    Moved,
    Poses,
    Recording,
    Slots,
    Track,
    joint_rows,
    slots,
    told,
)

_MOST_FILE = 1 << 28
"""Bytes. 200,000 poses of 17 joints have 210 MB, and take a gigabyte of memory."""


class _Shown(NamedTuple):
    """A person in a frame.

    Attributes:
        where: in the file.
        frame: its number.
        person: "" = not told.
        content: the object with the keypoints.
    """

    where: str
    frame: int
    person: str
    content: dict[str, Any]


def read_results(path: Path, joint_map: JointMap) -> Recording:
    """The people of a file; raises BadInputError with all its faults."""
    faults, poses, places = Faults(path), Poses(path, joint_map.linked), _places(path, joint_map)
    for where, frame, person, content in _people(_entries(path), faults):
        try:
            joints = _joints(content, len(places))
        except BadInputError as error:
            faults.add(f"{where}.{error}")
            continue
        if poses.find(person, frame) is None:
            poses.put(person, frame, places, joints)
        else:
            faults.add(f"{where}: {_again(person, frame)}")
    faults.check()
    tracks = poses.tracks("track_id, idx")
    return Recording(tracks, notes=poses.notes(tracks))


def results_with(path: Path, joint_map: JointMap, tracks: Mapping[str, Track]) -> list[Any]:
    """The content of a file that `read_results` reads, with other points of the same people and frames.

    A joint that is not in the points any more gets x = y = 0 and the confidence 0, and `num_keypoints`, where that is
    told, counts it no more. Who was linked gets a `track_id`. All else stays, fields that are not read and joints that
    become no keypoint.
    """
    faults, places, entries = Faults(path), _places(path, joint_map), _entries(path)
    moved = Moved(tracks)
    for _, frame, person, content in _people(entries, faults):
        found = moved.next(person, frame)
        if found is None:
            continue
        name, pose = found
        if name != person:
            content["track_id"] = int(name)
        numbers = _in_a_row(content)
        move_in_place(content, numbers, places, pose)
        if "keypoint_scores" in content:
            content["keypoints"] = [[x, y] for x, y in zip(numbers[::3], numbers[1::3], strict=True)]
            content["keypoint_scores"] = numbers[2::3]
    faults.check()
    return entries


def _entries(path: Path) -> list[Any]:
    entries = read_json(path, _MOST_FILE)
    if not isinstance(entries, list):
        raise bad_file(path, [f"expected a list, found {told(entries)}"])
    return entries


def _places(path: Path, joint_map: JointMap) -> Slots:
    return slots(joint_map.unnamed_joints(path), joint_map.need_joints(path))


def _people(entries: list[Any], faults: Faults) -> Iterator[_Shown]:
    """Who is where; what is wrong with an entry is a fault, and the next one follows."""
    images: dict[int, object] = {}
    for i, entry in enumerate(entries):
        try:
            for shown in _of_entry(f"[{i}]", entry):
                image = entry.get("image_id")
                if images.setdefault(shown.frame, image) != image:
                    before = told(images[shown.frame])
                    raise BadInputError(
                        f".image_id: expected {before} for this frame, found {told(image)}; a file is one video"
                    )
                yield shown
        except BadInputError as error:
            faults.add(f"[{i}]{error}")


def _of_entry(where: str, entry: Any) -> Iterator[_Shown]:
    if not isinstance(entry, dict):
        raise BadInputError(f": expected an object, found {told(entry)}")
    frame = _frame(entry)
    if "instances" not in entry:
        yield _Shown(where, frame, _person(entry), entry)
        return
    people = entry["instances"]
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise BadInputError(".instances: expected a list of objects, found something else")
    for i, person in enumerate(people):
        yield _Shown(f"{where}.instances[{i}]", frame, _person(person), person)


def _frame(entry: dict[str, Any]) -> int:
    field = "image_id" if entry.get("frame_id") is None else "frame_id"
    given = entry.get(field)
    frame = frame_in_name(given) if isinstance(given, str) else frame_number(given)
    if frame is None:
        raise BadInputError(
            f".{field}: expected a frame from 0 to {MOST_NUMBER}, or digits in a name, found {told(given)}"
        )
    return frame


def _person(entry: dict[str, Any]) -> str:
    field = "idx" if entry.get("track_id") is None else "track_id"
    given = entry.get(field)
    while field == "idx" and isinstance(given, list) and given:
        given = given[0]
    name = person_name(given)
    if name is None:
        raise BadInputError(f".{field}: expected a number or text, found {told(given)}")
    return name


def _joints(content: dict[str, Any], count: int) -> NDArray[np.float64]:
    """(count, 3) x y confidence."""
    try:
        return joint_rows(_in_a_row(content), count)
    except BadInputError as error:
        raise BadInputError(f"keypoints: {error}; {MAP_NAME} beside the file tells which joints they are") from error


def _in_a_row(content: dict[str, Any]) -> Any:
    """x, y, confidence of each joint, one after the other: as they stand there, or of MMPose's pairs and scores."""
    points: Any = content.get("keypoints")
    if "keypoint_scores" not in content:
        return points
    scores = content["keypoint_scores"]
    paired = isinstance(points, list) and all(isinstance(point, list) and len(point) == 2 for point in points)
    if not paired or not isinstance(scores, list) or len(scores) != len(points):
        raise BadInputError("expected pairs of x and y, and as many keypoint_scores, found others")
    return [*chain.from_iterable([*point, score] for point, score in zip(points, scores, strict=True))]


def _again(person: str, frame: int) -> str:
    if person:
        return f"expected each person once in a frame, found {person!r} again in frame {frame}; are people tracked?"
    return f"expected one person in a frame without track_id, found another in frame {frame}; track them first"
