"""NumPy: arrays in NAME.npz, as `posetrain predict` writes them.

    points        (N, J, 2) x, y in pixels; NaN = missing
    confidence    (N, J), NaN = not told; a joint of which it is 0 is missing; may be absent
    keypoint      (J,) names of the joints; may be absent, they are then those of the joint map in its order
    frame_number  (N,) whole numbers from 0; may be absent where there is one person: the rows are then the frames
    person        (N,) a number into person_name, (P,) text; both may be absent
    person_fps    (P,) frames a second, NaN = unknown; heeded where it is one; may be absent

Other arrays are not read, nor is anything that is pickled.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError, bad_file
from posedata.formats.base import npz_names, read_npz, to_floats
from posedata.formats.keypoints.jointmap import MAP_NAME, JointMap
from posedata.formats.keypoints.tracks import MOST_NUMBER, MOST_POSES, Faults, Recording, Slots, Track
from posedata.skeleton import K

_KINDS = {
    "points": ("fiu", "numbers", ("N", "J", "2")),
    "confidence": ("fiu", "numbers", ("N", "J")),
    "keypoint": ("U", "text", ("J",)),
    "frame_number": ("iu", "whole numbers", ("N",)),
    "person": ("iu", "whole numbers", ("N",)),
    "person_name": ("U", "text", ("P",)),
    "person_fps": ("fiu", "numbers", ("P",)),
}
"""Array -> kinds of dtype, these in words, and its dimensions."""


def read_arrays(path: Path, joint_map: JointMap) -> Recording:
    """The people of an .npz file; raises BadInputError with all its faults."""
    names = ["points", *(name for name in npz_names(path) if name in _KINDS and name != "points")]
    found = dict(zip(names, read_npz(path, *names), strict=True))
    faults = Faults(path)
    _check(found, faults)
    faults.check()
    rows, count = found["points"].shape[:2]
    places = _places(path, joint_map, found, count)
    if count != len(places):
        whence = "keypoint names" if "keypoint" in found else f"{MAP_NAME} beside the file can name"
        raise bad_file(path, [f"points: expected {len(places)} joints, which {whence}, found {count}"])
    number = found.get("frame_number", np.arange(rows)).astype(np.int64)
    person = found.get("person", np.zeros(rows, np.int64)).astype(np.int64)
    called = found["person_name"].tolist() if "person" in found else [""]
    order = np.lexsort((number, person))
    edges = np.searchsorted(person[order], np.arange(len(called) + 1))
    own = {name: order[a:b] for name, a, b in zip(called, edges, edges[1:], strict=False) if a < b}
    tracks = {name: _track(found, places, number, rows) for name, rows in own.items()}
    for name, track in tracks.items():
        twice = track.frame_number[1:][np.diff(track.frame_number) == 0]
        if twice.size:
            whom = f" of {name}" if name else ""
            faults.add(f"frame_number: expected each frame once{whom}, found {twice[0]} again")
    faults.check()
    rates = {rate for rate in found.get("person_fps", np.empty(0)).tolist() if 0 < rate <= 1000}
    return Recording(tracks, fps=rates.pop() if len(rates) == 1 else None)


def holds_heatmaps(path: Path) -> bool:
    """Whether an .npz file is a detector's, see `posedata.formats.climbalong`; raises BadInputError if it is none."""
    return not {"bboxes", "heatmaps"}.isdisjoint(npz_names(path))


def _places(path: Path, joint_map: JointMap, found: dict[str, NDArray[Any]], count: int) -> Slots:
    if "keypoint" not in found:
        return joint_map.unnamed_slots(path, count)
    joint_map.need_joints(path)  # what the map lacks is no fault of the file
    try:
        return joint_map.named_slots(path, found["keypoint"].tolist())
    except BadInputError as error:
        raise bad_file(path, [f"keypoint: {fault}" for fault in error.faults]) from error


def _check(found: dict[str, NDArray[Any]], faults: Faults) -> None:
    """Find what is wrong with dtypes, shapes and numbers."""
    sizes: dict[str, int] = {"2": 2}
    for name, (kinds, words, dims) in _KINDS.items():
        if name not in found:
            continue
        array = found[name]
        fits = array.ndim == len(dims) and all(
            sizes.setdefault(d, n) == n for d, n in zip(dims, array.shape, strict=True)
        )
        if array.dtype.kind not in kinds or not fits:
            wanted = ", ".join(str(sizes[d]) if d in sizes and name != "points" else d for d in dims)
            faults.add(f"{name}: expected {words} ({wanted}), found {array.dtype} {array.shape}")
    faults.check()
    if not 0 < sizes["N"] <= MOST_POSES:
        faults.add(f"points: expected 1 to {MOST_POSES:,} poses, found {sizes['N']:,}")
    for name, most in (("frame_number", MOST_NUMBER), ("person", sizes.get("P", MOST_NUMBER) - 1)):
        if name in found and found[name].size and not (found[name].min() >= 0 and found[name].max() <= most):
            faults.add(f"{name}: expected 0 to {most}, found {found[name].min()} to {found[name].max()}")
    if ("person" in found) != ("person_name" in found) or ("person" in found and "frame_number" not in found):
        faults.add("person, person_name, frame_number: expected all three where there are several people, found some")
    called = found["person_name"].tolist() if "person_name" in found else []
    if len(called) != len(set(called)) or ("" in called and len(called) > 1):
        faults.add(f"person_name: expected a name for each, and each once, found {called!r:.80}")


def _track(found: dict[str, NDArray[Any]], places: Slots, number: NDArray[np.int64], rows: NDArray[np.int64]) -> Track:
    """One person, by the rows that are theirs, in the order of their frames."""
    kept = [joint for joint, place in enumerate(places) if place is not None]
    into = [place for place in places if place is not None]
    points, confidence = np.full((len(rows), K, 2), np.nan), np.full((len(rows), K), np.nan)
    points[:, into] = to_floats(found["points"][rows][:, kept])
    if "confidence" in found:
        confidence[:, into] = to_floats(found["confidence"][rows][:, kept])
    points[np.isnan(points).any(axis=-1) | (confidence == 0)] = np.nan
    return Track(number[rows], points, confidence)
