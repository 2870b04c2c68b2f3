"""COCO's person keypoints: one JSON file of all people of a set of images.

    {"images": [{"id": 785, "file_name": "000000000785.jpg", "width": 640, "height": 425}, ...],
     "annotations": [{"id": 442619, "image_id": 785, "category_id": 1, "iscrowd": 0, "bbox": [x, y, width, height],
                      "keypoints": [x, y, v, x, y, v, ...]}, ...],
     "categories": [{"id": 1, "name": "person", "keypoints": ["nose", "left_eye", ...]}]}

Boxes and keypoints are pixels, 0-based. v is 0 where a keypoint is not labelled (x = y = 0 then), 1 where it is
labelled but hidden, 2 where it is seen. Other fields are not read; `segmentation`, most of the file, is not even kept.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.crops.geometry import Floats
from posedata.errors import bad_file, first_faults
from posedata.formats.base import read_json_object
from posedata.skeleton import COCO_NAMES

MOST_FILE = 1 << 30
"""Bytes of an annotation file: COCO's own have a quarter of it."""

CROWD, NOBODY, OTHER = "crowds, not people", "people without a labelled keypoint", "annotations of no person"
"""Why an annotation that has no fault is left out."""

_MOST_SIDE = 1 << 16
_BEYOND = 1.0
"""Pixels that a box may reach beyond its image: rounding."""


class Image(NamedTuple):
    """An image as the annotations tell of it; `name` is relative to the folder of its set."""

    key: int
    name: str
    width: int
    height: int


class Person(NamedTuple):
    """A person with at least one labelled keypoint.

    Attributes:
        key: the annotation's id.
        image: the id of the image.
        box: (4,) x, y, width, height in pixels.
        points: (17, 2) pixels, NaN where not labelled.
        visibility: (17,) 0, 1 or 2.
    """

    key: int
    image: int
    box: Floats
    points: Floats
    visibility: NDArray[np.uint8]


@dataclass
class Annotations:
    """What a file holds.

    Attributes:
        images: by id.
        people: in the order of the file.
        left_out: why -> ids of annotations.
        faults: of what is not among the others.
    """

    images: dict[int, Image] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)
    left_out: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)


def read_annotations(path: Path, skip_bad: bool = False) -> Annotations:
    """The people of an annotation file.

    Args:
        path: the file.
        skip_bad: whether a faulty image or annotation is left out and told of in `faults`.

    Raises:
        BadInputError: if it is no such file or, unless `skip_bad`, if anything in it is faulty.
    """
    content = read_json_object(path, MOST_FILE, "segmentation")
    lists = {name: _listed(path, content, name) for name in ("images", "annotations")}
    people = _person_categories(path, content)
    found, seen = Annotations(), set[int]()
    for i, item in enumerate(lists["images"]):
        try:
            image = _image(item)
            if image.key in found.images:
                raise ValueError("id: expected each once, found it twice")
            found.images[image.key] = image
        except ValueError as error:
            found.faults.append(f"{_told('image', i, item)}: {error}")
    for i, item in enumerate(lists["annotations"]):
        try:
            _add(found, item, people, seen)
        except ValueError as error:
            found.faults.append(f"{_told('annotation', i, item)}: {error}")
    if found.faults and not skip_bad:
        raise bad_file(path, first_faults(found.faults))
    return found


def _listed(path: Path, content: dict[str, Any], name: str) -> list[Any]:
    listed = content.get(name)
    if not isinstance(listed, list):
        raise bad_file(path, [f"{name}: expected a list, found {_short(listed)}"])
    return listed


def _person_categories(path: Path, content: dict[str, Any]) -> set[int]:
    """Ids of the categories that are people; raises BadInputError if their keypoints are not COCO's 17."""
    found = set()
    for i, category in enumerate(_listed(path, content, "categories")):
        if isinstance(category, dict) and category.get("name") == "person" and _is_id(category.get("id")):
            names = category.get("keypoints")
            if names != list(COCO_NAMES):
                raise bad_file(
                    path, [f"categories[{i}].keypoints: expected {', '.join(COCO_NAMES)}, found {_short(names)}"]
                )
            found.add(category["id"])
    if not found:
        raise bad_file(path, ["categories: expected one with an id and the name person, found none"])
    return found


