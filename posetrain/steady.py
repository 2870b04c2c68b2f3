"""Tracks without the trembling of their labels."""

import torch
from torch import Tensor

_WIDTH = 1.0
"""Standard deviation in frames of what neighbours count."""

_LEAST = 1e-3
"""Below this share of what they would at most, frames lie too close together for a line."""


def steady(points: Tensor) -> Tensor:
    """Every point on the line that fits its keypoint's points in the frames around best, the nearer the more.

    That is local regression (Cleveland 1979, doi:10.1080/01621459.1979.10481038) with Gaussian weights. It leaves a
    steady movement as it is, at the ends of a track too.

    Args:
        points: (B, T, K, 2), NaN = missing.

    Returns:
        (B, T, K, 2), NaN where points have it. A point that has no other near it stays.
    """
    there = ~points.isnan().any(dim=-1, keepdim=True)
    # In float32, far from 0, what a line is fitted to would be rounded.
    usual = (points.nan_to_num(0.0).sum(dim=1, keepdim=True)) / there.sum(dim=1, keepdim=True).clamp(min=1)
    moved = (points - usual).where(there, 0.0)
    frames = torch.arange(points.shape[1], dtype=points.dtype, device=points.device)
    lags = frames - frames[:, None]  # of the frame in a column behind that in a row
    near = (-(lags / _WIDTH).square() / 2).exp()

    def moment(of: Tensor, power: int) -> Tensor:
        return torch.einsum("ts,bskc->btkc", near * lags**power, of)

    count, lag, square = (moment(there.to(points.dtype), power) for power in (0, 1, 2))
    spread = count * square - lag.square()
    known = there & (spread > _LEAST * count.square())
    line = (square * moment(moved, 0) - lag * moment(moved, 1)) / spread.where(known, 1.0) + usual
    return line.where(known, points)
