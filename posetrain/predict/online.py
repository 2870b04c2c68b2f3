"""Frames refined as they come, as from a camera: an answer waits for a few frames that follow, never for more.

A frame is answered from one window, which ends `delay` frames behind it. Whatever comes later changes nothing: not what
the model sees, and not the boxes, which are steadied by the frames up to there.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.errors import BadInputError, ChoiceError
from posedata.geometry import GRID, square_boxes, to_grid, to_pixels
from posedata.progress import Advance
from posedata.skeleton import K
from posetrain.filters import TRUNCATE, gaussian
from posetrain.predict.blend import Answer, ask
from posetrain.predict.boxes import STEADY
from posetrain.predict.people import BLOCK, Floats, Person, PointBlock
from posetrain.trained import Trained

_REACH = int(TRUNCATE * STEADY + 0.5)
"""Frames before and after one that steady its box."""


class Pose(NamedTuple):
    """The answer for one frame.

    Attributes:
        points: (25, 2) pixels, NaN where the input is, or where the model says nothing.
        refined: whether the model has seen it; else it is the input.
    """

    points: Floats
    refined: bool


class _Frame(NamedTuple):
    """One frame: (25, 2) pixels; (4,) its own box, or the last one before it, NaN = none yet."""

    points: Floats
    box: Floats
    heatmaps: Tensor | None


class Online:
    """One person, frame by frame.

    Memory holds the last frames of a window, however long it goes on.

    Args:
        trained: see `posetrain.trained.find_trained`.
        delay: frames that an answer may wait for; with a model at frame step n those of its own track count, so a
            number in between is as good as the multiple of n below it.
        device: where the model is.

    Attributes:
        delay: frames from one that is added to the one that is answered.
        takes_heatmaps: whether the model does.

    Raises:
        ChoiceError: if the delay is below 0, or more than half of the frames that the model sees at once: a frame
            before the middle of its window would have fewer neighbours again.
    """

    def __init__(self, trained: Trained, delay: int, device: torch.device | None = None) -> None:
        self._trained, self._device = trained, device or torch.device("cpu")
        self._step = trained.frame_step
        self._length = trained.at_once
        most = (self._length - 1) // 2 * self._step
        if not 0 <= delay <= most:
            raise ChoiceError(f"--delay {delay}: expected 0 to {most}, half of what the model sees at once")
        self.delay = delay // self._step * self._step
        self.takes_heatmaps = "input" in trained.task.parts
        self._seen = np.ones(K, bool) if trained.seen is None else trained.seen
        self._frames: deque[_Frame] = deque(maxlen=self._length * self._step + _REACH)
        self._reset()

    def add(self, points: Floats, box: Floats | None = None, heatmaps: Tensor | None = None) -> list[Pose]:
        """The next frame; where frames are missing, `finish` first.

        Args:
            points: (25, 2) pixels, NaN = missing.
            box: (4,) pixels, x0 y0 x1 y1, where the frames have boxes; None = made from the points.
            heatmaps: (25, 56, 56) in that box, for a model that takes some; None = made from the points.

        Returns:
            What can be answered now, in order: the frame `delay` before this one. None at first; a model that takes
            windows of one length answers all frames before that at once when its first is complete.

        Raises:
            BadInputError: if one of them is of another shape, or neither finite nor missing.
        """
        frame = _frame(points, box, heatmaps)
        self._made = box is None
        self._frames.append(frame._replace(box=self._box(frame.points)) if box is None else frame)
        self._count += 1
        return list(self._answers(ended=False))

    def finish(self) -> list[Pose]:
        """What is left to answer, when no frame follows; the next one added begins anew.

        Frames that are in no complete window, where the model takes no other, are handed through.
        """
        left = list(self._answers(ended=True))
        self._reset()
        return left

    def too_short(self, frames: int) -> int:
        """How many of so many frames without a gap are in tracks that are shorter than any window of the model."""
        tracks = [len(range(first, frames, self._step)) for first in range(self._step)]
        return sum(track for track in tracks if track < self._trained.shortest)

    def _reset(self) -> None:
        self._frames.clear()
        self._count = self._next = 0
        self._made = True

    def _box(self, points: Floats) -> Floats:
        """The padded square around the points; without one, that of the frame before."""
        (box,) = square_boxes(points[None])
        return self._frames[-1].box if np.isnan(box[0]) and self._frames else box

    def _answers(self, ended: bool) -> Iterator[Pose]:
        said: dict[int, Floats | None] = {}
        while self._next < self._count:
            end = self._end(self._next, ended)
            if end >= self._count:
                return
            if end not in said:
                said[end] = self._window(end)
            yield self._pose(self._next, end, said[end])
            self._next += 1

    def _end(self, frame: int, ended: bool) -> int:
        """The last frame of the window that a frame is answered from."""
        last = self._count - 1 - (self._count - 1 - frame) % self._step
        first = frame % self._step + (self._trained.shortest - 1) * self._step
        end = max(frame + self.delay, first)
        return min(end, last) if ended else end

    def _window(self, end: int) -> Floats | None:
        """(T, 25, 2) pixels that the model says of the window that ends there; None if it cannot be asked."""
        frames = range(end % self._step, end + 1, self._step)[-self._length :]
        boxes = self._boxes(end)[[self._at(frame) for frame in frames]]
        if len(frames) < self._trained.shortest or np.isnan(boxes).all():
            return None
        held = [self._frames[self._at(frame)] for frame in frames]
        grid = to_grid(np.stack([frame.points for frame in held]), boxes)
        shown = _Shown(grid, self._device)
        if held[0].heatmaps is not None:
            shown.given = torch.stack([frame.heatmaps for frame in held if frame.heatmaps is not None])
        (said,) = ask(self._trained, shown, np.asarray([frames]), boxes[None], False, self._device)
        return to_pixels(said, boxes)

    def _boxes(self, end: int) -> Floats:
        """(n, 4) of the frames that are held up to the last of a window; those that were made are steadied by these."""
        boxes = np.stack([frame.box for frame in islice(self._frames, self._at(end) + 1)])
        known = ~np.isnan(boxes[:, 0])
        if not self._made or not known.any():
            return boxes
        boxes[: known.argmax()] = boxes[known.argmax()]
        return gaussian(boxes.reshape(-1, 2, 2), STEADY).reshape(-1, 4)

    def _at(self, frame: int) -> int:
        return frame - self._count + len(self._frames)

    def _pose(self, frame: int, end: int, said: Floats | None) -> Pose:
        given = self._frames[self._at(frame)].points
        if said is None:
            return Pose(given, False)
        found = np.where(self._seen[:, None], said[-1 - (end - frame) // self._step], given)
        return Pose(np.where(np.isnan(given), np.nan, found), True)


def _frame(points: Floats, box: Floats | None, heatmaps: Tensor | None) -> _Frame:
    """Copies, for whoever feeds a camera's frames may use one array for all; raises as `Online.add`."""
    held = None if heatmaps is None else torch.as_tensor(heatmaps).clone()
    if held is not None and held.shape != (K, GRID, GRID):
        raise BadInputError(f"heatmaps: expected {(K, GRID, GRID)}, found {tuple(held.shape)}")
    return _Frame(
        _numbers("points", points, (K, 2)), _numbers("box", np.full(4, np.nan) if box is None else box, (4,)), held
    )


