"""MediaPipe Pose: its results over the frames of a video as JSON, a list in NAME.json or a line each in NAME.jsonl.

    {"pose_landmarks": [[{"x": 0.51, "y": 0.24, "z": -0.3, "visibility": 0.99}, ...]], ...}     of the Tasks API
    {"landmark": [{"x": 0.51, "y": 0.24, "z": -0.3, "visibility": 0.99}, ...]}                  of the older Solutions
    null                                                                                        nobody was seen

An entry is a frame, numbered from 0: `dataclasses.asdict` of a PoseLandmarkerResult, or protobuf's `MessageToDict` of
`results.pose_landmarks`. Where nobody was seen it is null, {} or without landmarks. Each person has 33 landmarks, of
which eyes and mouth are dropped. x and y are shares of the width and height of the image, which `keypoints.json` tells;
they may lie outside 0 to 1. `visibility` is the confidence, and may be absent. MediaPipe follows nobody from frame to
frame, so a frame shows one person at most, unless they are linked. z, world landmarks and other fields are not read.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError, bad_file
from posedata.formats.base import read_text, unique_keys
from posedata.formats.keypoints.jointmap import MAP_NAME, JointMap
from posedata.formats.keypoints.tracks import Faults, Moved, Poses, Recording, Track, told
from posedata.skeleton import INDEX, MEDIAPIPE_33

_MOST_FILE = 1 << 28
"""Bytes: a quarter of an hour with world landmarks. Parsed an entry at a time, it takes little beside its text."""

_MOST_FRAMES = 2_000_000
"""Of a file: eighteen hours at 30 a second. Those that show nobody are no poses, and can be very short."""

_MOST_SHARE = 100.0
"""Of the image's width or height: what lies further off is in pixels, or damaged."""

_MOST_VISIBILITY = 1.001
"""MediaPipe smooths it over time in single precision, which may end a little above 1."""

_DECIMALS = 7
"""Of shares that are written: as many as single precision has."""

_FIELDS = {
    "x": f"a share of the image's width, a number from {-_MOST_SHARE:g} to {_MOST_SHARE:g}",
    "y": f"a share of the image's height, a number from {-_MOST_SHARE:g} to {_MOST_SHARE:g}",
    "visibility": "a number from 0 to 1, or none",
}
"""What is read of a landmark, and what it should be."""

_KEPT = [i for i, name in enumerate(MEDIAPIPE_33) if name]
_PLACES = [INDEX[name] for name in MEDIAPIPE_33 if name]

_BLANK = re.compile(r"\s*")
_DECODER = json.JSONDecoder(object_pairs_hook=unique_keys)
_MARK = re.compile(r"[ \t\r\n]*([\[\],])[ \t\r\n]*")

Floats = NDArray[np.float64]


def read_mediapipe(path: Path, joint_map: JointMap) -> Recording:
    """The people of a file of MediaPipe's results.

    Args:
        path: the file.
        joint_map: what tells width and height; its joints are not heeded, for these are known.

    Raises:
        BadInputError: with all its faults, but those behind something that is no JSON.
    """
    faults, seen = Faults(path), list[tuple[int, Floats]]()
    for frame, entry in enumerate(_entries(path)):
        try:
            people = [_values(where, landmarks) for where, landmarks in _people(entry)]
            if len(people) > 1 and not joint_map.linked:
                raise BadInputError(
                    f"pose_landmarks: expected one person, found {len(people)}; MediaPipe follows nobody: run it with "
                    "num_poses=1, or track them first and put them into a CSV file"
                )
            seen.extend((frame, values) for values in people)
        except BadInputError as fault:
            faults.add(f"frame {frame}: {fault}")
    faults.check()
    size = _size(path, joint_map) if seen else np.ones(2)  # a list of something else needs none
    poses = Poses(path, joint_map.linked)
    for frame, values in seen:
        poses.add("", frame)[_PLACES] = values[_KEPT] * [*size, 1]
    tracks = poses.tracks()
    return Recording(tracks, width=size[0], height=size[1], notes=poses.notes(tracks))


def mediapipe_with(path: Path, joint_map: JointMap, tracks: Mapping[str, Track]) -> Iterator[Any]:
    """The entries of a file that `read_mediapipe` reads, with other points of the same people and frames.

    A landmark that is not in the points, or becomes no keypoint, stays where it was, for the format has no word for one
    that is missing. All else stays, too: z, visibility, world landmarks, fields that are not read.
    """
    size, moved = _size(path, joint_map), Moved(tracks)
    for frame, entry in enumerate(_entries(path)):
        for _, landmarks in _people(entry):
            found = moved.next("", frame)
            if found is None:
                continue
            shares = (found[1][_PLACES] / size).round(_DECIMALS)
            for i, (x, y) in zip(_KEPT, shares.tolist(), strict=True):
                landmarks[i] |= {} if math.isnan(x) or math.isnan(y) else {"x": x, "y": y}
        yield entry


