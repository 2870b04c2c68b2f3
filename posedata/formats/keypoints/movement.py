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
from posedata.formats.base import MOST_BYTES, to_floats
from posedata.formats.child import ChildReader
from posedata.formats.keypoints.tracks import MOST_NUMBER, MOST_POSES, Faults, Joints, Recording, Track, slots
from posedata.skeleton import K

if TYPE_CHECKING:
    import xarray

_DIMS = ("time", "space", "keypoints", "individuals")
_NAMES = ("position", "confidence", *_DIMS, "fps", "time_unit", "ds_type")
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
    fps = float(found["fps"]) if "fps" in found else None
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
    dims = {"position": _DIMS, "confidence": ("time", "keypoints", "individuals")}
    made = {name: (dims[name], array) for name, array in (found | {"position": position}).items() if name in dims}
    told = {name: array.item() for name, array in found.items() if name not in (*dims, *_DIMS)}
    coordinates = {name: (name, found[name]) for name in _DIMS}
    return xarray.Dataset(made, coordinates, {"source_software": "posedata", "ds_type": "poses"} | told)


def load_netcdf(path: Path, names: list[str]) -> dict[str, Any]:
    """Variables, coordinates and attributes of those names that a netCDF file has; may crash the process."""
    import xarray

    with path.open("rb") as file:
        is_classic = file.read(3) == b"CDF"
    # Named, so that the same file is read alike whatever is installed; netCDF4 tries damaged ones again for seconds.
    with xarray.open_dataset(path, engine="scipy" if is_classic else "h5netcdf", decode_times=False) as dataset:
        lost = [name for name in ("position", *_DIMS) if name not in dataset.variables]
        if lost:
            raise ValueError(f"no {', '.join(lost)}; is it a dataset of poses?")
        size = sum(dataset.variables[name].nbytes for name in names if name in dataset.variables)
        if size > MOST_BYTES:
            raise ValueError(f"{size:,} bytes of values, which is too large to be meant")
        dims = {"position": _DIMS, "confidence": ("time", "keypoints", "individuals")}
        found = {name: _values(dataset[name], dims.get(name, (name,))) for name in names if name in dataset.variables}
        return found | {name: np.asarray(dataset.attrs[name]) for name in names if name in dataset.attrs}


def _values(variable: "xarray.DataArray", dims: tuple[str, ...]) -> NDArray[Any]:
    values = variable.transpose(*dims).values
    return np.asarray([str(value) for value in values]) if values.dtype == object else values


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
        times = times * float(found["fps"])
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
