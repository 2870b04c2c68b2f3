"""What all kinds of files are read into: the people of a recording, frame by frame; and the faults found on the way."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posedata.errors import MOST_TOLD, BadInputError, bad_file
from posedata.formats.base import floats
from posedata.linking import link_poses
from posedata.poses import MAX_COORDINATE, Note
from posedata.skeleton import INDEX, K

MOST_POSES = 200_000
"""Of a file, over all its people: nearly two hours of one at 30 frames a second."""

MOST_NUMBER = (1 << 31) - 1
"""The largest frame number."""

DECIMALS = 3
"""Of pixels that are written as text: a thousandth of one is finer than any detector."""

_MOST_UNNAMED = 100
"""People in a frame who are linked to those of others."""

_SHORT = 5
"""Frames. Who is in fewer is mostly a chance find."""

Joints = dict[str, str | None]
"""Name of each joint of the source, in its order -> keypoint, None = dropped."""

Slots = Sequence[int | None]
"""Number of the keypoint that each joint of a pose becomes, None = dropped."""


@dataclass(frozen=True, eq=False)
class Track:
    """One person.

    Attributes:
        frame_number: (T,) int64, strictly increasing.
        points: (T, 25, 2) float64 pixels, NaN = missing.
        confidence: (T, 25) float64, NaN = not told.
        turn: (T,) int64 of one who was linked from frame to frame: which of the people in that frame it is, as they
            come in the file; None of one whom the file itself tells apart.
    """

    frame_number: NDArray[np.int64]
    points: NDArray[np.float64]
    confidence: NDArray[np.float64]
    turn: NDArray[np.int64] | None = None

    @property
    def rows(self) -> dict[int, int]:
        """Frame number -> row of the arrays."""
        return {frame: row for row, frame in enumerate(self.frame_number.tolist())}


@dataclass(frozen=True, eq=False)
class Recording:
    """One file: its people by name, "" for one who has none; what it says of its images, None where it does not.

    `first` is the number of its film's first frame; `notes` tell what was left out.
    """

    tracks: dict[str, Track]
    width: float | None = None
    height: float | None = None
    fps: float | None = None
    first: int = 0
    notes: tuple[Note, ...] = ()


class Faults:
    """The faults of a file: the first hundred in words, the others as a number."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told: list[str] = []
        self._more = 0

    def add(self, fault: str) -> None:
        """One more."""
        if len(self._told) < MOST_TOLD:
            self._told.append(fault)
        else:
            self._more += 1

    def check(self) -> None:
        """Raise BadInputError if there is any."""
        if self._told:
            raise bad_file(self._path, [*self._told, *([f"and {self._more:,} faults more"] if self._more else [])])


class Poses:
    """Poses as they come: of any person and frame, in any order.

    Args:
        path: of the file.
        linked: whether people without a name are linked from frame to frame where a frame shows several.
    """

    def __init__(self, path: Path, linked: bool = False) -> None:
        self._path = path
        self._linked = linked
        self._count = 0
        self._people: dict[str, dict[int, NDArray[np.float64]]] = {}
        self._unnamed: dict[int, list[NDArray[np.float64]]] = {}

    def find(self, person: str, frame: int) -> NDArray[np.float64] | None:
        """(25, 3) x y confidence of a pose that is there, to be filled; None if there is none, or may be another."""
        return self._people.get(person, {}).get(frame)

    def add(self, person: str, frame: int) -> NDArray[np.float64]:
        """A new pose to fill: (25, 3) x y confidence, all NaN.

        Raises:
            BadInputError: if there are more than a file or a frame can be meant to hold.
        """
        self._count += 1
        if self._count > MOST_POSES:
            raise bad_file(self._path, [f"expected at most {MOST_POSES:,} poses, found more; split the file"])
        pose = np.full((K, 3), np.nan)
        if self._linked and not person:
            others = self._unnamed.setdefault(frame, [])
            if len(others) == _MOST_UNNAMED:
                raise bad_file(
                    self._path,
                    [f"frame {frame}: expected at most {_MOST_UNNAMED} people without a number, found more"],
                )
            others.append(pose)
        else:
            self._people.setdefault(person, {})[frame] = pose
        return pose

    def __len__(self) -> int:
        return self._count

    def put(self, person: str, frame: int, places: Slots, joints: NDArray[np.float64]) -> None:
        """A new pose, of (J, 3) x y confidence; a joint whose confidence is 0 is missing. Raises as `add`."""
        pose = self.add(person, frame)
        for place, joint in zip(places, joints, strict=True):
            if place is not None and joint[2] != 0:
                pose[place] = joint

    def tracks(self, named_by: str = "person") -> dict[str, Track]:
        """All of them in the order of their frames; who was linked is called 1, 2, ... in the order in which they come.

        Args:
            named_by: the field that tells people apart.

        Raises:
            BadInputError: if there is none, or some have a name and some have none.
        """
        if not self._count:
            raise bad_file(self._path, ["expected at least one pose, found none"])
        nobody = self._people.get("", {}).values() if self._people.keys() != {""} else ()
        unnamed = [*nobody, *(pose for poses in self._unnamed.values() for pose in poses)]
        if (self._people.keys() - {""}) and any(not np.isnan(pose[:, :2]).all() for pose in unnamed):
            raise bad_file(self._path, [f"{named_by}: expected one for all people or for none, found some without"])
        if self._unnamed and not self._people:
            return dict(_linked(self._unnamed))
        return {person: _track(poses) for person, poses in self._people.items() if person or len(self._people) == 1}

    def notes(self, tracks: Mapping[str, Track]) -> tuple[Note, ...]:
        """What to tell of how people were linked, and of poses that are in no track."""
        notes = []
        if "" not in tracks and any(track.turn is not None for track in tracks.values()):
            short = sum(len(track.frame_number) < _SHORT for track in tracks.values())
            which = f"{short} of them in fewer than {_SHORT} frames" if short else ""
            notes.append(Note(len(tracks), "people without a number: linked from frame to frame by their poses", which))
        if left := self._count - sum(len(track.frame_number) for track in tracks.values()):
            notes.append(Note(left, "poses without any joint: left out"))
        return tuple(notes)


