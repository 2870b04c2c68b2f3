"""What detectors say of the frames of a video, in NAME.json: results of COCO, of AlphaPose or of MMPose.

    [{"image_id": 12, "track_id": 1, "keypoints": [x, y, confidence, ...]}, ...]            COCO
    [{"image_id": "12.jpg", "idx": [[1.0]], "keypoints": [x, y, confidence, ...]}, ...]     AlphaPose
    [{"frame_id": 12, "instances": [{"keypoints": [[x, y], ...], "keypoint_scores": [confidence, ...]}]}, ...]
    {"meta_info": {"keypoint_id2name": {"0": "nose", ...}, ...}, "instance_info": [{"frame_id": 13, ...}, ...]}

The last two are what MMPose writes of a film, its inferencer and the scripts of its demo, which count frames from 1.
Points are pixels. The frame is `frame_id`, `image_id` or, where that is a name, the last digits in
it. People are told apart by `track_id`, or by AlphaPose's `idx`: a number, or those of all detections that were merged;
which of them is the person's nobody tells, and the first is taken. Where all are 0, AlphaPose has followed nobody.
Without either a frame shows one person at most, unless they are linked. MMPose writes neither, but a `track_id` may
have been added. The joints are those that the file names, or else of the joint map in its order; one whose confidence
is 0 is missing. Other fields are not read.

Layouts: https://cocodataset.org/#format-results; https://github.com/MVIG-SJTU/AlphaPose, docs/output.md and, of `idx`,
alphapose/utils/pPose_nms.py; https://github.com/open-mmlab/mmpose, mmpose/apis/inferencers/base_mmpose_inferencer.py
and demo/topdown_demo_with_mmdet.py.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain, pairwise
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
    told,
)
from posedata.skeleton import COCO_NAMES

_IN_DEMO = "instance_info"
"""Where the scripts of MMPose's demo put what its inferencer makes a file of."""

_MOST_FILE = 1 << 28
"""Bytes. 200,000 poses of 17 joints have 210 MB, and take a gigabyte of memory."""


class _File(NamedTuple):
    """What must be known of a file to read its poses.

    Attributes:
        content: all of it.
        entries: those of the frames or poses.
        at: where these stand.
        first: number of the film's first frame.
        tracked: whether `idx` tells people apart.
        places: where the joints of a pose go.
    """

    content: Any
    entries: list[Any]
    at: str
    first: int
    tracked: bool
    places: Slots


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
    faults, poses, file = Faults(path), Poses(path, joint_map.linked), _opened(path, joint_map)
    for where, frame, person, content in _people(file, faults):
        try:
            joints = _joints(content, len(file.places))
        except BadInputError as error:
            faults.add(f"{where}.{error}")
            continue
        if poses.find(person, frame) is None:
            poses.put(person, frame, file.places, joints)
        else:
            faults.add(f"{where}: {_again(person, frame)}")
    faults.check()
    tracks = poses.tracks("track_id, idx")
    return Recording(tracks, first=file.first, notes=poses.notes(tracks))


def results_with(path: Path, joint_map: JointMap, tracks: Mapping[str, Track]) -> Any:
    """The content of a file that `read_results` reads, with other points of the same people and frames.

    A joint that is not in the points any more gets x = y = 0 and the confidence 0, and `num_keypoints`, where that is
    told, counts it no more. Who was linked gets a `track_id`. All else stays, fields that are not read and joints that
    become no keypoint.
    """
    faults, file = Faults(path), _opened(path, joint_map)
    moved = Moved(tracks)
    for _, frame, person, content in _people(file, faults):
        found = moved.next(person, frame)
        if found is None:
            continue
        name, pose = found
        if name != person:
            content["track_id"] = int(name)
        numbers = _in_a_row(content)
        move_in_place(content, numbers, file.places, pose)
        if "keypoint_scores" in content:
            content["keypoints"] = [[x, y] for x, y in zip(numbers[::3], numbers[1::3], strict=True)]
            content["keypoint_scores"] = numbers[2::3]
    faults.check()
    return file.content


def _opened(path: Path, joint_map: JointMap) -> _File:
    content = read_json(path, _MOST_FILE)
    of_demo = isinstance(content, dict)
    at, entries = (_IN_DEMO, content.get(_IN_DEMO)) if of_demo else ("", content)
    if not isinstance(entries, list):
        raise bad_file(path, [f"{at + ': ' if at else ''}expected a list, found {told(entries)}"])
    shown = [
        *_objects(entries),
        *(person for entry in _objects(entries) for person in _objects(entry.get("instances"))),
    ]
    tracked = any(person_name(_idx(person)) not in ("", "0") for person in shown)
    first = 1 if of_demo and all(entry.get("frame_id") != 0 for entry in _objects(entries)) else 0
    return _File(content, entries, at, first, tracked, _places(path, joint_map, content, shown))


