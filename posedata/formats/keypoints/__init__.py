"""Your own annotations, or what detectors say: files of many kinds, any mix, beside one `keypoints.json` about them.

`keypoints.json`: see `posedata.formats.keypoints.jointmap`
`NAME.json`       an object, COCO: see `posedata.formats.keypoints.coco`
`NAME.json`       results of COCO, AlphaPose or MMPose, mostly a list: see `posedata.formats.keypoints.results`
`NAME.json`       another list, or `NAME.jsonl`, MediaPipe: see `posedata.formats.keypoints.mediapipe`
`NAME.csv`        a row a joint: see `posedata.formats.keypoints.table`
`NAME.nc`         netCDF: see `posedata.formats.keypoints.movement`
`NAME.npz`        NumPy arrays: see `posedata.formats.keypoints.arrays`

A file is a video, unless `keypoints.json` says otherwise; every person in it is a sequence, called NAME, or NAME:PERSON
where the file tells people apart. Frames without any annotation at either end of a sequence are trimmed.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from posedata.errors import BadInputError, bad_file
from posedata.formats.base import need_items, need_regular
from posedata.formats.keypoints.arrays import read_arrays
from posedata.formats.keypoints.coco import read_coco
from posedata.formats.keypoints.jointmap import MAP_NAME, About, JointMap, read_map
from posedata.formats.keypoints.kinds import kind_of
from posedata.formats.keypoints.mediapipe import read_mediapipe
from posedata.formats.keypoints.movement import read_movement
from posedata.formats.keypoints.results import read_results
from posedata.formats.keypoints.table import read_table
from posedata.formats.keypoints.tracks import Recording, Track
from posedata.isolated.child import ChildReader
from posedata.isolated.netcdf import load_netcdf
from posedata.poses import Note, PoseSequence, outside_note, posed_span, trimmed_note, within_image

LICENCE = "not told: name it in keypoints.json"

SOURCE = (
    "put your .json (COCO, AlphaPose, MMPose, MediaPipe), .csv, .nc (movement) or .npz files there, and beside them a "
    "keypoints.json that explains them: docs/source-formats.md shows one; or make a synthetic tree with `posedata "
    "sample keypoints`"
)

_PATTERN = "NAME.json, NAME.jsonl, NAME.csv, NAME.nc or NAME.npz"

_UNSURE = "points below the least confidence: taken as not annotated"

_PERSON = ":"
"""Between the name of a file and that of a person in it."""


_JSON = {"coco": read_coco, "results": read_results, "mediapipe": read_mediapipe}


def _read_json(path: Path, joint_map: JointMap, netcdf: ChildReader) -> Recording:
    """The people of a .json file of any kind."""
    del netcdf
    return _JSON[kind_of(path)](path, joint_map)


READERS: Mapping[str, Callable[[Path, JointMap, ChildReader], Recording]] = {
    ".json": _read_json,
    ".jsonl": lambda path, joint_map, netcdf: read_mediapipe(path, joint_map),
    ".csv": lambda path, joint_map, netcdf: read_table(path, joint_map.need_joints(path)),
    ".nc": lambda path, joint_map, netcdf: read_movement(path, joint_map.need_joints(path), netcdf),
    ".npz": lambda path, joint_map, netcdf: read_arrays(path, joint_map),
}
"""Ending of a file -> what reads it."""


def to_sequence(name: str, track: Track, about: About, confidence: float) -> PoseSequence:
    """One person, with all frames; joints below `confidence` or outside of the image are missing.

    Raises:
        BadInputError: if the points cannot be pixels.
    """
    unsure = track.confidence < confidence
    below = int((unsure & ~np.isnan(track.points).any(axis=-1)).sum())
    points = np.where(unsure[..., None], np.nan, track.points)
    kept = within_image(points, about.width, about.height)
    return PoseSequence(
        dataset="keypoints",
        name=name,
        video=about.video,
        points=kept,
        frame_number=track.frame_number,
        fps=about.fps,
        action=about.action,
        notes=(*((Note(below, _UNSURE),) if below else ()), *outside_note(points, kept)),
    )


class Keypoints:
    """A folder with `keypoints.json` and annotations beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._map_path = root / MAP_NAME
        if not self._map_path.exists():
            raise BadInputError(f"{self._map_path}: expected a joint map, found none; {SOURCE}")
        self._map = read_map(self._map_path)
        self._netcdf = ChildReader("netCDF", load_netcdf)
        self._left: tuple[Path, dict[str, Track], Recording] | None = None

    @property
    def licence(self) -> str:
        """What the joint map says."""
        return self._map.licence or LICENCE

    @property
    def warnings(self) -> tuple[str, ...]:
        """Of annotations in folders further down, which are not read."""
        deeper = sum(path.suffix.lower() in READERS for path in self.root.glob("*/**/*"))
        return (f"{self.root}: {deeper} files in folders further down are not read; move them up",) if deeper else ()

    def close(self) -> None:
        """End the child process that reads netCDF."""
        self._netcdf.close()

    def tables(self) -> list[Path]:
        """The joint map."""
        return [self._map_path]

    def items(self) -> list[str]:
        """Names of the sequences by `name_order`: those of one file one after the other.

        Every file is read for the people in it. One that cannot be read is an item, too, called as the file is.

        Raises:
            BadInputError: if there is no file, or their names do not do.
            ModuleNotFoundError: if a .nc file is there and what reads it is not.
        """
        return list(self._people)

    def files(self, item: str) -> list[Path]:
        """The file with the person."""
        return [self._people[item][0]]

    def read(self, item: str) -> PoseSequence:
        """One person; raises BadInputError with all faults of the file."""
        path, person = self._people[item]
        track, recording = self._track(path, person)
        about = self._map.about(path.name, recording)
        of_file = recording.notes if person == min(recording.tracks) else ()  # once, and not with each person
        try:
            whole = to_sequence(item, track, about, self._map.confidence)
            span = posed_span(whole.points)
            if not whole.points[span].size:
                raise BadInputError("expected at least one annotated joint, found none")
            return replace(
                whole,
                points=whole.points[span],
                frame_number=whole.frame_number[span],
                shot=whole.shot[span],
                notes=(*of_file, *whole.notes, *trimmed_note(len(whole), span.stop - span.start)),
            )
        except BadInputError as error:
            raise bad_file(path, [f"{person}: {fault}" if person else fault for fault in error.faults]) from error

    @cached_property
    def _people(self) -> dict[str, tuple[Path, str]]:
        """File and person of each item."""
        people: dict[str, tuple[Path, str]] = {}
        for path in self._paths():
            try:
                self._left = None
                _, tracks, _ = self._left = self._read(path)
                persons = sorted(tracks)
            except BadInputError:
                persons = [""]  # whoever reads it will say why
            people |= {f"{path.stem}{_PERSON}{person}" if person else path.stem: (path, person) for person in persons}
        return people

    def _paths(self) -> list[Path]:
        found = (p for p in self.root.iterdir() if p.suffix.lower() in READERS and not p.name.startswith("."))
        names = need_items((p.name for p in found if p.name != MAP_NAME), self.root, _PATTERN)
        paths = sorted((self.root / name for name in names), key=lambda path: path.stem)  # walk.csv before walk-2.csv
        stems = Counter(path.stem for path in paths)
        faults = [f"{p}: name: expected one without {_PERSON}; rename it" for p in paths if _PERSON in p.stem]
        faults += [
            f"{p}: name: expected one file called {p.stem}, found others; rename" for p in paths if stems[p.stem] > 1
        ]
        strays = sorted(self._map.files.keys() - set(names))
        faults += [f"{self._map_path}: files.{name}: expected a file beside it, found none" for name in strays]
        if faults:
            raise BadInputError(*faults)
        return paths

    def _read(self, path: Path) -> tuple[Path, dict[str, Track], Recording]:
        need_regular(path)
        recording = READERS[path.suffix.lower()](path, self._map, self._netcdf)
        return path, dict(recording.tracks), recording

    def _track(self, path: Path, person: str) -> tuple[Track, Recording]:
        """A track of a file, which is kept until all its tracks have been handed out once."""
        if self._left is None or self._left[0] != path or person not in self._left[1]:
            self._left = self._read(path)
        _, tracks, recording = self._left
        if person not in tracks:
            raise bad_file(path, [f"expected {person or 'one person without a name'} in it as before, found no such"])
        return tracks.pop(person), recording