def _numbers(name: str, given: Any, shape: tuple[int, ...]) -> Floats:
    """A copy as float64; raises BadInputError for what are not so many numbers, finite or NaN, of a box all or none."""
    try:
        found = np.array(given, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInputError(f"{name}: expected {shape} numbers, found others") from error
    if found.shape != shape:
        raise BadInputError(f"{name}: expected {shape}, found {found.shape}")
    if np.isinf(found).any() or (name == "box" and np.isnan(found).any() and not np.isnan(found).all()):
        raise BadInputError(f"{name}: expected pixels, or NaN for what is missing, found {found.tolist()!s:.80}")
    return found


class _Shown:
    """What a model sees of one window: a `posetrain.sources.Source`, of heatmaps that are given or made."""

    decodes = False

    def __init__(self, grid: Floats, device: torch.device) -> None:
        self._block = PointBlock(grid, np.full(grid.shape[:2], np.nan), device)
        self.given: Tensor | None = None

    def heatmaps(self, frames: NDArray[np.int64]) -> Tensor:
        """(1, T, 25, 56, 56)."""
        return (self._block.heatmaps if self.given is None else self.given)[None]

    def peaks(self, frames: NDArray[np.int64]) -> Tensor:
        """(1, T, 25, 2) grid positions."""
        return self._block.peaks[None]


def refine_run_online(online: Online, person: Person, run: slice, advance: Advance) -> Answer:
    """Refine the next run of a person, as if it came frame by frame."""
    poses: list[Pose] = []
    given, confidence = [], []
    for start in range(run.start, run.stop, BLOCK):
        stop = min(start + BLOCK, run.stop)
        block, missing = person.blocks(start, stop), [None] * (stop - start)
        if person.points is None:
            boxes = person.boxes[start:stop]
            points = to_pixels(block.peaks.cpu().double().numpy(), boxes)
            for one in zip(points, boxes, block.heatmaps if online.takes_heatmaps else missing, strict=True):
                poses += online.add(*one)
        else:
            points = person.points[start:stop]
            for pose in points:
                poses += online.add(pose)
        given.append(points)
        confidence.append(block.confidence)
        advance(stop - start)
    poses += online.finish()
    left = sum(not pose.refined for pose in poses)
    unboxed = left - online.too_short(run.stop - run.start)
    points = np.stack([pose.points for pose in poses])
    return Answer(np.concatenate(given), points, np.concatenate(confidence), left, unboxed)