def _image(item: Any) -> Image:
    """An image; raises ValueError with field, expected and found."""
    if not isinstance(item, dict) or not _is_id(item.get("id")):
        raise ValueError(f"expected an object with a whole number as id, found {_short(item)}")
    name = item.get("file_name")
    if not isinstance(name, str) or not _is_inside(name):
        raise ValueError(f"file_name: expected a plain path below the folder of images, found {_short(name)}")
    for side in ("width", "height"):
        if type(item.get(side)) is not int or not 0 < item[side] <= _MOST_SIDE:
            raise ValueError(f"{side}: expected pixels from 1 to {_MOST_SIDE}, found {_short(item.get(side))}")
    return Image(item["id"], name, item["width"], item["height"])


def _add(found: Annotations, item: Any, people: set[int], seen: set[int]) -> None:
    """Sort an annotation in; raises ValueError with field, expected and found."""
    if not isinstance(item, dict) or not _is_id(item.get("id")):
        raise ValueError(f"expected an object with a whole number as id, found {_short(item)}")
    if item["id"] in seen:
        raise ValueError("id: expected each once, found it twice")
    seen.add(item["id"])
    if not _is_id(item.get("category_id")):
        raise ValueError(f"category_id: expected a whole number, found {_short(item.get('category_id'))}")
    if item["category_id"] not in people:
        found.left_out[OTHER].append(item["id"])
        return
    if item.get("iscrowd", 0) not in (0, 1):
        raise ValueError(f"iscrowd: expected 0 or 1, found {_short(item['iscrowd'])}")
    if item.get("iscrowd"):
        found.left_out[CROWD].append(item["id"])
        return
    keypoints = _numbers(item, "keypoints", 3 * len(COCO_NAMES)).reshape(-1, 3)
    if not np.isin(keypoints[:, 2], (0, 1, 2)).all():
        raise ValueError(f"keypoints: expected v of 0, 1 or 2, found {_short(keypoints[:, 2].tolist())}")
    if not keypoints[:, 2].any():
        found.left_out[NOBODY].append(item["id"])
        return
    image = found.images.get(item["image_id"]) if _is_id(item.get("image_id")) else None
    if image is None:
        raise ValueError(f"image_id: expected that of an image of the file, found {_short(item.get('image_id'))}")
    points = np.where(keypoints[:, 2:] > 0, keypoints[:, :2], np.nan)
    visibility = keypoints[:, 2].astype(np.uint8)
    found.people.append(Person(item["id"], image.key, _box(item, image), points, visibility))


def _box(item: dict[str, Any], image: Image) -> Floats:
    box = _numbers(item, "bbox", 4)
    x, y, width, height = box.tolist()
    inside = min(x, y) >= -_BEYOND and x + width <= image.width + _BEYOND and y + height <= image.height + _BEYOND
    if not (width > 0 and height > 0 and inside):
        raise ValueError(
            f"bbox: expected x, y, width, height of a box in an image of {image.width} x {image.height} pixels, "
            f"found {_short(item['bbox'])}"
        )
    return box


def _numbers(item: dict[str, Any], name: str, count: int) -> Floats:
    """Finite numbers of a list; raises ValueError if they are not that."""
    listed = item.get(name)
    if not isinstance(listed, list) or len(listed) != count:
        found = f"{len(listed)}" if isinstance(listed, list) else _short(listed)
        raise ValueError(f"{name}: expected {count} numbers, found {found}")
    odd = next(_odd(listed), None)
    if odd is not None:
        raise ValueError(f"{name}[{odd}]: expected a number, found {_short(listed[odd])}")
    return np.asarray(listed, np.float64)


def _odd(listed: list[Any]) -> Iterator[int]:
    """Where something stands that is no number, or larger than any pixel."""
    return (i for i, n in enumerate(listed) if type(n) not in (int, float) or not abs(n) <= _MOST_SIDE)


def _is_id(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    plain = name.isprintable() and "\\" not in name and str(path) == name
    return plain and bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _told(what: str, position: int, item: Any) -> str:
    """What a fault is about: by its id where it has one."""
    key = item.get("id") if isinstance(item, dict) else None
    return f"{what} {key}" if _is_id(key) else f"{what}s[{position}]"


def _short(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) < 60 else f"{text[:60]}..."
