"""Datasets of the package `movement` (https://movement.neuroinformatics.dev), saved as netCDF. Extra `[movement]`.

    position    (time, space, keypoints, individuals) pixels, space = x, y
    confidence  (time, keypoints, individuals), optional
    time, space, keypoints, individuals      coordinates
    attributes  ds_type "poses"; time_unit "seconds", and then fps, or "frames"

Every individual is a sequence. NaN is missing; a confidence of NaN is not told. Frames are numbered time * fps.
The file is read in a child process: HDF5 prints, and on damaged files may crash.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError
from posedata.formats.base import to_floats
from posedata.formats.keypoints.tracks import MOST_NUMBER, MOST_POSES, Faults, Joints, Recording, Track, slots
from posedata.isolated.child import ChildReader
from posedata.isolated.netcdf import COORDINATES, VARIABLES
from posedata.skeleton import K

if TYPE_CHECKING:
    import xarray

_NAMES = (*VARIABLES, *COORDINATES, "fps", "time_unit", "ds_type")
_NUMBERS = {"position", "confidence", "time", "fps"}
_WORDS: dict[str, list[object]] = {"space": [["x", "y"]], "ds_type": ["poses"], "time_unit": ["seconds", "frames"]}
_OFF = 0.01
"""Frames: times that lie further from a whole number of frames are of another rate."""


def read_movement(path: Path, joints: Joints, reader: ChildReader) -> Recording:
    """The individuals of a netCDF file.

    Raises:
        BadInputError: with all its faults.
        ModuleNotFoundError: if a package that reads netCDF is not installed.
    """
    for package in ("xarray", "h5netcdf"):
        if not find_spec(package):
            raise ModuleNotFoundError(name=package)
    found = reader.read(path, _NAMES)
    faults = Faults(path)
    _check(found, faults)
    faults.check()
    number = _numbers(found, faults)
    try:
        places = slots(found["keypoints"].tolist(), joints)
    except BadInputError as error:
        faults.add(f"keypoints: {error}")
    faults.check()
    fps = float(found["fps"].item()) if "fps" in found else None
    return Recording(_tracks(found, places, number), fps=fps)


def movement_with(path: Path, joints: Joints, reader: ChildReader, tracks: Mapping[str, Track]) -> "xarray.Dataset":
    """What `read_movement` reads of a file, as a dataset, with other points of the same people and frames.

    Individuals, keypoints, times and confidence stay, and so do positions of what becomes no keypoint; variables and
    attributes that are not read are not there.
    """
    import xarray

    found = reader.read(path, _NAMES)
    position = to_floats(found["position"])
    for joint, place in enumerate(slots(found["keypoints"].tolist(), joints)):
        if place is not None:
            for i, person in enumerate(found["individuals"].tolist()):
                position[:, :, joint, i] = tracks[person].points[:, place]
    made = {name: (dims, (found | {"position": position})[name]) for name, dims in VARIABLES.items() if name in found}
    told = {name: array.item() for name, array in found.items() if name not in (*VARIABLES, *COORDINATES)}
    coordinates = {name: (name, found[name]) for name in COORDINATES}
    return xarray.Dataset(made, coordinates, {"source_software": "posedata", "ds_type": "poses"} | told)


def _check(found: dict[str, NDArray[Any]], faults: Faults) -> None:
    """Find what is wrong with dtypes, words and sizes; shapes agree, as netCDF's dimensions do."""
    for name, array in found.items():
        kinds, expected = ("uif", "numbers") if name in _NUMBERS else ("U", "text")
        if array.dtype.kind not in kinds:
            faults.add(f"{name}: expected {expected}, found {array.dtype}")
    for name, choices in _WORDS.items():
        if name in found and found[name].tolist() not in choices:
            words = " or ".join(map(str, choices))
            faults.add(f"{name}: expected {words}, found {found[name].tolist()!r:.60}")
    fps, names, frames = found.get("fps"), found["individuals"].tolist(), len(found["time"])
    if fps is not None and not (fps.size == 1 and fps.dtype.kind in "uif" and 0 < fps <= 1000):
        faults.add(f"fps: expected above 0 and at most 1000, found {fps.tolist()!r:.60}")
    if not all(names) or len(set(names)) < len(names):
        faults.add(f"individuals: expected names, each once, found {names!r:.80}")
    if not 0 < frames * len(names) <= MOST_POSES:
        faults.add(
            f"position: expected 1 to {MOST_POSES:,} poses, found {frames:,} frames of {len(names):,} individuals"
        )


def _numbers(found: dict[str, NDArray[Any]], faults: Faults) -> NDArray[np.int64]:
    """(T,) frame numbers."""
    times = to_floats(found["time"])
    if "time_unit" in found and found["time_unit"] == "seconds":
        if "fps" not in found:
            faults.add("fps: expected beside times in seconds, found none")
            return np.empty(0, np.int64)
        times = times * float(found["fps"].item())
    wrong = ~(np.abs(times - np.round(times)) <= _OFF) | ~((times > -0.5) & (times < MOST_NUMBER + 0.5))
    if wrong.any():
        at = int(np.argmax(wrong))
        faults.add(f"time: expected whole frames from 0 to {MOST_NUMBER}, found {found['time'][at]} at {at}")
        return np.empty(0, np.int64)
    return np.round(times).astype(np.int64)


def _tracks(found: dict[str, NDArray[Any]], places: list[int | None], number: NDArray[np.int64]) -> dict[str, Track]:
    position = to_floats(found["position"])
    told = to_floats(found["confidence"]) if "confidence" in found else None
    tracks = {}
    for i, person in enumerate(found["individuals"].tolist()):
        points, confidence = np.full((len(number), K, 2), np.nan), np.full((len(number), K), np.nan)
        for joint, place in enumerate(places):
            if place is not None:
                points[:, place] = position[:, :, joint, i]
                if told is not None:
                    confidence[:, place] = told[:, joint, i]
        tracks[person] = Track(number, points, confidence)
    return tracks
