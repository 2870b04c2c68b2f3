"""ClimbAlong: climbing videos with a frozen detector's output. The data is private, the layout published.

`input/NAME.npz`
    bboxes    (T, 4) x0 y0 x1 y1 in pixels; one without an area means that the detector found nobody
    heatmaps  (T, 25, 56, 56), the detector's output inside the box, negative values included
`target/NAME.npz`
    keypoints (T, 1, 25, 3) or (T, 25, 3), x y flag in pixels; missing only where all three are zero
The keypoints are the 25 of this project, in its order. 30 frames a second, numbered from 0.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posedata.errors import bad_file
from posedata.formats.base import NPZ_FAULTS, need_folder, need_items, read_npy_header, read_npz, to_floats
from posedata.geometry import GRID, count_outside
from posedata.poses import (
    OUTSIDE_BOX,
    RELATIVE,
    Detector,
    Note,
    PoseSequence,
    not_missing,
    outside_note,
    within_image,
)
from posedata.skeleton import K

LICENCE = "private"

SOURCE = (
    "ClimbAlong is private: ask its owners, and put their input/ and target/ there, "
    "or make a synthetic tree with `posedata sample climbalong`"
)

FPS = 30.0

_BLOCK = 64
"""Frames read at a time: 20 MB."""


class ClimbAlong:
    """A folder with `input/` and `target/`."""

    licence = LICENCE

    def __init__(self, root: Path) -> None:
        self.root = root
        self.warnings: tuple[str, ...] = ()
        self._input = need_folder(root, "input", SOURCE)
        self._target = need_folder(root, "target", SOURCE)

    def close(self) -> None:
        """Nothing takes long here."""

    def tables(self) -> list[Path]:
        """None."""
        return []

    def items(self) -> list[str]:
        """Names of the videos that have an input or a target."""
        names = {path.stem for folder in (self._input, self._target) for path in folder.glob("*.npz")}
        return need_items(names, self._input, "NAME.npz")

    def files(self, item: str) -> list[Path]:
        """The detector's output and the annotation."""
        return [self._input / f"{item}.npz", self._target / f"{item}.npz"]

    def read(self, item: str) -> PoseSequence:
        """One video; raises BadInputError with all faults of its files."""
        source, target = self.files(item)
        lone = [path for path in (source, target) if not path.is_file()]
        if lone:
            raise bad_file(lone[0], ["expected beside its counterpart, found none"])
        told = _read_points(target)
        points = within_image(told, np.inf, np.inf)
        detector = read_detector(source, len(points))
        outside = count_outside(points, detector.boxes)
        sequence = PoseSequence(
            dataset="climbalong",
            name=item,
            video=item,
            points=points,
            frame_number=np.arange(len(points)),
            fps=FPS,
            detector=detector,
            notes=(*outside_note(told, points), *([Note(outside, OUTSIDE_BOX)] if outside else [])),
        )
        if 2 * outside > (~np.isnan(points[..., 0])).sum():
            raise bad_file(source, [f"bboxes: expected around the keypoints in pixels, found {outside} points outside"])
        return sequence


def read_detector(path: Path, frames: int | None = None) -> Detector:
    """What stands in an `input/NAME.npz`; raises BadInputError with all its faults.

    Args:
        path: the file.
        frames: that the target has; None = there is no target, and the boxes tell.
    """
    (boxes,) = read_npz(path, "bboxes")
    shape, _ = _heatmap_header(path)
    told = "as the target has" if frames is not None else "one a frame"
    count = frames if frames is not None else len(boxes) if boxes.ndim else 0
    faults = [*_box_faults(boxes, count, told)]
    if shape != (count, K, GRID, GRID):
        faults.append(f"heatmaps: expected ({count}, 25, 56, 56) {told}, found {shape}")
    if count == 0:
        faults.append("bboxes: expected at least one frame, found none")
    if faults:
        raise bad_file(path, faults)
    return Detector(_without_empty(boxes), lambda: _heatmap_blocks(path))


