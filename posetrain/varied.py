"""What a training of tracks sees in place of stored input: other poses, in other boxes, with noise drawn anew.

Every epoch has other noise then, of other strengths, so a model learns the noise's kind and not its draws. The smear
of a store is left out: it moves a peak near the border alone. Draws come from torch's own generator, whose state a
checkpoint keeps.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.geometry import GRID, MIN_EXTENT, PADDING
from posedata.skeleton import MIRRORED
from posetrain.data import Batch
from posetrain.devices import sent

SHORTEST = 5
"""Frames of the shortest pieces that windows are cut into."""

STRENGTHS = (0.05, 2.5)
"""The range of k that noise is drawn with."""

_STEPS = (1, 1, 1, 2, 3)
_STRETCH = 0.15
"""Standard deviation of the logarithm of what a pose's width is multiplied with."""

_TILT, _ANY_WAY = 0.2, 0.1
"""Radians by which a pose is turned, as a rule; the share of windows that are turned by any angle."""

_HIDDEN, _LOST, _LOSING = 0.25, 0.1, 0.3
"""Of keypoints hidden throughout, and of those in single frames; the share of windows in which each happens."""

_ONE_BOX, _LOOSE, _ASIDE = 0.2, 0.6, 0.1
"""Share of windows with one box for all frames; by how much that is larger at most, and beside its place."""

_JUMPY, _JUMP = 0.1, 0.05
"""Share of windows whose boxes jump; standard deviation of place and size, as a share of the side."""

_Choice = TypeVar("_Choice")


class Drawn:
    """Peaks that were drawn; see `posetrain.sources.Source`. There are no heatmaps of them."""

    decodes = False

    def __init__(self, peaks: Tensor) -> None:
        self._peaks = peaks

    def heatmaps(self, frames: NDArray[np.int64]) -> Tensor:
        """None are made."""
        raise NotImplementedError("drawn peaks have no heatmaps")

    def peaks(self, frames: NDArray[np.int64]) -> Tensor:
        """(B, T, 25, 2), whatever the frames."""
        return self._peaks


def varied(batch: Batch, loose: bool = True) -> Batch:
    """Other windows made of a batch.

    They are cut into pieces, run faster or backwards, half of them in a mirror. Where the store has noise, poses are
    also stretched and turned, lose keypoints, get other boxes, and other noise, of one strength a window. What a
    detector has said stays what it is.

    Args:
        batch: windows of a store.
        loose: whether some get other boxes than those of `posedata.geometry.square_boxes`.
    """
    order = _pieces(batch.frames.shape[1])
    there = sent(order, batch.points.device)
    points = batch.points[:, there].flatten(0, 1)
    turned = _chance(points, 0.5)
    boxes, tight = batch.boxes[:, there].flatten(0, 1), batch.tight[:, there].flatten(0, 1)
    if batch.unit_shift is None:
        peaks = _mirrored(batch.input_peaks[:, there].flatten(0, 1), turned, GRID)
        points = _mirrored(points, turned, GRID)
        boxes = _mirrored_boxes(boxes).where(turned[..., 0], boxes)
    else:
        pixels = _mirrored(_pixels(points, boxes), turned, 0)
        points, size, boxes, tight = _boxed(_hidden(_rotated(_stretched(pixels))), loose)
        peaks = _noisy(points, size * batch.unit_shift)
    frames = batch.frames[:, order.numpy()].reshape(-1, order.shape[1])
    return Batch(frames, Drawn(peaks), Drawn(points), points, ~points.isnan().any(dim=-1), boxes, tight)


