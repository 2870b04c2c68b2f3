"""A film of what was refined: skeletons over the frames of a video, or on a blank ground; what was given as dots."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from posedata.errors import BadInputError, ChoiceError
from posedata.files import need_outside, whole_file
from posedata.geometry import to_grid, to_pixels
from posedata.preview.about import UNKNOWN_RATE
from posedata.preview.colours import GROUND, INK, PEOPLE, SIDES, Colour
from posedata.preview.draw import LINE_HEIGHT, Picture, dots, line, skeleton
from posedata.preview.films import MP4_SCALE, open_mp4
from posedata.preview.footage import Film, find_films
from posedata.preview.overlay import SIDE, backdrop, evened, fitted, need_fit
from posedata.preview.scenes import Backdrop
from posedata.progress import Progress
from posetrain.predict.inputs import Given
from posetrain.predict.outputs import Refined
from posetrain.predict.people import Floats

ENDING = ".mp4"

_MOST = 100_000
"""Frames from the first to the last: an hour."""

Show = Callable[[Sequence[Refined], Progress], None]


@dataclass(frozen=True, eq=False)
class _Canvas:
    """What is drawn on.

    Attributes:
        film: the video; None = a blank ground.
        box: (4,) x0 y0 x1 y1: what is seen of the image, in its pixels.
        size: (width, height) of the pictures, even.
        frames: numbers of the frames that are shown.
        rate: frames a second.
    """

    film: Film | None
    box: Floats
    size: tuple[int, int]
    frames: range
    rate: float

    def backdrop(self, number: int) -> Backdrop:
        """What is behind the people of a frame; its box is where `box` lies."""
        if self.film is not None:
            return backdrop(self.film.frame(number), self.box, self.size)
        width, height = self.size
        blank = np.tile(np.asarray(GROUND, np.uint8), (height, width, 1))
        return Backdrop(blank, np.asarray([0.0, 0.0, width, height]))


@contextmanager
def skeleton_film(out: Path, given: Given, video: Path | None, overwrite: bool) -> Iterator[Show]:
    """A film that is there, whole, when it has been shown the people and all is done.

    It goes from the first frame of the input to the last. Before the work begins it is known whether it can be made.

    Args:
        out: the .mp4.
        given: whose people they will be.
        video: a film, the folder of its pictures, or a folder of films called like their videos; None = a blank ground
            as large as the boxes of all people together.
        overwrite: whether a file that is there may be replaced.

    Raises:
        BadInputError: if there is no such video, it is too short, or boxes lie outside of it.
        ChoiceError: if people are of several videos, or OpenCV cannot write the film.
        ConflictError: if the file is there.
        ResourceError: if the disk is full.
    """
    if out.suffix.lower() != ENDING:
        raise ChoiceError(f"--film {out}: expected a name that ends in {ENDING}, found {out.name}")
    canvas = _canvas(given, video)
    width, height = canvas.size
    try:
        if canvas.film is not None:
            need_outside(out, canvas.film.path)
        with (
            whole_file(out, overwrite) as part,
            open_mp4(part, (width, height + 2 * LINE_HEIGHT), canvas.rate, "leave out --film") as add,
        ):
            yield partial(_draw, add, canvas, given.path.name, given.stride)
    finally:
        if canvas.film is not None:
            canvas.film.close()


def _canvas(given: Given, video: Path | None) -> _Canvas:
    people = given.people
    films = {(person.video, person.film, person.first) for person in people}
    if len(films) > 1:
        raise ChoiceError(
            f"--film: expected people of one video, found those of {len(films)}; choose one with --sequence"
        )
    ((_, name, first),) = films
    start, end = (int(f([f(person.frame_number) for person in people])) for f in (min, max))
    if end - start >= _MOST:
        raise ChoiceError(f"--film: expected at most {_MOST:,} frames from first to last, found {end - start + 1:,}")
    fps = people[0].fps
    frames, rate = range(start, end + 1), fps if math.isfinite(fps) and fps > 0 else UNKNOWN_RATE
    boxes = np.concatenate([person.boxes for person in people])
    if video is None:
        box = _around(boxes, given.path)
        return _Canvas(None, box, evened(fitted(_size(box), (SIDE, SIDE))), frames, rate)
    if given.resampled:
        raise ChoiceError(f"--video: expected a store of its source's own frames, found {given.path.name} resampled")
    (path,) = find_films(video, [name])
    film = Film(path, first)
    film.need(frames)
    need_fit(film, given.path.name, boxes)
    # The number of a pixel means its middle.
    box = np.asarray([-0.5, -0.5, film.size[0] - 0.5, film.size[1] - 0.5])
    return _Canvas(film, box, evened(fitted(film.size, (SIDE, SIDE))), frames, rate)


def _around(boxes: Floats, path: Path) -> Floats:
    """(4,) the smallest box with all of them in it."""
    known = boxes[~np.isnan(boxes[:, 0])]
    if not len(known):
        raise BadInputError(f"{path}: expected at least one keypoint, found none")
    return np.asarray([known[:, 0].min(), known[:, 1].min(), known[:, 2].max(), known[:, 3].max()])


def _size(box: Floats) -> tuple[int, int]:
    width, height = np.ceil(box[2:] - box[:2]).astype(int).tolist()
    return width, height


def _draw(
    add: Callable[[Picture], None],
    canvas: _Canvas,
    title: str,
    stride: int,
    people: Sequence[Refined],
    progress: Progress,
) -> None:
    """Frame by frame; one person in the colours of the body, several in one each. A pose stays `stride` frames."""
    colours = [PEOPLE[i % len(PEOPLE)] if len(people) > 1 else None for i in range(len(people))]
    legend = _legend(canvas.size[0], people, colours)
    rows = [person.track.rows for person in people]
    with progress("drawing", len(canvas.frames), "frames") as advance:
        for number in canvas.frames:
            behind = canvas.backdrop(number)
            picture = behind.picture
            there = {i: row for i, of in enumerate(rows) if (row := _last(of, number, stride)) is not None}
            for i, row in there.items():
                points = people[i].track.points[row]
                picture = skeleton(picture, _places(points, canvas, behind), MP4_SCALE, colour=colours[i])
            for i, row in there.items():
                points = people[i].given[row]
                picture = dots(picture, _places(points, canvas, behind), MP4_SCALE, colours[i])
            caption = line(canvas.size[0], (title, INK), right=f"frame {number}")
            add(np.concatenate([legend, picture, caption]))
            advance(1)


def _last(rows: Mapping[int, int], number: int, stride: int) -> int | None:
    """The row of a frame, or of the last one of the `stride` up to it; None if they have none."""
    return next((rows[one] for one in range(number, number - stride, -1) if one in rows), None)


def _places(points: Floats, canvas: _Canvas, behind: Backdrop) -> Floats:
    """(25, 2) pixels of the image to those of the picture."""
    found: Floats = to_pixels(to_grid(points[None], canvas.box[None]), behind.box[None])[0]
    return found


def _legend(width: int, people: Sequence[Refined], colours: Sequence[Colour | None]) -> Picture:
    what = ("refined; dots: given", INK)
    if len(people) == 1:
        return line(width, what, *SIDES.items())
    return line(width, what, *((person.name, colour or INK) for person, colour in zip(people, colours, strict=True)))
