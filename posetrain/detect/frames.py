"""The frames of a film, a few at a time and in order: whole for a detector of people, cut for one of keypoints."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.crops.images import cut
from posedata.errors import BadInputError
from posedata.formats.climbalong import FPS
from posedata.preview.footage import Film
from posetrain.detect.tracks import Track, square_of

Pixels = NDArray[np.uint8]

_MOST_EMPTY = 100_000
"""Numbers of frames that need not be there: each is an empty frame of the file that is made."""

_NEAR = 0.01
"""Of a frame rate: 29.97 is as good as 30."""


class Cut(NamedTuple):
    """A crop of a person: whose, by number; of which frame; (256, 256, 3) RGB."""

    track: int
    frame: int
    pixels: Pixels


class Footage:
    """A film, or a folder of numbered pictures, whose frames have been counted.

    Attributes:
        path: of the film or folder.
        name: without ending.
        frames: numbers of all frames, rising; a film's begin with 0, pictures have theirs in their names.
        size: (width, height) in pixels.
        warnings: what a careful person should know, a sentence each.
    """

    def __init__(self, film: Film) -> None:
        """Count the frames; raises BadInputError if pictures are numbered too high."""
        self._film = film
        self.path, self.size = film.path, film.size
        self.name = film.path.absolute().name if film.path.is_dir() else film.path.stem
        self.frames = film.numbers()
        if self.frames[-1] >= len(self.frames) + _MOST_EMPTY:
            what = f"expected numbers below {len(self.frames) + _MOST_EMPTY:,}, for all frames from 0 on have a place"
            raise BadInputError(f"{film.path}: {what}, found a picture numbered {self.frames[-1]:,}; rename them")
        promised, rate = film.header()
        self.warnings = []
        if promised > len(self.frames):
            told = f"its header tells of {promised:,} frames, {len(self.frames):,} can be decoded"
            self.warnings.append(f"{film.path}: {told}: is it cut, or damaged?")
        if rate and abs(rate / FPS - 1) > _NEAR:
            told = f"{rate:.4g} frames a second, and files of this layout are read as {FPS:g}"
            self.warnings.append(f"{film.path}: {told}: movement will look faster or slower than it is")

    def picture(self, number: int) -> Pixels:
        """(h, w, 3) RGB; raises BadInputError if it cannot be decoded, or is of another size than the first."""
        picture = self._film.frame(number)
        height, width = picture.shape[:2]
        if (width, height) != self.size:
            wanted = f"expected {self.size[0]} x {self.size[1]} pixels as the first has, found {width} x {height}"
            raise BadInputError(f"{self.path}: frame {number}: {wanted}; give pictures of one size")
        return picture

    def pictures(self, at_once: int) -> Iterator[tuple[list[int], list[Pixels]]]:
        """All frames, some at a time: their numbers and pictures."""
        for i in range(0, len(self.frames), at_once):
            numbers = self.frames[i : i + at_once]
            yield numbers, [self.picture(number) for number in numbers]

    def cuts(self, tracks: Sequence[Track], at_once: int) -> Iterator[list[Cut]]:
        """The crops of all people, frame by frame, some at a time."""
        waiting: list[Cut] = []
        boxes = [dict(zip(track.frames.tolist(), track.boxes, strict=True)) for track in tracks]
        for number in sorted(set().union(*boxes)):
            picture = self.picture(number)
            for i, of in enumerate(boxes):
                if number in of:
                    waiting.append(Cut(i, number, cut(picture, square_of(of[number], self.size))))
                if len(waiting) == at_once:
                    yield waiting
                    waiting = []
        if waiting:
            yield waiting


@contextmanager
def open_footage(path: Path) -> Iterator[Footage]:
    """A film or a folder of pictures; raises BadInputError if it cannot be read, or is empty."""
    film = Film(path)
    try:
        yield Footage(film)
    finally:
        film.close()
