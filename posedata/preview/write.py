"""From a store to a picture, a film, a page or a recording: choose, read, draw, publish; or to a viewer."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from posedata.errors import ChoiceError
from posedata.files import need_outside, whole_file
from posedata.preview.about import UNKNOWN_RATE, About, title_of
from posedata.preview.choose import Wanted, chosen_frames
from posedata.preview.scenes import Scene, read_scenes
from posedata.progress import Progress
from posedata.store.reader import Store, open_store
from posedata.store.views import sequence_names

Write = Callable[[Path, Iterator[Scene], About], None]

SHEET = ".png"
ENDINGS = (SHEET, ".gif", ".mp4", ".html", ".rrd")


def write_preview(
    path: Path, out: Path, wanted: Wanted, overwrite: bool, progress: Progress, video: Path | None = None
) -> About:
    """Draw frames of a store into a file, whose ending says what it is.

    Args:
        path: the store.
        out: file to make: .png, .gif, .mp4, .html or .rrd.
        wanted: what is to be shown.
        overwrite: whether a file that stands there may be replaced.
        progress: told of the frames.
        video: film or folder of films to draw over, see `posedata.preview.overlay.find_footage`.

    Returns:
        What is shown.

    Raises:
        BadInputError: if there is no such store, sequence, frame or film.
        ChoiceError: if the ending is none of these, a page would be too large, `out` lies in the store, or `video` does
            not go with the frames.
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
        return _draw(path, wanted, ending == SHEET, video, progress, partial(write, part))


def show_preview(path: Path, wanted: Wanted, progress: Progress, video: Path | None = None) -> About:
    """Show frames of a store in the Rerun viewer; arguments as for `write_preview`.

    Raises:
        BadInputError: if there is no such store, sequence, frame or film.
        ChoiceError: if there is no screen, or `video` does not go with the frames.
        IntegrityError: if the store is damaged.
        RemoteError: if the viewer does not begin.
    """
    from posedata.preview.viewer import need_screen, show

    need_screen()
    return _draw(path, wanted, False, video, progress, show)


def _draw(
    path: Path,
    wanted: Wanted,
    spread: bool,
    video: Path | None,
    progress: Progress,
    write: Callable[[Iterator[Scene], About], None],
) -> About:
    store = open_store(path)
    positions = chosen_frames(store, wanted, spread, progress)
    scenes = read_scenes(store, positions)
    if video is not None:
        from posedata.preview.overlay import filmed, find_footage

        scenes = filmed(scenes, find_footage(store, positions, video))
    numbers = list(dict.fromkeys(store.frame_sequence[positions].tolist()))
    names = sequence_names(store)
    about = About(
        title_of(store),
        store.manifest.content_digest,
        len(positions),
        [names[number] for number in numbers],
        video is not None,
        _rate(store, numbers),
    )
    with progress("drawing", len(positions), "frames") as advance:
        write(_told(scenes, advance), about)
    return about


def _writer(ending: str) -> Write:
    """Only the packages that it needs are imported."""
    if ending == ".html":
        from posedata.preview.page import write_html

        return write_html
    if ending == ".rrd":
        from posedata.preview.recording import write_rrd

        return write_rrd
    from posedata.preview import films

    return {SHEET: films.write_png, ".gif": films.write_gif, ".mp4": films.write_mp4}[ending]


def _told(scenes: Iterator[Scene], advance: Callable[[float], None]) -> Iterator[Scene]:
    for scene in scenes:
        yield scene
        advance(1)


def _rate(store: Store, sequences: list[int]) -> float:
    """Of a film: that of the source, or one frame of each sequence a second."""
    if len(sequences) > 1:
        return 1.0
    fps = float(store["sequence_fps"][sequences[0]])
    return fps if math.isfinite(fps) and fps > 0 else UNKNOWN_RATE
