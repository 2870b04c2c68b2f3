"""From a store to a picture, a film or a page: choose, read, draw, publish."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posedata.errors import ChoiceError
from posedata.files import need_outside, whole_file
from posedata.preview.about import UNKNOWN_RATE, About, title_of
from posedata.preview.choose import Ints, Wanted, chosen_frames
from posedata.preview.scenes import Scene, read_scenes
from posedata.progress import Progress
from posedata.store.reader import Store, open_store
from posedata.store.views import sequence_names

Write = Callable[[Path, Iterator[Scene], About], None]

SHEET = ".png"
ENDINGS = (SHEET, ".gif", ".mp4", ".html")


@dataclass(frozen=True)
class Shown:
    """What a preview shows: how many frames of which sequences."""

    frames: int
    sequences: list[str]


def write_preview(path: Path, out: Path, wanted: Wanted, overwrite: bool, progress: Progress) -> Shown:
    """Draw frames of a store into a file, whose ending says what it is.

    Args:
        path: the store.
        out: file to make: .png, .gif, .mp4 or .html.
        wanted: what is to be shown.
        overwrite: whether a file that stands there may be replaced.
        progress: told of the frames.

    Raises:
        BadInputError: if there is no such store, sequence or frame.
        ChoiceError: if the ending is none of these, a page would be too large, or `out` lies in the store.
        ConflictError: if `out` may not be replaced.
        IntegrityError: if the store is damaged.
        ResourceError: if the disk is full.
    """
    ending = out.suffix.lower()
    if ending not in ENDINGS:
        raise ChoiceError(f"{out}: expected a name that ends in {', '.join(ENDINGS)}, found {ending or 'no ending'}")
    need_outside(out, path)
    write = _writer(ending)
    with whole_file(out, overwrite) as part:
        store = open_store(path)
        positions = chosen_frames(store, wanted, ending == SHEET, progress)
        sequences = np.unique(store.frame_sequence[positions])
        about = About(title_of(store), store.manifest.content_digest, len(positions), _rate(store, sequences))
        with progress("drawing", len(positions), "frames") as advance:
            write(part, _told(read_scenes(store, positions), advance), about)
    names = sequence_names(store)
    return Shown(len(positions), [names[n] for n in dict.fromkeys(store.frame_sequence[positions].tolist())])


def _writer(ending: str) -> Write:
    """Only the packages that it needs are imported."""
    if ending == ".html":
        from posedata.preview.page import write_html

        return write_html
    from posedata.preview import films

    return {SHEET: films.write_png, ".gif": films.write_gif, ".mp4": films.write_mp4}[ending]


def _told(scenes: Iterator[Scene], advance: Callable[[float], None]) -> Iterator[Scene]:
    for scene in scenes:
        yield scene
        advance(1)


def _rate(store: Store, sequences: Ints) -> float:
    """Of a film: that of the source, or one frame of each sequence a second."""
    if len(sequences) > 1:
        return 1.0
    fps = float(store["sequence_fps"][sequences[0]])
    return fps if math.isfinite(fps) and fps > 0 else UNKNOWN_RATE
