"""A CSV file with a row a joint: frame, (person,) joint, x, y(, confidence).

    frame,person,joint,x,y,confidence
    0,ann,nose,312.5,80,0.97
    0,ann,left_ear,,,

UTF-8, commas, a header with these names in any order; rows in any order. `frame` is a whole number from 0, which may
have `.0` behind it. Without the column `person` all rows are one person's. An empty x, y or confidence is missing. A
frame without a row is a gap.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posedata.errors import bad_file
from posedata.formats.base import read_rows
from posedata.formats.keypoints.tracks import DECIMALS, MOST_NUMBER, Faults, Joints, Poses, Recording, Track, slot

_NEEDED = ("frame", "joint", "x", "y")
_KNOWN = {*_NEEDED, "person", "confidence"}

_NONE = -math.inf
"""In place of the confidence of a joint that no row has named yet."""


def read_table(path: Path, joints: Joints) -> Recording:
    """The people of a CSV file; raises BadInputError with all its faults."""
    faults, poses = Faults(path), Poses(path)
    for i, row in enumerate(read_rows(path, *_NEEDED), start=1):
        strange = [name for name in row if name not in _KNOWN and name is not None]
        if strange:
            columns = ", ".join(sorted(_KNOWN))
            raise bad_file(path, [f"header: expected columns of {columns}, found {', '.join(strange):.80} too"])
        fault = _add(row, joints, poses)
        if fault:
            faults.add(f"row {i}: {fault}")
    faults.check()
    return Recording(poses.tracks())


def table_with(path: Path, joints: Joints, tracks: Mapping[str, Track]) -> Iterator[list[str]]:
    """The header and rows of a CSV file that `read_table` reads, with other points of the same people and frames.

    A point that is not there any more has an empty x and y. All else stays as it is written.
    """
    rows = {person: track.rows for person, track in tracks.items()}
    for i, row in enumerate(read_rows(path, *_NEEDED)):
        if i == 0:
            yield list(row)
        person, place = row.get("person", "").strip(), slot(row["joint"].strip(), joints)
        frame = frame_of(row["frame"])
        if place is not None and frame is not None and row["x"].strip() and row["y"].strip():
            point = tracks[person].points[rows[person][frame], place]
            row["x"], row["y"] = written(point)
        yield list(row.values())


def written(values: NDArray[np.float64]) -> list[str]:
    """Numbers as text, nothing for NaN."""
    return ["" if math.isnan(value) else f"{value:.{DECIMALS}f}" for value in values.tolist()]


def _add(row: Mapping[str, str], joints: Joints, poses: Poses) -> str | None:
    """Put a row where it belongs; gives what is wrong with it, if anything is."""
    if None in row.values() or None in row:
        return "expected a value for every column, found fewer or more"
    frame, person, joint = frame_of(row["frame"]), row.get("person", "").strip(), row["joint"].strip()
    if frame is None:
        return f"frame: expected a number from 0 to {MOST_NUMBER}, found {row['frame'].strip()!r:.60}"
    if "person" in row and not person:
        return "person: expected a name, found none"
    if joint not in joints:
        return f"joint: expected one that is known, found {joint!r:.60}; keypoints.json beside the file names others"
    x, y, confidence = (_value(row.get(name, "")) for name in ("x", "y", "confidence"))
    if x is None or y is None or confidence is None:
        found = ", ".join(row.get(name, "") for name in ("x", "y", "confidence"))
        return f"x, y, confidence: expected numbers or nothing, found {found!r:.60}"
    pose = poses.find(person, frame)
    if pose is None:
        pose = poses.add(person, frame)
        pose[:, 2] = _NONE
    place = slot(joint, joints)
    if place is None:
        return None
    if pose[place, 2] != _NONE:
        return f"joint: expected each joint once in a frame, found {joint} again in frame {frame}"
    pose[place] = x, y, confidence if math.isfinite(confidence) else math.nan
    return None


def frame_of(text: str) -> int | None:
    """The number of a frame as a row has it, None for anything else."""
    digits = text.strip().removesuffix(".0")  # as pandas writes whole numbers of a column with gaps
    plain = digits.isdecimal() and digits.isascii() and len(digits) <= 10
    return int(digits) if plain and int(digits) <= MOST_NUMBER else None


def _value(text: str) -> float | None:
    """A number, NaN for nothing, None for anything else."""
    try:
        return float(text) if text.strip() else math.nan
    except ValueError:
        return None
