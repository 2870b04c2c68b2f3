"""A trained mixer that fits its poses to the square that a person is known to fill.

The box of a frame may be known to be that of `posedata.geometry.square_boxes` around the true keypoints, as in most
stores that are made from labels: within its padding some keypoint then touches either side along the longer axis, and
along the other the outermost are as far from the middle. The mixer itself stays as it is, so whoever knows no such box
gets what it says. Of a few frames a filled square is much of what can be known: for these a copy learns all anew.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from posedata.skeleton import K
from posetrain.models.mixer import WIDTH, Mixer

FEW = 8
"""Frames of the longest windows that are a `FewMixer`'s copy's."""

_HIDDEN = 160
_NEAR = 0.25
"""Of the pose's spread: the unit of distances to the sides; `_FAR` of it are as good as any more."""

_FAR = 4.0
_STAY = 4.0
"""Logarithm of the odds at first that a keypoint is not at a side."""


class FittedMixer(Mixer):
    """Begins with a trained `Mixer`, whose weights stay."""

    def __init__(self) -> None:
        super().__init__()
        self.requires_grad_(False)
        self.first: Tensor
        self.register_buffer("first", torch.tensor([_STAY, 0.0, 0.0]), persistent=False)
        self.norm = nn.LayerNorm(WIDTH)
        self.fit = nn.Sequential(nn.Linear(WIDTH + 4 * K, _HIDDEN), nn.GELU(), nn.Linear(_HIDDEN, WIDTH))
        self.side = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, K * 2 * 3))

    def _answered(self, tokens: Tensor, relative: Tensor, corners: Tensor, present: Tensor) -> Tensor:
        """As of a mixer; in frames whose (B, T, 2, 2) opposite corners are known, fitted between them."""
        found = super()._answered(tokens, relative, corners, present)
        known = ~corners.isnan().any(dim=(2, 3), keepdim=True)
        corners = corners.where(known, 0.0)
        low, high = corners.amin(dim=2, keepdim=True), corners.amax(dim=2, keepdim=True)
        inside = torch.cat([found - low, high - found], dim=-1) * present
        distances = (inside / _NEAR).clamp(-_FAR, _FAR).flatten(2)
        tokens = tokens + self.fit(torch.cat([self.norm(tokens), distances], dim=-1))
        odds = self.side(tokens).float().unflatten(2, (K, 2, 3)) + self.first
        stay, at_low, at_high = odds.softmax(dim=-1).unbind(dim=-1)
        fitted = stay * self._decoded(tokens, relative) + at_low * low + at_high * high
        answered: Tensor = fitted.where(known, found)
        return answered


class FewMixer(FittedMixer):
    """Begins with a trained `FittedMixer`, whose weights stay, and has a copy of it for windows of few frames."""

    def __init__(self) -> None:
        super().__init__()
        self.requires_grad_(False)
        self.few = FittedMixer()
        self.few.requires_grad_(True)

    def _refined(self, points: Tensor) -> Tensor:
        """Few frames are the copy's if all that show anything have a known square, and always in training."""
        if points.shape[1] > FEW:
            return super()._refined(points)
        there = ~points.isnan().any(dim=3)
        told = (there[:, :, K:].all(dim=2) | ~there[:, :, :K].any(dim=2)).all(dim=1)
        if self.training or told.all():
            return self.few._refined(points)
        found = torch.empty_like(points[:, :, :K])
        found[told], found[~told] = self.few._refined(points[told]), super()._refined(points[~told])
        return found


def twice(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a `FewMixer` begins with: the weights of a `FittedMixer`, and their copy."""
    return {**weights, **{f"few.{name}": value for name, value in weights.items()}}
