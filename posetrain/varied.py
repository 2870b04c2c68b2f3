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
from posetrain.bodies import bent, chance, hidden, rotated, stretched
from posetrain.data import Batch
from posetrain.devices import sent
from posetrain.steady import steady

SHORTEST = 5
"""Frames of the shortest pieces that windows are cut into."""

STRENGTHS = (0.05, 2.5)
"""The range of k that noise is drawn with."""

_LITTLE = 0.5
"""The k below which targets are steady."""

_STEPS = (1, 1, 1, 2, 3)
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
    also stretched and turned, some bent, lose keypoints, get other boxes, and other noise, of one strength a window.
    What a detector has said stays what it is.

    Where noise is little, the target is `steady`: else a model would learn that what trembles a little is to be kept,
    as labels do.

    Args:
        batch: windows of a store.
        loose: whether some get other boxes than those of `posedata.geometry.square_boxes`. Where none do, which gives
            away where a label lies, targets are the labels.
    """
    order = _pieces(batch.frames.shape[1])
    there = sent(order, batch.points.device)
    points, boxes, tight = (_cut(whole, there) for whole in (batch.points, batch.boxes, batch.tight))
    turned = chance(points, 0.5)
    if batch.unit_shift is None:
        peaks = _mirrored(_cut(batch.input_peaks, there), turned, GRID)
        points = _mirrored(points, turned, GRID)
        boxes = _mirrored_boxes(boxes).where(turned[..., 0], boxes)
    else:
        labels = _pixels(batch.points, batch.boxes)
        both = torch.cat([_cut(labels, there), _cut(steady(labels), there)], dim=1)
        pixels, wanted = rotated(stretched(bent(_mirrored(both, turned, 0)))).chunk(2, dim=1)
        points, size, boxes, tight = _boxed(hidden(pixels), loose)
        k = _strengths(points)
        peaks = _noisy(points, k * size * batch.unit_shift)
        if loose:
            points = _placed(wanted, boxes).where((k < _LITTLE) & ~points.isnan(), points)
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


def _cut(windows: Tensor, places: Tensor) -> Tensor:
    """(B, T, ...) in pieces, (B n, L, ...), by (n, L) places."""
    return windows[:, places].flatten(0, 1)


def _one_of(choices: Sequence[_Choice]) -> _Choice:
    return choices[int(torch.randint(len(choices), ()))]


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


def _placed(pixels: Tensor, boxes: Tensor) -> Tensor:
    """As `posedata.geometry.to_grid`."""
    low, high = boxes[:, :, None, :2], boxes[:, :, None, 2:]
    return (pixels - low) / (high - low) * GRID


def _boxed(pixels: Tensor, loose: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Grid positions in new boxes, (B, T, 1, 1) the person's size in them, the boxes, and (B, T) which are tight.

    The size is 1 in a box of `posedata.geometry`. Most boxes are those of `square_boxes`, so a frame gives away where
    its outermost keypoints are. One box for all frames does not, nor do boxes that jump as a detector's do.
    """
    low, high = pixels.nan_to_num(math.inf).amin(dim=2), pixels.nan_to_num(-math.inf).amax(dim=2)
    own = _side(low, high)
    one, jumpy = (chance(pixels, share * loose)[..., 0] for share in (_ONE_BOX, _JUMPY))
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


def _strengths(points: Tensor) -> Tensor:
    """(B, 1, 1, 1) a k for every window."""
    low, high = STRENGTHS
    return low + (high - low) * torch.rand(len(points), 1, 1, 1, device=points.device)


def _noisy(points: Tensor, shift: Tensor) -> Tensor:
    """Centres of the cells of shifted points, as `posedata.noise` and `posedata.geometry.to_cells` have them."""
    return (points + shift * torch.randn_like(points)).floor().clamp(0, GRID - 1) + 0.5
