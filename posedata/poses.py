"""PoseSequence: the one object that every raw format becomes. It is checked once, when it is made.

Letters: T frames, K = 25 keypoints. Coordinates are (x, y) in 0-based float pixels of the source image.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError
from posedata.skeleton import K

MAX_COORDINATE = 1e5
"""Pixels. No camera is that wide, so a larger coordinate is a damaged file or another unit."""

RELATIVE = 1.5
"""Where no number is larger they are shares of an image, with room for what lies outside of it, and not pixels."""

OUTSIDE = "points outside the image: taken as not annotated"
"""A note that several formats share."""

NOT_FINITE = "points that are not finite: taken as not annotated"
"""Another one."""

OUTSIDE_BOX = "targets outside the box: moved to its border"
"""A note of every box that is not made of the keypoints."""


@dataclass(frozen=True, eq=False)
class Detector:
    """What a frozen pose detector said about a sequence.

    Attributes:
        boxes: (T, 4) float64, x0 y0 x1 y1 in pixels; NaN = the detector found nobody.
        heatmaps: called to read (n, 25, 56, 56) float32 blocks in frame order, T frames in all. Reading in
            blocks keeps memory bounded: a minute of video is 560 MB.
    """

    boxes: NDArray[np.float64]
    heatmaps: Callable[[], Iterator[NDArray[np.float32]]]


@dataclass(frozen=True)
class Note:
    """Something that a reader left out of a file.

    Attributes:
        count: how many.
        what: of which kind, and what became of them; the same words in every file.
        which: of them, where that helps.
    """

    count: int
    what: str
    which: str = ""

    def __str__(self) -> str:
        return f"{self.count} {self.what}" + (f": {self.which}" if self.which else "")


def name_order(name: str) -> tuple[str, str]:
    """What sequences of a dataset are sorted by: name, but those of one file, FILE:PERSON, stand side by side."""
    file, _, person = name.partition(":")
    return file, person


@dataclass(frozen=True, eq=False)
class PoseSequence:
    """One person over time.

    Attributes:
        dataset: name of the source, as in `posedata.formats.FORMATS`.
        name: unique within the dataset.
        video: the recording it comes from; splits never separate what shares a video.
        points: (T, 25, 2) float64 pixels, NaN = not annotated.
        frame_number: (T,) int64, the source's own numbers, strictly increasing; a jump is a gap.
        fps: frames a second; NaN = unknown.
        action: what the person does, in the source's words; "" = unknown.
        shot: (T,) int64, rises by at least one wherever the camera may have cut. Windows stay in one shot.
        official_split: the authors' own split, where they have one.
        detector: boxes and heatmaps of a detector, where the source ships them.
        notes: what the reader left out of the file, for the build report.

    Raises:
        BadInputError: when made of arrays that contradict each other or cannot be pixels.
    """

    dataset: str
    name: str
    video: str
    points: NDArray[np.float64]
    frame_number: NDArray[np.int64]
    fps: float = float("nan")
    action: str = ""
    shot: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    official_split: Literal["train", "test"] | None = None
    detector: Detector | None = None
    notes: tuple[Note, ...] = ()

    def __post_init__(self) -> None:
        if self.shot.size == 0:
            object.__setattr__(self, "shot", np.zeros(len(self.points), np.int64))
        faults = [*self._shape_faults()] or [*self._value_faults()]
        if faults:
            raise BadInputError(*(f"{self.key}: {fault}" for fault in faults))

    def __len__(self) -> int:
        return len(self.points)

    @property
    def key(self) -> str:
        """dataset/name: what names the sequence among all of a store."""
        return f"{self.dataset}/{self.name}"

    def _shape_faults(self) -> Iterator[str]:
        frames = len(self.points)
        if frames == 0:
            yield "frames: expected at least one, found none"
        if self.points.shape != (frames, K, 2) or self.points.dtype != np.float64:
            yield f"points: expected float64 (T, {K}, 2), found {self.points.dtype} {self.points.shape}"
        for name, array in (("frame_number", self.frame_number), ("shot", self.shot)):
            if array.shape != (frames,) or array.dtype != np.int64:
                yield f"{name}: expected int64 ({frames},), found {array.dtype} {array.shape}"
        if self.detector is not None and self.detector.boxes.shape != (frames, 4):
            yield f"boxes: expected ({frames}, 4), found {self.detector.boxes.shape}"

    def _value_faults(self) -> Iterator[str]:
        if not self.name or not self.name.isprintable() or set("/\\") & set(self.name):
            yield f"name: expected printable text without slashes, found {self.name!r}"
        steps = np.diff(self.frame_number)
        if (steps <= 0).any():
            at = self.frame_number[1:][steps <= 0][0]
            yield f"frame_number: expected strictly increasing, found {at} again or out of order"
        if self.frame_number[0] < 0 or self.frame_number[-1] > np.iinfo(np.int32).max:
            yield f"frame_number: expected 0 to 2^31 - 1, found {self.frame_number[[0, -1]].tolist()}"
        if (np.diff(self.shot) < 0).any():
            yield "shot: expected never to fall"
        if not (np.isnan(self.fps) or 0 < self.fps <= 1000):
            yield f"fps: expected 0 to 1000 or unknown, found {self.fps}"
        one_sided = np.isnan(self.points).any(-1) != np.isnan(self.points).all(-1)
        if one_sided.any():
            yield "points: expected both coordinates or neither, found one of them missing"
        yield from _unit_faults(self.points)


def _unit_faults(points: NDArray[np.float64]) -> Iterator[str]:
    largest = np.nanmax(np.abs(points), initial=0.0, where=~np.isnan(points))
    if largest > MAX_COORDINATE:
        yield f"points: expected pixels below {MAX_COORDINATE:g}, found {largest:g}; is the file damaged?"
    annotated = int((~np.isnan(points[..., 0])).sum())
    if annotated >= 10 and largest <= RELATIVE:
        yield f"points: expected pixels, found no coordinate above {largest:g}; are they relative to the image?"


def within_image(points: NDArray[np.float64], width: float, height: float) -> NDArray[np.float64]:
    """Mark what no image can show as not annotated.

    Args:
        points: (T, J, 2) float64 pixels, x y; any joints.
        width: image width in pixels; inf = unknown.
        height: image height in pixels; inf = unknown.

    Returns:
        A copy with NaN where a coordinate is not finite or lies outside 0..width, 0..height (edges are in).

    Raises:
        BadInputError: if not one finite point lies inside, or if most lie outside and would all lie inside with
            x and y exchanged: the axes, the unit or the image size would be misread.
    """
    size = np.asarray([width, height])
    finite = np.isfinite(points).all(-1)
    inside = finite & _inside(points, size)
    outside = int(finite.sum() - inside.sum())
    if outside and (not inside.any() or (outside > inside.sum() and _inside(points[finite][:, ::-1], size).all())):
        raise BadInputError(
            f"points: expected inside the {width:g}x{height:g} image, found {outside} of {int(finite.sum())} "
            "outside; are the axes, the unit or the image size right?"
        )
    return np.where(inside[..., None], points, np.nan)


def _inside(points: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.bool_]:
    low = np.where(np.isinf(size), -np.inf, 0.0)
    return np.asarray((points >= low).all(-1) & (points <= size).all(-1))


def posed_span(points: NDArray[np.float64]) -> slice:
    """The frames of (T, J, 2) points from the first with one that is annotated to the last; empty if there is none."""
    posed = np.flatnonzero(~np.isnan(points).all(axis=(1, 2)))
    return slice(int(posed[0]), int(posed[-1]) + 1) if posed.size else slice(0, 0)


def trimmed_note(frames: int, kept: int) -> tuple[Note, ...]:
    """A note for the report on the frames that `posed_span` leaves out, if any."""
    return (Note(frames - kept, "frames without a pose at the ends: trimmed"),) if frames > kept else ()


def not_missing(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A copy with infinity for NaN: of a file that spells missing points otherwise, so `outside_note` counts them."""
    return np.where(np.isnan(points), np.inf, points)


def outside_note(joints: NDArray[np.float64], kept: NDArray[np.float64]) -> tuple[Note, ...]:
    """Notes for the report on the points that `within_image` took away, if any; NaN in x and y was missing before."""
    finite = np.isfinite(joints).all(-1)
    outside = int(finite.sum() - np.isfinite(kept).all(-1).sum())
    broken = int((~finite & ~np.isnan(joints).all(-1)).sum())
    return tuple(Note(count, what) for count, what in ((outside, OUTSIDE), (broken, NOT_FINITE)) if count)
