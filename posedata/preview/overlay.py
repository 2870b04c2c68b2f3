"""Frames of a store before the film that they were annotated on."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError, ChoiceError
from posedata.preview.colours import PAPER
from posedata.preview.footage import FILMS, Film, Picture, numbered_pictures
from posedata.preview.scenes import Backdrop, Floats, Scene
from posedata.store.reader import Store
from posedata.store.views import sequence_names

SIDE = 640
"""Pixels of a backdrop's longer side."""

_FIRST = {"brace": 1, "penn_action": 1, "speed21": 1}
"""Dataset -> the number that its annotations give to the first frame of a film; 0 for all others."""

_CUT = ("speed21",)
"""Datasets that number the frames of each sequence from its own beginning: its film is that much, cut out."""


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
    if _resampled(store.attributes["recipe"]):
        raise ChoiceError(f"--video: expected a store of its source's own frames, found {store.path.name} resampled")
    sequences = store.frame_sequence[positions]
    numbers = np.unique(sequences).tolist()
    films = dict(zip(numbers, _films(place, [_film_name(store, number) for number in numbers]), strict=True))
    names = sequence_names(store)
    sizes = []
    for number, path in films.items():
        with closing(_opened(path, names[number])) as film:
            _need_fit(film, names[number], store.frames("box", positions[sequences == number]))
            sizes.append(_fitted(film.size, (SIDE, SIDE)))
    width, height = (2 * -(-max(side) // 2) for side in zip(*sizes, strict=True))
    return Footage({names[number]: path for number, path in films.items()}, (width, height))


def filmed(scenes: Iterator[Scene], footage: Footage) -> Iterator[Scene]:
    """The scenes with their backdrops. A film is open as long as frames of it follow each other.

    Raises:
        BadInputError: if a film has no such frame.
    """
    film: Film | None = None
    try:
        for scene in scenes:
            path = footage.films[scene.sequence]
            if film is None or film.path != path:
                if film is not None:
                    film.close()
                film = _opened(path, scene.sequence)
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
    new = _fitted(old, panel)
    corner = [(room - side) // 2 for room, side in zip(panel, new, strict=True)]
    drawn = np.full((panel[1], panel[0], 3), PAPER, np.uint8)
    smooth = cv2.INTER_AREA if new[0] < old[0] else cv2.INTER_LINEAR
    resized = cv2.resize(picture, new, interpolation=smooth)
    drawn[corner[1] : corner[1] + new[1], corner[0] : corner[0] + new[0]] = resized
    return Backdrop(drawn, np.tile(corner, 2) + (box + 0.5) * np.tile(np.divide(new, old), 2))


def _fitted(size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the same shape that has room."""
    zoom = min(room[0] / size[0], room[1] / size[1])
    return max(1, round(size[0] * zoom)), max(1, round(size[1] * zoom))


def _resampled(recipe: Mapping[str, Any]) -> bool:
    return "fps" in recipe or any(_resampled(parent["recipe"]) for parent in recipe.get("parents", ()))


def _film_name(store: Store, sequence: int) -> str:
    """What the film of a sequence is called, without its ending."""
    cut = store["sequence_dataset"][sequence] in _CUT
    # A video may be an address, of which the last part is a name.
    return PurePosixPath(store["sequence_name" if cut else "sequence_video"][sequence]).name


def _films(place: Path, names: list[str]) -> list[Path]:
    """The film of each name."""
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


def _opened(path: Path, sequence: str) -> Film:
    return Film(path, _FIRST.get(sequence.partition("/")[0], 0))


def _need_fit(film: Film, sequence: str, boxes: NDArray[np.float32]) -> None:
    """A box may reach over the edge of a film; its middle, where somebody is, may not."""
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    needed = np.ceil(np.nan_to_num(middles).max(axis=0)).astype(int).tolist()
    if needed[0] > film.size[0] or needed[1] > film.size[1]:
        what = (
            f"expected frames larger than {needed[0]} x {needed[1]} pixels, where boxes of {sequence} have their middle"
        )
        raise BadInputError(f"{film.path}: {what}, found {film.size[0]} x {film.size[1]}; is it another film or size?")
