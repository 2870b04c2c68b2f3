"""Frames by number: out of a film, or out of a folder of pictures. One is in memory at a time.

A frame's number in a film is how many come before it, and only counting tells that: seeking goes by time, and misses
where a film's rate is uneven.
"""

import os
import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from posedata.crops.images import decoded, is_cut
from posedata.errors import BadInputError, ChoiceError

Picture = NDArray[np.uint8]

FILMS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm")
"""Endings of films."""

_PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
_IS_IT = "is it another film, or cut?"


class Film:
    """A film, or a folder of pictures whose names end in their numbers. To be closed.

    Attributes:
        path: of the film or folder.
        first: the number of a film's first frame; pictures have their own.
        size: (width, height) in pixels.
    """

    def __init__(self, path: Path, first: int = 0) -> None:
        """Open it.

        Args:
            path: of the film or folder.
            first: the number of a film's first frame; pictures have their own.

        Raises:
            BadInputError: if it cannot be read.
        """
        self.path = path
        self.first = first
        self._pictures = numbered_pictures(path) if path.is_dir() else {}
        if path.is_dir() and not self._pictures:
            raise BadInputError(f"{path}: expected pictures like 000001.jpg, found none")
        self._capture: cv2.VideoCapture | None = None
        self._next = first
        start = min(self._pictures, default=first)
        height, width = self.frame(start).shape[:2]
        self.size = (width, height)

    def frame(self, number: int) -> Picture:
        """(h, w, 3), red green blue; quickest where numbers rise.

        Raises:
            BadInputError: if there is no such frame, or it cannot be read.
        """
        found = self._picture(number) if self.path.is_dir() else self._counted(number)
        return np.asarray(found[..., ::-1], np.uint8)

    def numbers(self) -> list[int]:
        """The numbers of all frames, rising; those of a film are counted, for its header may be wrong."""
        if self._pictures:
            return sorted(self._pictures)
        return list(range(self.first, self.first + count_frames(self.path)))

    def header(self) -> tuple[int, float]:
        """What the header of a film tells, rightly or not: frames, and frames a second; 0 of what it does not tell."""
        if self.path.is_dir():
            return 0, 0.0
        capture = _opened(self.path)
        try:
            frames, rate = (capture.get(what) for what in (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FPS))
        finally:
            capture.release()
        return max(0, round(frames)), max(0.0, rate)

    def need(self, frames: range) -> None:
        """Raise BadInputError if a frame is missing; a film whose header promises them all is believed."""
        if self._pictures:
            for number in frames:
                if number not in self._pictures:
                    raise self._without(number)
        elif self.header()[0] <= frames[-1] - self.first:
            self.frame(frames[-1])

    def close(self) -> None:
        """Let go of the file."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _picture(self, number: int) -> NDArray[np.generic]:
        path = self._pictures.get(number)
        if path is None:
            raise self._without(number)
        data = path.read_bytes()
        found = None if is_cut(data) else decoded(data, cv2.IMREAD_COLOR)
        if found is None:
            raise BadInputError(f"{path}: expected a picture that OpenCV reads, found none; get it anew")
        return found

    def _without(self, number: int) -> BadInputError:
        return BadInputError(f"{self.path}: expected a picture of frame {number}, found none; {_IS_IT}")

    def _counted(self, number: int) -> NDArray[np.generic]:
        if self._capture is None or number < self._next:
            self.close()
            self._capture, self._next = _opened(self.path), self.first
        while self._next < number and self._capture.grab():
            self._next += 1
        there, found = self._capture.read() if self._next == number else (False, None)
        if not there or found is None:
            had = self._next - self.first
            if had == 0:
                raise _unreadable(self.path)
            what = f"expected {number - self.first + 1:,} frames at least, found {had:,}"
            raise BadInputError(f"{self.path}: {what}; {_IS_IT}")
        self._next += 1
        return found


def _opened(path: Path) -> cv2.VideoCapture:
    # What OpenCV and FFmpeg say of a file would stand beside our own message.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise _unreadable(path)
    return capture


def count_frames(path: Path) -> int:
    """Frames that can be decoded of a film; 0 of what is none."""
    film = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        found = 0
        while film.grab():
            found += 1
    finally:
        film.release()
    return found


def _unreadable(path: Path) -> BadInputError:
    found = "one that it does not" if path.is_file() else "nothing"
    return BadInputError(f"{path}: expected a film that OpenCV reads, found {found}")


def numbered_pictures(folder: Path) -> dict[int, Path]:
    """Number -> picture: the last digits of its name, as in `000001.jpg` or `img-000001.png`.

    Raises:
        BadInputError: if there are two of one number.
    """
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        digits = re.search(r"(\d+)$", path.stem, re.ASCII)
        if digits is None or path.suffix.lower() not in _PICTURES:
            continue
        if (number := int(digits[1])) in found:
            raise BadInputError(f"{folder}: expected one picture of frame {number}, found {found[number].name} too")
        found[number] = path
    return found


def find_films(place: Path, names: list[str]) -> list[Path]:
    """The film, or folder of pictures, of each name.

    Args:
        place: a film, the folder of its pictures, or a folder of several.
        names: without endings; may be there more than once.

    Raises:
        BadInputError: if a film is missing, or two have one name.
        ChoiceError: if `place` is one film, and `names` are several.
    """
    if not place.exists():
        raise BadInputError(f"{place}: expected a film or a folder of films, found nothing")
    found = _by_name(place) if place.is_dir() else {}
    missing = sorted(set(names) - found.keys())
    if not missing:
        return [found[name] for name in names]
    alone = place.is_file() or (len(missing) == len(set(names)) and numbered_pictures(place))
    if not alone:
        wanted = f"expected a film ({', '.join(FILMS)}) or a folder of pictures of that name, found neither"
        raise BadInputError(*(f"{place / name}: {wanted}" for name in missing))
    if len(missing) > 1:
        told = f"expected the film of all frames, found frames of {len(missing)} films"
        raise ChoiceError(f"{place}: {told}; name a --sequence, or give the folder of the films")
    return [place] * len(names)


def _by_name(folder: Path) -> dict[str, Path]:
    """Films and folders of pictures, by their names without endings."""
    films: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not (path.is_dir() or path.suffix.lower() in FILMS):
            continue
        name = path.name if path.is_dir() else path.stem
        if name in films:
            raise BadInputError(f"{path}: expected one film called {name}, found {films[name].name} too; remove one")
        films[name] = path
    return films