def _objects(listed: Any) -> Iterator[dict[str, Any]]:
    return (item for item in listed if isinstance(item, dict)) if isinstance(listed, list) else iter(())


def _places(path: Path, joint_map: JointMap, content: Any, shown: list[dict[str, Any]]) -> Slots:
    names = _joint_names(content)
    if names is None:
        return joint_map.unnamed_slots(path, next(filter(None, map(_joint_count, shown)), len(COCO_NAMES)))
    try:
        return joint_map.named_slots(path, names)
    except BadInputError as error:
        raise bad_file(path, [f"meta_info.keypoint_id2name: {fault}" for fault in error.faults]) from error


def _joint_names(content: Any) -> list[str] | None:
    """Of the joints in their order, as MMPose tells them; None where it does not."""
    meta = content.get("meta_info") if isinstance(content, dict) else None
    named = meta.get("keypoint_id2name") if isinstance(meta, dict) else None
    if not isinstance(named, dict) or not all(isinstance(name, str) for name in named.values()):
        return None
    numbers = list(map(str, range(len(named))))
    return [named[number] for number in numbers] if named.keys() == set(numbers) else None


def _joint_count(person: dict[str, Any]) -> int:
    """Of a pose; 0 of what is none."""
    try:
        numbers = _in_a_row(person)
    except BadInputError:
        return 0
    flat = isinstance(numbers, list) and len(numbers) % 3 == 0 and not any(isinstance(n, list) for n in numbers)
    return len(numbers) // 3 if flat else 0


def _people(file: _File, faults: Faults) -> Iterator[_Shown]:
    """Who is where; what is wrong with an entry is a fault, and the next one follows."""
    images: dict[int, object] = {}
    for i, entry in enumerate(file.entries):
        try:
            for shown in _of_entry(f"{file.at}[{i}]", entry, file.tracked):
                image = entry.get("image_id")
                if images.setdefault(shown.frame, image) != image:
                    before = told(images[shown.frame])
                    raise BadInputError(
                        f".image_id: expected {before} for this frame, found {told(image)}; a file is one video"
                    )
                yield shown
        except BadInputError as error:
            faults.add(f"{file.at}[{i}]{error}")
    names = [name for _, name in sorted(images.items(), key=lambda image: image[0]) if isinstance(name, str)]
    if wrong := next(((a, b) for a, b in pairwise(names) if _digits(a) > _digits(b)), None):
        faults.add(f"image_id: expected names that number the frames, found {told(wrong[0])} before {told(wrong[1])}")


def _digits(name: str) -> list[tuple[int, str]]:
    """All numbers in the name of a file, as what is larger where they are."""
    return [(len(digits), digits) for digits in re.findall(r"0*([0-9]+)", Path(name).name)]


def _of_entry(where: str, entry: Any, tracked: bool) -> Iterator[_Shown]:
    if not isinstance(entry, dict):
        raise BadInputError(f": expected an object, found {told(entry)}")
    frame = _frame(entry)
    if "instances" not in entry:
        yield _Shown(where, frame, _person(entry, tracked), entry)
        return
    people = entry["instances"]
    if not isinstance(people, list) or not all(isinstance(person, dict) for person in people):
        raise BadInputError(".instances: expected a list of objects, found something else")
    for i, person in enumerate(people):
        yield _Shown(f"{where}.instances[{i}]", frame, _person(person, tracked), person)


def _frame(entry: dict[str, Any]) -> int:
    field = "image_id" if entry.get("frame_id") is None else "frame_id"
    given = entry.get(field)
    frame = frame_in_name(given) if isinstance(given, str) else frame_number(given)
    if frame is None:
        raise BadInputError(
            f".{field}: expected a frame from 0 to {MOST_NUMBER}, or digits in a name, found {told(given)}"
        )
    return frame


def _person(entry: dict[str, Any], tracked: bool) -> str:
    field, given = "track_id", entry.get("track_id")
    if given is None and tracked:
        field, given = "idx", _idx(entry)
    name = person_name(given)
    if name is None:
        raise BadInputError(f".{field}: expected a number or text, found {told(given)}")
    return name


def _idx(entry: dict[str, Any]) -> object:
    """The first where there are several; None where there is none."""
    given = entry.get("idx")
    while isinstance(given, list):
        given = given[0] if given else None
    return given


def _joints(content: dict[str, Any], count: int) -> NDArray[np.float64]:
    """(count, 3) x y confidence."""
    try:
        return joint_rows(_in_a_row(content), count)
    except BadInputError as error:
        known = _joint_count(content) in (0, count)
        raise BadInputError(
            f"keypoints: {error}" + ("" if known else f"; {MAP_NAME} beside the file tells which joints they are")
        ) from error


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
