"""Other bodies than a store has: wider, narrower, turned, with bent limbs, with keypoints missing.

Tracks are (B, T, 25, 2) points in the image, of which NaN are missing; they are returned likewise. Draws come from
torch's own generator.
"""

import math

import torch
from torch import Tensor

from posedata.skeleton import INDEX

_STRETCH = 0.15
"""Standard deviation of the logarithm of what a pose's width is multiplied with."""

_BENT, _BEND, _LONGER = 0.05, 1.5, 0.3
"""Share of windows with bent limbs; standard deviation of angles, in radians, and of the logarithm of lengths."""

_HANDS, _FEET = ("wrist", "pinky", "index", "thumb"), ("ankle", "heel", "foot_index")
_LIMBS = (("shoulder", ("elbow", *_HANDS)), ("elbow", _HANDS), ("hip", ("knee", *_FEET)), ("knee", _FEET))
_HANGING = tuple(
    (INDEX[f"{side}_{joint}"], [INDEX[f"{side}_{name}"] for name in names])
    for joint, names in _LIMBS
    for side in ("left", "right")
)
"""Joints that are bent, those of the trunk first, and the keypoints that hang on each."""

_TILT, _ANY_WAY = 0.2, 0.1
"""Radians by which a pose is turned, as a rule; the share of windows that are turned by any angle."""

_HIDDEN, _LOST, _LOSING = 0.25, 0.1, 0.3
"""Of keypoints hidden throughout, and of those in single frames; the share of windows in which each happens."""


def chance(like: Tensor, share: float) -> Tensor:
    """(B, 1, 1, 1) bool, true with that probability."""
    return torch.rand(len(like), 1, 1, 1, device=like.device) < share


def stretched(pixels: Tensor) -> Tensor:
    """Every window with a width of its own: people are of other builds, and seen from other sides."""
    width = (_STRETCH * torch.randn(len(pixels), 1, 1, device=pixels.device)).exp()
    return torch.stack([width * pixels[..., 0], pixels[..., 1]], dim=-1)


def bent(pixels: Tensor) -> Tensor:
    """Some windows with arms and legs at other angles and of other lengths, in all frames alike.

    So they show poses that nobody in the store takes. What hangs on a missing joint stays where it is.
    """
    moved, chosen = pixels.clone(), chance(pixels, _BENT)[..., 0]
    for joint, hanging in _HANGING:
        angle, longer = (chosen * torch.randn_like(chosen, dtype=pixels.dtype) for _ in range(2))
        arm = moved[:, :, hanging] - moved[:, :, [joint]]
        turned = moved[:, :, [joint]] + _turned(arm, _BEND * angle) * (_LONGER * longer).exp()[..., None]
        moved[:, :, hanging] = turned.where(~turned.isnan(), moved[:, :, hanging])
    return moved


def rotated(pixels: Tensor) -> Tensor:
    """Every window turned by an angle of its own, about the image's corner: boxes follow the person."""
    angle = _TILT * torch.randn(len(pixels), 1, 1, device=pixels.device)
    any_way = 2 * math.pi * torch.rand(len(pixels), 1, 1, device=pixels.device)
    return _turned(pixels, any_way.where(chance(pixels, _ANY_WAY)[..., 0], angle))


def _turned(points: Tensor, angle: Tensor) -> Tensor:
    """(B, T, n, 2) points about 0 by (B, 1, 1) radians."""
    x, y = points.unbind(dim=-1)
    return torch.stack([angle.cos() * x - angle.sin() * y, angle.sin() * x + angle.cos() * y], dim=-1)


def hidden(pixels: Tensor) -> Tensor:
    """Some keypoints made missing throughout, others in single frames."""
    windows, frames, keypoints, _ = pixels.shape
    always = torch.rand(windows, 1, keypoints, 1, device=pixels.device) < _HIDDEN
    at_times = torch.rand(windows, frames, keypoints, 1, device=pixels.device) < _LOST
    gone = (always & chance(pixels, _LOSING)) | (at_times & chance(pixels, _LOSING))
    return pixels.masked_fill(gone, torch.nan)