def _read_points(path: Path) -> NDArray[np.float64]:
    """(T, 25, 2) pixels, NaN = missing, infinite where they are not finite."""
    (keypoints,) = read_npz(path, "keypoints")
    if keypoints.ndim == 4 and keypoints.shape[1] == 1:
        keypoints = keypoints[:, 0]
    if keypoints.ndim != 3 or keypoints.shape[1:] != (K, 3) or keypoints.dtype.kind not in "uif":
        found = f"{keypoints.dtype} {keypoints.shape}"
        raise bad_file(path, [f"keypoints: expected numbers (T, 1, 25, 3) or (T, 25, 3), found {found}"])
    missing = (keypoints == 0).all(axis=-1)
    return np.where(missing[..., None], np.nan, not_missing(to_floats(keypoints[..., :2])))


def _box_faults(boxes: NDArray[np.generic], frames: int, told: str) -> Iterator[str]:
    if boxes.shape != (frames, 4) or boxes.dtype.kind not in "uif":
        yield f"bboxes: expected numbers ({frames}, 4) {told}, found {boxes.dtype} {boxes.shape}"
        return
    values = to_floats(boxes)
    turned = np.flatnonzero((values[:, 2:] < values[:, :2]).any(axis=-1))
    if turned.size:
        at = int(turned[0])
        yield f"bboxes: expected x0 y0 x1 y1, found {values[at].tolist()} at frame {at}; are they x y w h?"
    largest = np.abs(values).max(initial=0.0, where=np.isfinite(values))
    if 0 < largest <= RELATIVE:
        yield f"bboxes: expected pixels, found no number above {largest:g}; are they relative to the image?"


def _without_empty(boxes: NDArray[np.generic]) -> NDArray[np.float64]:
    """The boxes, NaN where one is not finite or has no area."""
    values = to_floats(boxes)
    good = np.asarray(np.isfinite(values).all(axis=-1) & (values[:, 2:] > values[:, :2]).all(axis=-1))
    return np.where(good[:, None], values, np.nan)


def _heatmap_header(path: Path) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """Shape and dtype of the detector's heatmaps, without reading them."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("heatmaps.npy") as member:
            shape, fortran, dtype = read_npy_header(member)
    except NPZ_FAULTS as error:
        raise bad_file(path, [f"heatmaps: expected an array, found {error}"]) from error
    if fortran or dtype.kind != "f":
        raise bad_file(path, [f"heatmaps: expected floats in C order, found {dtype}, Fortran order: {fortran}"])
    return shape, dtype


def _heatmap_blocks(path: Path) -> Iterator[NDArray[np.float32]]:
    """(n, 25, 56, 56) blocks in frame order; raises BadInputError where a value is not finite."""
    shape, dtype = _heatmap_header(path)
    frame_bytes = dtype.itemsize * K * GRID * GRID
    try:
        with zipfile.ZipFile(path) as archive, archive.open("heatmaps.npy") as member:
            read_npy_header(member)
            for start in range(0, shape[0], _BLOCK):
                count = min(_BLOCK, shape[0] - start)
                data = member.read(count * frame_bytes)
                if len(data) < count * frame_bytes:
                    raise bad_file(path, [f"heatmaps: expected {shape}, found the end of the data before that"])
                with np.errstate(invalid="ignore", over="ignore"):  # what is no float32 is told below
                    block = np.frombuffer(data, dtype).reshape(count, K, GRID, GRID).astype(np.float32)
                broken = np.flatnonzero(~np.isfinite(block).all(axis=(1, 2, 3)))
                if broken.size:
                    at = start + int(broken[0])
                    raise bad_file(path, [f"heatmaps: expected finite values, found others at frame {at}"])
                yield block
            if member.read(1):  # at the end of a member zipfile compares its checksum
                raise bad_file(path, [f"heatmaps: expected {shape}, found more bytes than that"])
    except NPZ_FAULTS as error:
        raise bad_file(path, [f"heatmaps: expected {shape}, found {error}"]) from error