def _size(path: Path, joint_map: JointMap) -> Floats:
    """(2,) width and height of the images in pixels."""
    about = joint_map.about(path.name, Recording({}))
    if not math.isfinite(about.width + about.height):
        raise bad_file(
            path,
            [
                f"width, height: expected in {path.with_name(MAP_NAME)}, found none; MediaPipe tells shares of the "
                'image: write its size in pixels there, as in {"width": 1920, "height": 1080}'
            ],
        )
    return np.asarray([about.width, about.height])


def _entries(path: Path) -> Iterator[Any]:
    """What stands for each frame; raises BadInputError at the first that is no JSON."""
    text, frame = read_text(path, _MOST_FILE), 0
    if _BLANK.fullmatch(text):
        raise bad_file(path, ["expected an entry a frame, found an empty file"])
    try:
        for entry in _lines(text) if path.suffix.lower() == ".jsonl" else _listed(text):
            if frame == _MOST_FRAMES:
                raise bad_file(path, [f"expected at most {_MOST_FRAMES:,} frames, found more; split the file"])
            yield entry
            frame += 1
    except (ValueError, RecursionError) as error:
        raise bad_file(path, [f"frame {frame}: expected JSON with unique keys, found {error}"]) from error


def _lines(text: str) -> Iterator[Any]:
    """The values of the lines, each before the next one is parsed; there may be blank ones behind the last."""
    number = at = 0
    while not _BLANK.fullmatch(text, at):
        newline = text.find("\n", at)
        end = len(text) if newline < 0 else newline
        number += 1
        try:
            yield _DECODER.decode(text[at:end])
        except json.JSONDecodeError as error:
            raise ValueError(f"{error.msg}: line {number} column {error.colno}") from error
        at = end + 1


def _listed(text: str) -> Iterator[Any]:
    """The values of a JSON list, each before the next one is parsed."""
    at = _mark(text, 0)[1]
    mark, end = _mark(text, at)
    if mark == "]":
        at = end
    while mark != "]":
        value, at = _DECODER.raw_decode(text, at)
        yield value
        mark, at = _mark(text, at)
        if mark not in ("]", ","):
            raise json.JSONDecodeError("Expecting ',' delimiter", text, at)
    if at < len(text):
        raise json.JSONDecodeError("Extra data", text, at)


def _mark(text: str, at: int) -> tuple[str, int]:
    """The bracket or comma that comes next, and where what follows it begins; "" and `at` if something else comes."""
    found = _MARK.match(text, at)
    return (found[1], found.end()) if found else ("", at)


def _people(entry: Any) -> list[tuple[str, Any]]:
    """The name of each field with a person's landmarks in a frame, and what stands there.

    Raises:
        BadInputError: if it is no result.
    """
    if entry is None or entry == {}:
        return []
    if not isinstance(entry, dict):
        raise BadInputError(f"expected a result or null, found {told(entry)}")
    if "landmark" in entry:
        return [] if entry["landmark"] in (None, []) else [("landmark", entry["landmark"])]
    if "pose_landmarks" not in entry:
        raise BadInputError(f"expected pose_landmarks or landmark, found {', '.join(entry)!r:.60}")
    people = entry["pose_landmarks"]
    if people in (None, []):
        return []
    if not isinstance(people, list) or not all(isinstance(person, list) for person in people):
        raise BadInputError("pose_landmarks: expected a list of people, each a list of landmarks, found others")
    return [(f"pose_landmarks[{i}]", person) for i, person in enumerate(people)]


def _values(where: str, landmarks: Any) -> Floats:
    """(33, 3) x, y as shares of the image, and visibility, NaN = not told. Raises BadInputError at the first fault."""
    if not isinstance(landmarks, list) or len(landmarks) != len(MEDIAPIPE_33):
        found = f"{len(landmarks)}" if isinstance(landmarks, list) else told(landmarks)
        raise BadInputError(f"{where}: expected the {len(MEDIAPIPE_33)} landmarks of MediaPipe Pose, found {found}")
    for i, landmark in enumerate(landmarks):
        if not isinstance(landmark, dict):
            raise BadInputError(f"{where}[{i}]: expected an object with x and y, found {told(landmark)}")
    values = np.asarray([[_number(landmark.get(name)) for name in _FIELDS] for landmark in landmarks])
    values[[landmark.get("visibility") is None for landmark in landmarks], 2] = math.nan
    wrong = (np.abs(values) > [_MOST_SHARE, _MOST_SHARE, _MOST_VISIBILITY]) | (values < [-math.inf, -math.inf, 0])
    if wrong.any():
        i, field = np.argwhere(wrong)[0].tolist()
        name = [*_FIELDS][field]
        raise BadInputError(f"{where}[{i}].{name}: expected {_FIELDS[name]}, found {told(landmarks[i].get(name))}")
    return values


def _number(value: object) -> float:
    """A number of the file; infinite for what is none, or NaN, or too large."""
    if type(value) is float and value == value:
        return value
    try:
        return float(value) if type(value) is int else math.inf
    except OverflowError:
        return math.inf
