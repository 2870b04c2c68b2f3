"""Refined keypoints as files. A file of keypoints written as its own kind stays what it was, but for the points."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.errors import ChoiceError
from posedata.formats.keypoints.coco import coco_with
from posedata.formats.keypoints.jointmap import JointMap
from posedata.formats.keypoints.kinds import kind_of
from posedata.formats.keypoints.mediapipe import mediapipe_with
from posedata.formats.keypoints.movement import movement_with
from posedata.formats.keypoints.results import results_with
from posedata.formats.keypoints.table import table_with, written
from posedata.formats.keypoints.tracks import DECIMALS, Track
from posedata.geometry import to_grid
from posedata.heatmaps import gaussians
from posedata.movement import poses_dataset
from posedata.skeleton import KEYPOINTS, K
from posetrain.detections import detections
from posetrain.predict.inputs import Given, netcdf_reader

_SEEN = 2
"""v of a COCO keypoint of which no confidence is told: labelled and visible."""

_LAST = 999_999
"""Number of the last frame of a film of nine hours. A frame that is passed over costs time and a line of zeros, too."""

_MOST_CELLS = 2_000_000
"""Frames times people: 1.2 GB of points and confidence."""

_LEAST = 10.0**-DECIMALS
"""In place of a confidence of 0, for v = 0 would say that the keypoint is missing."""


@dataclass(frozen=True, eq=False)
class Refined:
    """One person's keypoints.

    Attributes:
        name: "" for one who has none.
        fps: NaN where unknown.
        track: refined, in pixels.
        given: (T, 25, 2) pixels, what they were; NaN = missing.
    """

    name: str
    fps: float
    track: Track
    given: NDArray[np.float64]


Write = Callable[[Path, Iterable[Refined], Given], None]


def find_writer(out: Path, given: Given, heatmaps: bool = False) -> Write:
    """What writes a file of that ending; if the input is of the same kind, its own content with other points.

    Args:
        out: the file.
        given: the input.
        heatmaps: whether it is to hold those, as a detector's file does, in place of points.

    Raises:
        ChoiceError: if the ending is of no kind that is known, or a file of that kind cannot hold the input.
        ModuleNotFoundError: if a package that writes it is not installed.
    """
    ending = out.suffix.lower()
    if heatmaps:
        return _heatmap_writer(out, given)
    own = _own_writers(given)
    if ending not in _NEW | own:
        raise ChoiceError(f"--out {out}: expected a name that ends in {', '.join(_NEW | own)}, found {out.name}")
    for package in ("xarray", "h5netcdf") if ending == ".nc" else ():
        if not find_spec(package):
            raise ModuleNotFoundError(name=package)
    videos = {person.video for person in given.people}
    if ending in _OF_ONE_VIDEO and len(videos) > 1:
        raise ChoiceError(
            f"--out {out}: expected sequences of one video in a {ending} file, found those of {len(videos)}; choose "
            "with --sequence, or write a .csv or .npz"
        )
    shown = len(np.unique(np.concatenate([person.frame_number for person in given.people])))
    if ending == ".nc" and ending not in own and shown * len(given.people) > _MOST_CELLS:
        raise ChoiceError(
            f"--out {out}: expected at most {_MOST_CELLS:,} frames times people, for a .nc file has all people in "
            f"each, found {shown:,} frames and {len(given.people):,} people; write a .csv or .npz"
        )
    return (_NEW | own)[ending]


def _heatmap_writer(out: Path, given: Given) -> Write:
    if out.suffix.lower() != ".npz":
        raise ChoiceError(f"--out {out}: expected a name that ends in .npz with --heatmaps, found {out.name}")
    if len(given.people) != 1:
        raise ChoiceError(
            f"--heatmaps: expected one person, of whom a detector's file tells, found {len(given.people)} in "
            f"{given.path}; choose one of a store with --sequence, or write points"
        )
    last = int(given.people[0].frame_number[-1])
    if last > _LAST:
        raise ChoiceError(
            f"--heatmaps: expected frames numbered from 0 to {_LAST:,}, for a detector's file has all up to the last, "
            f"found {last:,} in {given.path}; write points"
        )
    return _new_heatmaps


def _own_writers(given: Given) -> dict[str, Write]:
    """Ending of a file of the input's own kind -> what writes it."""
    if given.joints is None:
        return {}
    ending = given.path.suffix.lower()
    kind = kind_of(given.path) if ending in (".json", ".jsonl") else None
    if kind == "results":
        return {".json": _own_results}
    if kind == "mediapipe":
        return {".json": _own_mediapipe_list, ".jsonl": _own_mediapipe_lines}
    return {ending: _OWN[ending]} if ending in _OWN else {}


def _tracks(people: Iterable[Refined]) -> dict[str, Track]:
    return {person.name: person.track for person in people}


def _own_table(path: Path, people: Iterable[Refined], given: Given) -> None:
    _write_rows(path, table_with(given.path, _map(given).need_joints(given.path), _tracks(people)))


def _own_coco(path: Path, people: Iterable[Refined], given: Given) -> None:
    _write_json(path, coco_with(given.path, _map(given), _tracks(people)))


def _own_results(path: Path, people: Iterable[Refined], given: Given) -> None:
    _write_json(path, results_with(given.path, _map(given), _tracks(people)))


def _own_mediapipe_list(path: Path, people: Iterable[Refined], given: Given) -> None:
    with path.open("w", encoding="utf-8") as file:
        for i, entry in enumerate(mediapipe_with(given.path, _map(given), _tracks(people))):
            file.write(f"{',' if i else '['}\n{json.dumps(entry)}")
        file.write("\n]\n")


