"""What a training may see in place of stored input: poses seen in a mirror, with noise drawn anew.

Every epoch has other noise then, of other strengths, so a model learns the noise's kind and not its draws. The smear
of a store is left out: it moves a peak near the border alone. Draws come from torch's own generator, whose state a
checkpoint keeps.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posedata.geometry import GRID
from posedata.skeleton import MIRRORED
from posetrain.data import Batch

STRENGTHS = (0.5, 2.5)
"""The range of k that noise is drawn with."""


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


def varied(batch: Batch) -> Batch:
    """The batch with half of its windows mirrored and, where its store has noise, other noise in every window.

    The strength of a window's noise is drawn too. A detector's peaks stay what they are, mirrored or not.
    """
    turned = torch.rand(len(batch.frames), 1, 1, device=batch.points.device) < 0.5
    points, peaks = (_mirrored(each, turned) for each in (batch.points, batch.input_peaks))
    annotated = batch.annotated[:, :, MIRRORED].where(turned, batch.annotated)
    if batch.unit_shift is not None:
        peaks = _noisy(points, batch.unit_shift).where(annotated[..., None], torch.nan)
    return Batch(batch.frames, Drawn(peaks), Drawn(points), points, annotated, batch.unit_shift)


def _mirrored(points: Tensor, turned: Tensor) -> Tensor:
    """(B, T, 25, 2) grid positions; (B, 1, 1) bool: left and right change places in these."""
    there = points[:, :, MIRRORED]
    return torch.stack([GRID - there[..., 0], there[..., 1]], dim=-1).where(turned[..., None], points)


def _noisy(points: Tensor, unit: float) -> Tensor:
    """Centres of the cells of shifted points, as `posedata.noise` and `posedata.geometry.to_cells` have them."""
    low, high = STRENGTHS
    k = low + (high - low) * torch.rand(len(points), 1, 1, 1, device=points.device)
    return (points + k * unit * torch.randn_like(points)).floor().clamp(0, GRID - 1) + 0.5
