"""A detector over a film, from boxes to files in ClimbAlong's layout."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from posedata.ahead import ahead
from posedata.errors import BadInputError, ChoiceError
from posedata.files import whole_file
from posedata.progress import Progress, silent
from posetrain.detect.boxes import Boxes, Floats, need_within, read_boxes, write_boxes
from posetrain.detect.frames import Footage, open_footage
from posetrain.detect.network import Detector, heatmaps_of, open_detector
from posetrain.detect.people import SCORE, PersonDetector
from posetrain.detect.tracks import SHORTEST, Track, filled, linked, square_of
from posetrain.detections import detections

_MOST_PEOPLE = 200
"""Files that are open at once."""


class Who(NamedTuple):
    """Where boxes are from.

    Attributes:
        boxes: a file of them, see `posetrain.detect.boxes`; None where people are looked for.
        people: folder of a detector of people, see `posetrain.detect.people`; None where boxes are given.
        score: of a person who is found, at least.
    """

    boxes: Path | None = None
    people: Path | None = None
    score: float = SCORE


def detect(
    run: Path,
    film: Path,
    out: Path,
    who: Who,
    device: torch.device,
    batch_size: int = 8,
    overwrite: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Run a detector over a film; makes `input/NAME.npz`, or one `input/NAME-PERSON.npz` for each person.

    Frame n of a file is frame n of the film; one in which somebody has no box has none there.

    Args:
        run: of the detector.
        film: a film, or a folder of pictures.
        out: folder that the files go into; others may be in it. Boxes that were found go to `boxes/NAME.csv` there.
        who: where boxes are from.
        device: where the networks run.
        batch_size: frames, and then crops, at once.
        overwrite: whether files that are there may be replaced.
        progress: told of frames and crops.

    Returns:
        What was done, for a report.

    Raises:
        BadInputError: if there is no such run, film or file of boxes, it cannot be read, they do not fit each other, or
            there is nobody.
        ChoiceError: if the run is no detector's.
        ConflictError: if a file is there.
        IntegrityError: if files of the run are damaged.
    """
    if out.exists() and not out.is_dir():
        raise ChoiceError(f"--out {out}: expected a folder, found a file")
    detector = open_detector(run, device)
    with open_footage(film) as footage:
        people, warnings = _people(footage, who, device, batch_size, progress)
        tracks = [filled(name, boxes, footage.frames) for name, boxes in people.items()]
        files = [out / "input" / f"{_file_name(footage, track)}.npz" for track in tracks]
        found = [] if who.boxes else [out / "boxes" / f"{footage.name}.csv"]
        begun = time.monotonic()
        with ExitStack() as stack:
            for path in found:
                write_boxes(stack.enter_context(whole_file(path, overwrite)), people.items())
            parts = [stack.enter_context(whole_file(path, overwrite)) for path in files]
            _fill(parts, tracks, footage, detector, device, batch_size, progress)
        seconds = time.monotonic() - begun
        crops = sum(len(track.frames) for track in tracks)
        return {
            "out": str(out),
            "model": detector.name,
            "epoch": detector.epoch,
            "film": str(film),
            "frames": len(footage.frames),
            "crops": crops,
            "people": [_told(footage, *pair) for pair in zip(tracks, files, strict=True)],
            "boxes": [str(path) for path in found],
            "crops_per_second": round(crops / max(seconds, 1e-9), 1),
            "warnings": [*footage.warnings, *warnings, *_left_behind(footage, files)],
        }


def _people(
    footage: Footage, who: Who, device: torch.device, at_once: int, progress: Progress
) -> tuple[dict[str, Boxes], list[str]]:
    """Boxes by person, and what there is to say of them."""
    if who.boxes is not None:
        given = read_boxes(who.boxes)
        need_within(who.boxes, given, footage.frames, footage.path, footage.size)
        tracks, warnings = given, []
    elif who.people is not None:
        tracks, short = _found(footage, PersonDetector(who.people, who.score, device), at_once, progress)
        warnings = [f"{short:,} tracks of fewer than {SHORTEST} boxes are left out"] if short else []
        if not tracks:
            raise BadInputError(
                f"{footage.path}: expected somebody in {SHORTEST} frames at least, found nobody; lower --people-score, "
                "or give --boxes"
            )
    else:
        raise ChoiceError("expected a file of boxes or a detector of people, found neither")
    if len(tracks) > _MOST_PEOPLE:
        what = f"expected at most {_MOST_PEOPLE} people, found {len(tracks):,}"
        raise BadInputError(f"{who.boxes or footage.path}: {what}; raise --people-score, or cut the film")
    return tracks, warnings


def _found(
    footage: Footage, detector: PersonDetector, at_once: int, progress: Progress
) -> tuple[dict[str, Boxes], int]:
    """The tracks of people who are found, numbered from 1, and how many were too short."""
    with (
        progress("finding people", len(footage.frames), "frames") as advance,
        closing(ahead(footage.pictures(at_once))) as batches,
    ):

        def boxes() -> Iterator[tuple[int, Floats]]:
            for numbers, pictures in batches:
                yield from zip(numbers, detector.find(pictures), strict=True)
                advance(len(numbers))

        tracks, short = linked(boxes())
    return {str(i): track for i, track in enumerate(tracks, start=1)}, short


def _fill(
    parts: Sequence[Path],
    tracks: Sequence[Track],
    footage: Footage,
    detector: Detector,
    device: torch.device,
    at_once: int,
    progress: Progress,
) -> None:
    """Write the files of all people, as the frames come."""
    crops = sum(len(track.frames) for track in tracks)
    with ExitStack() as stack, progress("detecting", crops, "crops") as advance:
        add = [
            stack.enter_context(detections(part, _corners(track, footage)))
            for part, track in zip(parts, tracks, strict=True)
        ]
        # Closed before the film is, or its thread would read on.
        for cuts in stack.enter_context(closing(ahead(footage.cuts(tracks, at_once)))):
            found = heatmaps_of(detector, np.stack([each.pixels for each in cuts]), device)
            for each, heatmaps in zip(cuts, found, strict=True):
                add[each.track](each.frame, heatmaps)
            advance(len(cuts))


def _corners(track: Track, footage: Footage) -> NDArray[np.float32]:
    """(T, 4) x0 y0 x1 y1 of what the heatmaps lie on, from frame 0 to the last of the film; zeros where none does."""
    corners = np.zeros((footage.frames[-1] + 1, 4), np.float32)
    corners[track.frames] = [square_of(box, footage.size).corners for box in track.boxes]
    return corners


def _file_name(footage: Footage, track: Track) -> str:
    return f"{footage.name}-{track.person}" if track.person else footage.name


def _told(footage: Footage, track: Track, path: Path) -> dict[str, Any]:
    there = len(track.frames)
    return {
        "person": track.person,
        "file": str(path),
        "first_frame": int(track.frames[0]),
        "last_frame": int(track.frames[-1]),
        "frames": there,
        "frames_filled": track.filled,
        "frames_without_box": footage.frames[-1] + 1 - there,
    }


def _left_behind(footage: Footage, files: Sequence[Path]) -> list[str]:
    """Files that seem to be of an earlier pass over the same film: a build would take them, too."""
    others = sorted(set(files[0].parent.glob(f"{footage.name}-*.npz")) - {*files})
    if not others:
        return []
    names = ", ".join(path.name for path in others)
    return [f"{files[0].parent} also holds {names}: if they are of an earlier pass over this film, remove them"]