def _own_mediapipe_lines(path: Path, people: Iterable[Refined], given: Given) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(entry)}\n" for entry in mediapipe_with(given.path, _map(given), _tracks(people)))


def _own_movement(path: Path, people: Iterable[Refined], given: Given) -> None:
    with closing(netcdf_reader()) as netcdf:
        dataset = movement_with(given.path, _map(given).need_joints(given.path), netcdf, _tracks(people))
    dataset.to_netcdf(path, engine="h5netcdf")


def _map(given: Given) -> JointMap:
    if given.joints is None:
        raise ValueError("only a file of keypoints has a kind of its own")
    return given.joints


def _new_table(path: Path, people: Iterable[Refined], given: Given) -> None:
    """One person after the other; rows as `posedata.formats.keypoints.table` reads them."""
    named = any(person.name for person in given.people)

    def rows() -> Iterable[list[str]]:
        yield ["frame", *(["person"] if named else []), "joint", "x", "y", "confidence"]
        for person in people:
            track = person.track
            for frame, pose, told in zip(track.frame_number.tolist(), track.points, track.confidence, strict=True):
                first = [str(frame), *([person.name] if named else [])]
                for joint, point, one in zip(KEYPOINTS, pose, told, strict=True):
                    yield [*first, joint, *written(point), *written(one[None])]

    _write_rows(path, rows())


def _new_coco(path: Path, people: Iterable[Refined], given: Given) -> None:
    """As `posedata.formats.keypoints.coco` reads it; the number of a frame is the id of its image."""
    tracks = _tracks(people)
    sides = {"width": given.width, "height": given.height}
    size = {name: side for name, side in sides.items() if side is not None}
    images = [{"id": frame, "frame_id": frame, **size} for frame in _frames(tracks).tolist()]
    annotations: list[dict[str, Any]] = []
    for name, track in tracks.items():
        shown = np.where(np.isnan(track.confidence), _SEEN, np.maximum(track.confidence, _LEAST))
        poses = np.concatenate([track.points, shown[..., None]], axis=-1).round(DECIMALS)
        present = ~np.isnan(track.points).any(axis=-1)
        poses[~present] = 0
        for frame, pose, count in zip(track.frame_number.tolist(), poses, present.sum(axis=1).tolist(), strict=True):
            who = {"track_id": name} if name else {}
            about = {"id": len(annotations) + 1, "image_id": frame, "category_id": 1, **who, "num_keypoints": count}
            annotations.append(about | {"keypoints": pose.ravel().tolist()})
    categories = [{"id": 1, "name": "person", "keypoints": list(KEYPOINTS)}]
    _write_json(path, {"images": images, "annotations": annotations, "categories": categories})


def _new_movement(path: Path, people: Iterable[Refined], given: Given) -> None:
    """As `posedata.formats.keypoints.movement` reads it; who is not in a frame is missing in it."""
    people = list(people)
    frames = _frames(_tracks(people))
    points = np.full((len(frames), K, len(people), 2), np.nan)
    confidence = np.full((len(frames), K, len(people)), np.nan)
    for i, person in enumerate(people):
        rows = np.searchsorted(frames, person.track.frame_number)
        points[rows, :, i], confidence[rows, :, i] = person.track.points, person.track.confidence
    names = [person.name or given.path.stem for person in people]
    poses_dataset(points, confidence, frames, people[0].fps, KEYPOINTS, names).to_netcdf(path, engine="h5netcdf")


def _new_arrays(path: Path, people: Iterable[Refined], given: Given) -> None:
    """All people's frames in one row: N frames of S people."""
    del given
    people = list(people)
    tracks = [person.track for person in people]
    arrays: dict[str, NDArray[Any]] = {
        "points": np.concatenate([track.points for track in tracks]),
        "confidence": np.concatenate([track.confidence for track in tracks]),
        "frame_number": np.concatenate([track.frame_number for track in tracks]),
        "person": np.repeat(np.arange(len(tracks)), [len(track.frame_number) for track in tracks]),
        "person_name": np.asarray([person.name for person in people]),
        "person_fps": np.asarray([person.fps for person in people]),
        "keypoint": np.asarray(KEYPOINTS),
    }
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _new_heatmaps(path: Path, people: Iterable[Refined], given: Given) -> None:
    """As `posedata.formats.climbalong` reads a detector's; frames in which the person is not have no box."""
    ((person,), (about,)) = people, given.people
    numbers, boxes = person.track.frame_number, about.boxes[about.there].astype(np.float32)
    boxed = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(axis=1))
    of_all = np.zeros((int(numbers[-1]) + 1, 4), np.float32)
    of_all[numbers[boxed]] = boxes[boxed]
    grid = to_grid(person.track.points, boxes.astype(np.float64))
    with detections(path, of_all) as add:
        for i in boxed:
            add(int(numbers[i]), gaussians(grid[i]))


_NEW: dict[str, Write] = {".csv": _new_table, ".json": _new_coco, ".npz": _new_arrays, ".nc": _new_movement}
_OWN: Mapping[str, Write] = {".csv": _own_table, ".json": _own_coco, ".nc": _own_movement}
_OF_ONE_VIDEO = (".json", ".nc")


def _frames(tracks: Mapping[str, Track]) -> NDArray[np.int64]:
    """Numbers of the frames that anybody is in, rising."""
    return np.unique(np.concatenate([track.frame_number for track in tracks.values()]))


def _write_rows(path: Path, rows: Iterable[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _write_json(path: Path, content: Any) -> None:
    with path.open("w", encoding="utf-8") as file:
        json.dump(content, file)
        file.write("\n")