def _pieces(length: int) -> Tensor:
    """(n, L) places in a window: pieces of tracks of every first, second or third frame, in time or against it.

    The logarithm of their length is uniform. A few frames are left over, where they make no piece of that length.
    """
    step = _one_of([step for step in _STEPS if step == 1 or length // step >= SHORTEST])
    frames = length // step
    least = min(SHORTEST, frames)
    count = frames // int(least * (frames / least) ** float(torch.rand(())))
    tracks = torch.arange(frames * step).view(frames, step).T
    order = tracks[:, : frames // count * count].reshape(-1, frames // count)
    return _one_of((order, order.flip(1)))


def _one_of(choices: Sequence[_Choice]) -> _Choice:
    return choices[int(torch.randint(len(choices), ()))]


def _chance(like: Tensor, share: float) -> Tensor:
    """(B, 1, 1, 1) bool, true with that probability."""
    return torch.rand(len(like), 1, 1, 1, device=like.device) < share


def _mirrored(points: Tensor, turned: Tensor, width: float) -> Tensor:
    """(B, T, 25, 2) points; (B, 1, 1, 1) bool: left and right change places in these, at the middle of a width."""
    there = points[:, :, sent(torch.tensor(MIRRORED), points.device)]
    return torch.stack([width - there[..., 0], there[..., 1]], dim=-1).where(turned, points)


def _mirrored_boxes(boxes: Tensor) -> Tensor:
    """(B, T, 4) boxes in a mirror at x = 0."""
    x0, y0, x1, y1 = boxes.unbind(dim=-1)
    return torch.stack([-x1, y0, -x0, y1], dim=-1)


def _pixels(points: Tensor, boxes: Tensor) -> Tensor:
    """As `posedata.geometry.to_pixels`."""
    low, high = boxes[:, :, None, :2], boxes[:, :, None, 2:]
    return points / GRID * (high - low) + low


def _stretched(pixels: Tensor) -> Tensor:
    """Every window with a width of its own: people are of other builds, and seen from other sides."""
    width = (_STRETCH * torch.randn(len(pixels), 1, 1, device=pixels.device)).exp()
    return torch.stack([width * pixels[..., 0], pixels[..., 1]], dim=-1)


def _rotated(pixels: Tensor) -> Tensor:
    """Every window turned by an angle of its own, about the image's corner: boxes follow the person."""
    angle = _TILT * torch.randn(len(pixels), 1, 1, device=pixels.device)
    any_way = 2 * math.pi * torch.rand(len(pixels), 1, 1, device=pixels.device)
    angle = any_way.where(_chance(pixels, _ANY_WAY)[..., 0], angle)
    x, y = pixels.unbind(dim=-1)
    return torch.stack([angle.cos() * x - angle.sin() * y, angle.sin() * x + angle.cos() * y], dim=-1)


def _hidden(pixels: Tensor) -> Tensor:
    """Some keypoints made missing throughout, others in single frames."""
    windows, frames, keypoints, _ = pixels.shape
    always = torch.rand(windows, 1, keypoints, 1, device=pixels.device) < _HIDDEN
    at_times = torch.rand(windows, frames, keypoints, 1, device=pixels.device) < _LOST
    gone = (always & _chance(pixels, _LOSING)) | (at_times & _chance(pixels, _LOSING))
    return pixels.masked_fill(gone, torch.nan)


def _boxed(pixels: Tensor, loose: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Grid positions in new boxes, (B, T, 1, 1) the person's size in them, the boxes, and (B, T) which are tight.

    The size is 1 in a box of `posedata.geometry`. Most boxes are those of `square_boxes`, so a frame gives away where
    its outermost keypoints are. One box for all frames does not, nor do boxes that jump as a detector's do.
    """
    low, high = pixels.nan_to_num(math.inf).amin(dim=2), pixels.nan_to_num(-math.inf).amax(dim=2)
    own = _side(low, high)
    one, jumpy = (_chance(pixels, share * loose)[..., 0] for share in (_ONE_BOX, _JUMPY))
    low, high = low.amin(dim=1, keepdim=True).where(one, low), high.amax(dim=1, keepdim=True).where(one, high)
    middle, side = (low + high) / 2, _side(low, high)

    windows, frames = side.shape[:2]
    larger = 1 + _LOOSE * torch.rand(windows, 1, 1, device=pixels.device)
    aside = _ASIDE * (2 * torch.rand(windows, 1, 2, device=pixels.device) - 1)
    jumps = _JUMP * jumpy * ~one * torch.randn(windows, frames, 3, device=pixels.device)
    side = (side * larger).where(one, side) * jumps[..., :1].exp()
    middle = middle + side * (aside * one + jumps[..., 1:])

    grid = ((pixels - middle[:, :, None]) / side[:, :, None] + 0.5) * GRID
    sized = own >= MIN_EXTENT
    boxes = torch.cat([middle - side / 2, middle + side / 2], dim=-1).where(sized, torch.nan)
    tight = ~(one | jumpy)[..., 0].expand(windows, frames)
    return grid.where(sized[..., None], torch.nan), (own / side)[..., None], boxes, tight


def _side(low: Tensor, high: Tensor) -> Tensor:
    """(B, T, 1) sides of padded squares; of a frame without keypoints below 0."""
    return (1 + 2 * PADDING) * (high - low).amax(dim=-1, keepdim=True)


def _noisy(points: Tensor, unit: Tensor) -> Tensor:
    """Centres of the cells of shifted points, as `posedata.noise` and `posedata.geometry.to_cells` have them."""
    low, high = STRENGTHS
    k = low + (high - low) * torch.rand(len(points), 1, 1, 1, device=points.device)
    return (points + k * unit * torch.randn_like(points)).floor().clamp(0, GRID - 1) + 0.5
