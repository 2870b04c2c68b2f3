"""What stands in JSON files of poses, whichever their kind: who is shown, in which frame, where the joints are."""

import re
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from posedata.formats.keypoints.tracks import DECIMALS, MOST_NUMBER, Slots

_DIGITS = re.compile(r"[0-9]+")


def is_id(value: object) -> TypeGuard[int | str]:
    """Whether something can be an id: a number, or text."""
    return type(value) in (int, str)


def whole(given: object) -> object:
    """A whole number that was written as 7.0 as the integer; anything else as it is."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


def person_name(given: object) -> str | None:
    """Who a track is; "" where none is told, None for what nobody can be called. A whole number may come as 7.0.

    Trackers say -1, or another negative number, of whom they do not follow.
    """
    given = whole(given)
    if given is None or (type(given) is int and given < 0):
        return ""
    return str(given) if is_id(given) and given != "" else None


def frame_in_name(name: object) -> int | None:
    """The last digits in the name of an image as the number of a frame; None if there are none.

    Those of its ending do not count, such as of `12.jp2`; but `take1.0012` ends in its number.
    """
    if not isinstance(name, str):
        return None
    plain = Path(name).name if Path(name).suffix[1:].isdecimal() else Path(name).stem
    digits = _DIGITS.findall(plain)
    return frame_number(int(digits[-1])) if digits and len(digits[-1]) <= 15 else None


def frame_number(given: object) -> int | None:
    """The number of a frame, None if it is none; it may come as 7.0."""
    given = whole(given)
    return given if type(given) is int and 0 <= given <= MOST_NUMBER else None


def move_in_place(about: dict[str, Any], numbers: list[Any], places: Slots, pose: NDArray[np.float64]) -> None:
    """Give joints the points of a (25, 2) pose; one that is lost gets 0, 0, 0.

    Args:
        about: the object that they stand in, whose `num_keypoints`, if it has such, counts those that are lost no more.
        numbers: x, y, v in a row.
        places: where they are in the pose.
        pose: pixels, NaN = missing.
    """
    for i, place in enumerate(places):
        if place is None or numbers[3 * i + 2] == 0:
            continue
        if not np.isnan(pose[place]).any():
            numbers[3 * i : 3 * i + 2] = pose[place].round(DECIMALS).tolist()
            continue
        if type(about.get("num_keypoints")) is int:
            about["num_keypoints"] -= 1
        numbers[3 * i : 3 * i + 3] = 0, 0, 0
