"""Boxes of people frame by frame, in a file.

A CSV file has a row a box, `person` where there are several people; columns and rows in any order, UTF-8, commas:

    frame,person,x,y,width,height
    0,ann,301.5,80,120,260

A COCO file has `images`, of which a frame is what `posedata.formats.keypoints.coco` says, and `annotations` with
`image_id`, `bbox` (x, y, width, height), and `track_id` where an image shows several people; other fields are not read.

Boxes are pixels of the frame as it is shown, 0-based. A frame without a row or annotation of a person has no box of it.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.errors import ChoiceError
from posedata.formats.base import read_json_object, read_rows
from posedata.formats.keypoints.coco import image_frames, objects
from posedata.formats.keypoints.fields import is_id, person_name
from posedata.formats.keypoints.table import frame_of
from posedata.formats.keypoints.tracks import DECIMALS, MOST_NUMBER, Faults, told
from posedata.poses import MAX_COORDINATE

Floats = NDArray[np.float64]

Boxes = dict[int, Floats]
"""Frame -> (4,) x, y, width, height in pixels: one person."""

SIDES = ("x", "y", "width", "height")

_NEEDED = ("frame", *SIDES)
_COLUMNS = ("frame", "person", *SIDES)
_NAME = re.compile(r"\w[\w.-]{0,99}")
"""Of a person: it becomes part of the name of a file."""


def read_boxes(path: Path) -> dict[str, Boxes]:
    """The boxes of a CSV or COCO file, by person; "" = the only one, who has no name.

    Raises:
        BadInputError: with all faults of the file.
        ChoiceError: if its ending is neither .csv nor .json.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise ChoiceError(f"--boxes {path}: expected a name that ends in {' or '.join(_READERS)}, found {path.name}")
    faults, people = Faults(path), dict[str, Boxes]()
    read(path, people, faults)
    if not people:
        faults.add("expected at least one box, found none")
    if "" in people and len(people) > 1:
        faults.add("annotations: expected a track_id in all or in none, found some without")
    faults.check()
    return people


def need_within(
    path: Path, people: Mapping[str, Boxes], frames: Collection[int], film: Path, size: tuple[int, int]
) -> None:
    """Raise BadInputError if boxes are of frames that a film lacks, or have their middle outside of it.

    Over the edge a box may reach: trackers guess where somebody is of whom a part is not seen.

    Args:
        path: of the boxes.
        people: all of them.
        frames: numbers of those that there are.
        film: where they are from.
        size: (width, height) in pixels.
    """
    faults, there = Faults(path), set(frames)
    for person, boxes in people.items():
        who = f", person {person}" if person else ""
        for frame, box in sorted(boxes.items()):
            x, y = (box[:2] + box[2:] / 2).tolist()
            if frame not in there:
                faults.add(f"frame {frame}{who}: expected one of {film} ({min(there)} to {max(there)}), found none")
            elif not (0 <= x <= size[0] and 0 <= y <= size[1]):
                what = f"expected a box with its middle in the {size[0]} x {size[1]} pixels of {film}"
                faults.add(f"frame {frame}{who}: {what}, found {x:g}, {y:g}; is it another film, or size?")
    faults.check()


def write_boxes(path: Path, people: Iterable[tuple[str, Boxes]]) -> None:
    """A CSV file that `read_boxes` reads, of people with names."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_COLUMNS)
        for person, boxes in people:
            for frame, box in boxes.items():
                rows.writerow([frame, person, *(f"{value:.{DECIMALS}f}" for value in box.tolist())])


def _read_table(path: Path, people: dict[str, Boxes], faults: Faults) -> None:
    for i, row in enumerate(read_rows(path, *_NEEDED), start=1):
        strange = [name for name in row if name not in _COLUMNS and name is not None]
        if strange:
            columns = ", ".join(_COLUMNS)
            faults.add(f"header: expected columns of {columns}, found {', '.join(strange):.80} too; leave them out")
            return
        fault = _add_row(row, people)
        if fault:
            faults.add(f"row {i}: {fault}")


def _add_row(row: Mapping[str, str], people: dict[str, Boxes]) -> str | None:
    if None in row.values() or None in row:
        return "expected a value for every column, found fewer or more"
    frame, person = frame_of(row["frame"]), row.get("person", "").strip()
    if frame is None:
        return f"frame: expected a number from 0 to {MOST_NUMBER}, found {row['frame'].strip()!r:.60}"
    if "person" in row and not person:
        return "person: expected a name, found none"
    return _add(people, person, frame, "person", [_number(row[name]) for name in SIDES])


def _number(text: str) -> object:
    """A number, or the text that is none."""
    try:
        return float(text)
    except ValueError:
        return text


def _read_coco(path: Path, people: dict[str, Boxes], faults: Faults) -> None:
    content = read_json_object(path, dropped="segmentation")
    frames = image_frames([*objects(content, "images", faults)], faults)
    for where, annotation in objects(content, "annotations", faults):
        fault = _add_annotation(annotation, frames, people)
        if fault:
            faults.add(f"{where}: {fault}")


def _add_annotation(
    annotation: Mapping[str, Any], frames: Mapping[int | str, int], people: dict[str, Boxes]
) -> str | None:
    image, track, box = (annotation.get(name) for name in ("image_id", "track_id", "bbox"))
    if not is_id(image) or image not in frames:
        return f"image_id: expected the id of an image, found {told(image)}"
    person = person_name(track)
    if person is None:
        return f"track_id: expected a number or text, found {told(track)}"
    if not isinstance(box, list) or len(box) != len(SIDES):
        return f"bbox: expected x, y, width, height, found {told(box)}"
    return _add(people, person, frames[image], "track_id", box)


def _add(people: dict[str, Boxes], person: str, frame: int, field: str, sides: list[object]) -> str | None:
    """Put a box where it belongs; gives what is wrong with it, if anything is."""
    if person and not _NAME.fullmatch(person):
        return f"{field}: expected letters, digits, _ . and -, for files are named after people; found {person!r:.60}"
    for name, value in zip(SIDES, sides, strict=True):
        if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= MAX_COORDINATE:
            return f"{name}: expected pixels, found {told(value)}"
    box = np.asarray(sides, np.float64)
    if not (box[2:] > 0).all():
        return f"width, height: expected more than 0 pixels, found {box[2]:g}, {box[3]:g}"
    boxes = people.setdefault(person, {})
    if frame in boxes:
        whom = f"of person {person}" if person else f"where no {field} tells people apart"
        return f"frame: expected one box in a frame {whom}, found another in frame {frame}"
    boxes[frame] = box
    return None


_READERS: Mapping[str, Callable[[Path, dict[str, Boxes], Faults], None]] = {".csv": _read_table, ".json": _read_coco}
