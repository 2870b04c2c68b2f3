"""COCO keypoints: one JSON file a video.

    {"images": [{"id": 7, "file_name": "walk/000012.jpg", "width": 1920, "height": 1080, "frame_id": 12}, ...],
     "annotations": [{"image_id": 7, "keypoints": [x, y, v, x, y, v, ...], "track_id": 1, "category_id": 1}, ...],
     "categories": [{"id": 1, "name": "person", "keypoints": ["nose", "left_eye", ...]}]}

The frame is `frame_id` where an image has one, else the last digits in the name of its file. Images may come in any
order; one without an annotation of a person is a gap in that person's sequence. v is 0 where a joint is not labelled,
else 1 or 2, or a confidence. People are told apart by `track_id`; without it an image shows one person at most, unless
they are linked. The joints are those that the annotation's category names; where it names none, those of the joint map
in its order. `width`, `height`, `track_id`, `category_id` and `categories` may be absent; other fields are not read. A
crowd (`iscrowd`) is no pose of a person, nor is what is of another category where one is called person: both are left
out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from posedata.errors import BadInputError, bad_file
from posedata.formats.base import read_json_object
from posedata.formats.keypoints.fields import frame_in_name, frame_number, is_id, move_in_place, person_name
from posedata.formats.keypoints.jointmap import JointMap
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
from posedata.poses import MAX_COORDINATE, Note
from posedata.skeleton import COCO_NAMES

Placed = tuple[str, dict[str, Any]]
"""Where in the file an object stands, and the object."""


class _Layout(NamedTuple):
    """What must be known of a file to read its annotations.

    Attributes:
        frames: image -> frame.
        size: width and height, None where it tells none.
        places: category -> where the keypoints go that it names.
        usual: where those of any other category go.
        others: categories that are no people.
    """

    frames: dict[int | str, int]
    size: tuple[float | None, float | None]
    places: dict[int | str, Slots]
    usual: Slots
    others: frozenset[int | str]

    def shows_person(self, annotation: dict[str, Any]) -> bool:
        """Whether an annotation is of one person."""
        return annotation.get("iscrowd") != 1 and not _is_of(annotation.get("category_id"), self.others)

    def of(self, annotation: dict[str, Any]) -> Slots:
        """Where the keypoints of an annotation go."""
        category = annotation.get("category_id")
        return self.places.get(category, self.usual) if is_id(category) else self.usual


def read_coco(path: Path, joint_map: JointMap) -> Recording:
    """The people of a COCO file; raises BadInputError with all its faults."""
    faults = Faults(path)
    content, layout = _opened(path, joint_map, faults)
    poses, left_out = Poses(path, joint_map.linked), 0
    for where, annotation in objects(content, "annotations", faults):
        if not layout.shows_person(annotation):
            left_out += 1
            continue
        fault = _add(annotation, layout.frames, layout.of(annotation), poses)
        if fault:
            faults.add(f"{where}.{fault}")
    faults.check()
    notes = (Note(left_out, "annotations of crowds, or of no person: left out"),) if left_out else ()
    if notes and not poses:
        raise bad_file(path, [f"annotations: expected at least one pose of a person, found none; {notes[0]}"])
    tracks = poses.tracks("track_id")
    return Recording(tracks, *layout.size, notes=(*notes, *poses.notes(tracks)))


def coco_with(path: Path, joint_map: JointMap, tracks: Mapping[str, Track]) -> dict[str, Any]:
    """The content of a COCO file that `read_coco` reads, with other points of the same people and frames.

    A joint that is not in the points any more gets x = y = v = 0, and `num_keypoints`, where it is told, counts it no
    more. Who was linked gets a `track_id`. All else stays: v, joints that become no keypoint, images, ids, fields that
    are not read.
    """
    faults = Faults(path)
    content, layout = _opened(path, joint_map, faults)
    moved = Moved(tracks)
    for _, annotation in objects(content, "annotations", faults):
        person = person_name(annotation.get("track_id"))
        if person is None or not layout.shows_person(annotation):
            continue
        found = moved.next(person, layout.frames[annotation["image_id"]])
        if found is None:
            continue
        name, pose = found
        if name != person:
            annotation["track_id"] = int(name)
        move_in_place(annotation, annotation["keypoints"], layout.of(annotation), pose)
    faults.check()
    return content


def _opened(path: Path, joint_map: JointMap, faults: Faults) -> tuple[dict[str, Any], _Layout]:
    """The content of a file, and what must be known of it."""
    usual = joint_map.unnamed_slots(path, len(COCO_NAMES))
    content = read_json_object(path)
    if not content.keys() & {"images", "annotations"}:
        raise bad_file(
            path, [f"expected images and annotations, as COCO has them, found {', '.join(content) or 'nothing'!r:.100}"]
        )
    images = [*objects(content, "images", faults)]
    frames, size = image_frames(images, faults), _size(images, faults)
    categories = [*objects(content, "categories", faults)] if "categories" in content else []
    others = _others([category for _, category in categories])
    named = partial(joint_map.named_slots, path)
    places = _places([placed for placed in categories if not _is_of(placed[1].get("id"), others)], named, faults)
    faults.check()
    return content, _Layout(frames, size, places, usual, others)


def _is_of(key: object, keys: frozenset[int | str]) -> bool:
    return is_id(key) and key in keys


def _others(categories: list[dict[str, Any]]) -> frozenset[int | str]:
    """Categories that are no people; none where no category is called person."""
    names = {category["id"]: category.get("name") for category in categories if is_id(category.get("id"))}
    if "person" not in names.values():
        return frozenset()
    return frozenset(key for key, name in names.items() if name != "person")


def objects(content: dict[str, Any], name: str, faults: Faults) -> Iterator[Placed]:
    """Place and content of the objects in a list of a file; what else stands in it is a fault."""
    listed = content.get(name)
    if not isinstance(listed, list):
        faults.add(f"{name}: expected a list, found {told(listed)}")
        return
    for i, item in enumerate(listed):
        if isinstance(item, dict):
            yield f"{name}[{i}]", item
        else:
            faults.add(f"{name}[{i}]: expected an object, found {told(item)}")


def image_frames(images: list[Placed], faults: Faults) -> dict[int | str, int]:
    """Frame number of each image; one without, an id that stands twice, and two images of a frame are faults."""
    frames: dict[int | str, int] = {}
    seen: set[int] = set()
    for where, image in images:
        key, frame = image.get("id"), _frame(image)
        if not is_id(key) or key in frames:
            faults.add(f"{where}.id: expected a number or text that no other image has, found {told(key)}")
        elif frame is None:
            found = f"{told(image.get('frame_id'))} and {told(image.get('file_name'))}"
            faults.add(f"{where}: expected frame_id from 0 to {MOST_NUMBER}, or digits in file_name, found {found}")
        elif frame in seen:
            faults.add(f"{where}: expected each frame once, found {frame} again; a file is one video")
        else:
            frames[key] = frame
            seen.add(frame)
    return frames


def _frame(image: dict[str, Any]) -> int | None:
    frame = image.get("frame_id")
    of_posetrack = type(frame) is int and frame > MOST_NUMBER  # it has the number of the video before that of the frame
    return frame_in_name(image.get("file_name")) if frame is None or of_posetrack else frame_number(frame)


def _size(images: list[Placed], faults: Faults) -> tuple[float | None, float | None]:
    """Width and height of the images, None where they tell none."""
    found: dict[str, float] = {}
    for where, image in images:
        for side in [side for side in ("width", "height") if side in image]:
            value = image[side]
            if type(value) not in (int, float) or not 0 < value <= MAX_COORDINATE:
                faults.add(f"{where}.{side}: expected pixels, found {told(value)}")
            elif found.setdefault(side, value) != value:
                faults.add(f"{where}.{side}: expected {found[side]:g} as before, found {value:g}; a file is one video")
    return found.get("width"), found.get("height")


def _places(
    categories: list[Placed], named: Callable[[Sequence[str]], Slots], faults: Faults
) -> dict[int | str, Slots]:
    """Where the keypoints of each category go that names them."""
    places: dict[int | str, Slots] = {}
    for where, category in categories:
        key, names = category.get("id"), category.get("keypoints")
        if not names:
            continue
        if not is_id(key) or key in places:
            faults.add(f"{where}.id: expected a number or text that no other category has, found {told(key)}")
        elif not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            faults.add(f"{where}.keypoints: expected names, found {told(names)}")
        else:
            try:
                places[key] = named(names)
            except BadInputError as error:
                faults.add(f"{where}.keypoints: {error}")
    return places


def _add(annotation: dict[str, Any], frames: dict[int | str, int], places: Slots, poses: Poses) -> str | None:
    """Put a person's pose where it belongs; gives what is wrong with it, if anything is."""
    image, track = annotation.get("image_id"), annotation.get("track_id")
    if not is_id(image) or image not in frames:
        return f"image_id: expected the id of an image, found {told(image)}"
    person = person_name(track)
    if person is None:
        return f"track_id: expected a number or text, found {told(track)}"
    try:
        joints = joint_rows(annotation.get("keypoints"), len(places))
    except BadInputError as error:
        return f"keypoints: {error}"
    frame = frames[image]
    if poses.find(person, frame) is not None:
        if track is None:
            return f"image_id: expected one person in an image without track_id, found another in frame {frame}"
        return f"track_id: expected each person once in an image, found {told(track)} again in frame {frame}"
    poses.put(person, frame, places, joints)
    return None
