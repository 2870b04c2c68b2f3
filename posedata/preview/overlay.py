"""Frames of a store before the film that they were annotated on."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError, ChoiceError
from posedata.preview.colours import PAPER
from posedata.preview.footage import Film, Picture, find_films
from posedata.preview.origin import film_name, first_number, is_resampled
from posedata.preview.scenes import Backdrop, Floats, Scene
from posedata.store.reader import Store
from posedata.store.views import sequence_names

SIDE = 640
"""Pixels of a backdrop's longer side."""


@dataclass(frozen=True)
class Footage:
    """The films of some sequences.

    Attributes:
        films: dataset/name of a sequence -> its film, or folder of pictures.
        panel: (width, height) in pixels, even: every backdrop has this size.
    """

    films: Mapping[str, Path]
    panel: tuple[int, int]


def find_footage(store: Store, positions: NDArray[np.int64], place: Path) -> Footage:
    """The films of the sequences that some frames belong to; all are there, and fit the boxes.

    Args:
        store: whose frames they are.
        positions: of the frames.
        place: a film, the folder of its pictures, or a folder of several, each named after its video.

    Raises:
        BadInputError: if a film is missing or cannot be read, or if boxes lie outside of it.
        ChoiceError: if the frames are not those of their source, or of several films where `place` is one.
    """
    if is_resampled(store.attributes["recipe"]):
        raise ChoiceError(f"--video: expected a store of its source's own frames, found {store.path.name} resampled")
    sequences = store.frame_sequence[positions]
    numbers = np.unique(sequences).tolist()
    films = dict(zip(numbers, find_films(place, [_film_name(store, number) for number in numbers]), strict=True))
    names = sequence_names(store)
    sizes = []
    for number, path in films.items():
        with closing(Film(path, _first(names[number]))) as film:
            need_fit(film, names[number], store.frames("box", positions[sequences == number]))
            sizes.append(fitted(film.size, (SIDE, SIDE)))
    width, height = (max(side) for side in zip(*sizes, strict=True))
    return Footage({names[number]: path for number, path in films.items()}, evened((width, height)))


def filmed(scenes: Iterator[Scene], footage: Footage) -> Iterator[Scene]:
    """The scenes with their backdrops. A film is open as long as frames of it follow each other.

    Raises:
        BadInputError: if a film has no such frame.
    """
    film: Film | None = None
    try:
        for scene in scenes:
            path, first = footage.films[scene.sequence], _first(scene.sequence)
            if film is None or (film.path, film.first) != (path, first):
                if film is not None:
                    film.close()
                film = Film(path, first)
            yield replace(scene, backdrop=backdrop(film.frame(scene.number), scene.box, footage.panel))
    finally:
        if film is not None:
            film.close()


def backdrop(picture: Picture, box: Floats, panel: tuple[int, int]) -> Backdrop:
    """A frame as large as fits into a panel, in its middle.

    Args:
        picture: (h, w, 3).
        box: (4,) x0 y0 x1 y1 in its pixels, whose numbers mean their middles; NaN = none.
        panel: (width, height) in pixels.
    """
    old = (picture.shape[1], picture.shape[0])
    new = fitted(old, panel)
    corner = [(room - side) // 2 for room, side in zip(panel, new, strict=True)]
    drawn = np.full((panel[1], panel[0], 3), PAPER, np.uint8)
    smooth = cv2.INTER_AREA if new[0] < old[0] else cv2.INTER_LINEAR
    resized = cv2.resize(picture, new, interpolation=smooth)
    drawn[corner[1] : corner[1] + new[1], corner[0] : corner[0] + new[0]] = resized
    return Backdrop(drawn, np.tile(corner, 2) + (box + 0.5) * np.tile(np.divide(new, old), 2))


def fitted(size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the same shape that has room."""
    zoom = min(room[0] / size[0], room[1] / size[1])
    return max(1, round(size[0] * zoom)), max(1, round(size[1] * zoom))


def evened(size: tuple[int, int]) -> tuple[int, int]:
    """The next even size: of any other players refuse a film."""
    return size[0] + size[0] % 2, size[1] + size[1] % 2


def _film_name(store: Store, sequence: int) -> str:
    return film_name(*(str(store[f"sequence_{column}"][sequence]) for column in ("dataset", "video", "name")))


def _first(sequence: str) -> int:
    """Number of the first frame of its film."""
    return first_number(sequence.partition("/")[0])


def need_fit(film: Film, sequence: str, boxes: NDArray[np.floating]) -> None:
    """Raise BadInputError if boxes seem to be of another film.

    A box may reach over the edge of a film; its middle, where somebody is, may not.
    """
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    needed = np.ceil(np.nan_to_num(middles).max(axis=0)).astype(int).tolist()
    if needed[0] > film.size[0] or needed[1] > film.size[1]:
        what = (
            f"expected frames larger than {needed[0]} x {needed[1]} pixels, where boxes of {sequence} have their middle"
        )
        raise BadInputError(f"{film.path}: {what}, found {film.size[0]} x {film.size[1]}; is it another film or size?")