def _track(poses: Mapping[int, NDArray[np.float64]], turns: Mapping[int, int] | None = None) -> Track:
    order = sorted(poses)
    values = np.stack([poses[frame] for frame in order])
    turn = None if turns is None else np.asarray([turns[frame] for frame in order], np.int64)
    return Track(np.asarray(order, np.int64), values[..., :2], values[..., 2], turn)


def _linked(unnamed: Mapping[int, Sequence[NDArray[np.float64]]]) -> Iterator[tuple[str, Track]]:
    """Name and track of each; one without a name where no frame shows several. A pose without any joint is nobody's."""
    frames = sorted(unnamed)
    there = {frame: [not np.isnan(pose[:, :2]).all() for pose in unnamed[frame]] for frame in frames}
    seen = {frame: np.flatnonzero(there[frame]).tolist() for frame in frames}
    if max(map(len, seen.values())) > 1:
        points = ((frame, _in_reach(np.stack(unnamed[frame])[seen[frame], :, :2])) for frame in frames)
        found = [{frame: seen[frame][i] for frame, i in track.items()} for track in link_poses(points)]
        named = {str(number): turns for number, turns in enumerate(found, start=1)}
    else:
        named = {"": {frame: (turns or [0])[0] for frame, turns in seen.items()}}
    for name, turns in named.items():
        yield name, _track({frame: unnamed[frame][turn] for frame, turn in turns.items()}, turns)


def _in_reach(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without those that can be no pixels, of which whoever takes the track will tell."""
    return np.where(np.abs(points) <= MAX_COORDINATE, points, np.nan)


class Moved:
    """Other points for the poses of a file, asked for in the order in which they stand there."""

    def __init__(self, tracks: Mapping[str, Track]) -> None:
        self._asked: Counter[int] = Counter()
        self._poses: dict[tuple[str, int, int], tuple[str, NDArray[np.float64]]] = {}
        for name, track in tracks.items():
            turns = np.zeros_like(track.frame_number) if track.turn is None else track.turn
            for frame, turn, pose in zip(track.frame_number.tolist(), turns.tolist(), track.points, strict=True):
                self._poses["" if track.turn is not None else name, frame, turn] = name, pose

    def next(self, person: str, frame: int) -> tuple[str, NDArray[np.float64]] | None:
        """Name and (25, 2) points of a person, or, if that is "", of the next one in the frame; None = none."""
        turn = 0
        if not person:
            turn = self._asked[frame]
            self._asked[frame] += 1
        return self._poses.get((person, frame, turn))


def joint_rows(numbers: object, count: int, joints: str = "joints") -> NDArray[np.float64]:
    """(count, 3) float64 x y confidence of numbers in a row of JSON; raises BadInputError if there are none such."""
    if not isinstance(numbers, list) or len(numbers) != 3 * count:
        found = told(numbers)
        if isinstance(numbers, list):
            found = f"{len(numbers)} {'lists' if any(isinstance(each, list) for each in numbers) else 'numbers'}"
        raise BadInputError(f"expected x, y, confidence of {count} {joints}, found {found}")
    if not set(map(type, numbers)) <= {int, float}:
        raise BadInputError("expected numbers, found others")
    return floats(numbers).reshape(-1, 3)


def slots(names: Sequence[str], joints: Joints) -> list[int | None]:
    """Number of the keypoint that each of the named joints becomes, None = dropped.

    Raises:
        BadInputError: if a name is not in the joint map, or is there twice.
    """
    strange = [name for name in names if name not in joints]
    if strange:
        raise BadInputError(
            f"expected joints that are known ({', '.join(joints):.200}), found {', '.join(strange):.80}; "
            "keypoints.json names others"
        )
    if len(set(names)) < len(names):
        raise BadInputError(f"expected each joint once, found {', '.join(names):.200}")
    return [slot(name, joints) for name in names]


def slot(name: str, joints: Joints) -> int | None:
    """Number of the keypoint that a joint of the map becomes, None = dropped."""
    keypoint = joints[name]
    return None if keypoint is None else INDEX[keypoint]


def told(value: object) -> str:
    """A value of a file, as a message shows it."""
    plain = value is None or isinstance(value, str | int | float)
    return f"{value!r:.60}" if plain else type(value).__name__
