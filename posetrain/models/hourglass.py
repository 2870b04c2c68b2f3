"""The stacked hourglass (seed 001, section 3.2; seed 002, section 1.1; Newell et al. 2016, arXiv:1603.06937).

One hourglass of 256 channels, as published, has 3,326,993 parameters, every further one 3,144,465.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from posedata.skeleton import COCO_NAMES

LEVELS = 4
"""Times that an hourglass halves its input, and doubles it again."""

_JOINTS = len(COCO_NAMES)


class Residual(nn.Module):
    """Three convolutions beside the input, each after a batch normalisation and a ReLU; 214,528 parameters at 256.

    Args:
        width: channels, an even number.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = width // 2
        self.layers = nn.Sequential(
            *_active(width),
            nn.Conv2d(width, inner, 1),
            *_active(inner),
            nn.Conv2d(inner, inner, 3, padding=1),
            *_active(inner),
            nn.Conv2d(inner, width, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, width, H, W) to the same shape."""
        added: Tensor = self.layers(features)
        return features + added


class Hourglass(nn.Module):
    """Down to a sixteenth and up again, a residual at every step, three of them in the bottleneck.

    `code` stands behind these; it hands on what it gets, unless another takes its place.

    Args:
        width: channels of what passes between residuals.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.skips = nn.ModuleList(Residual(width) for _ in range(LEVELS))
        self.downs = nn.ModuleList(Residual(width) for _ in range(LEVELS - 1))
        self.bottleneck = nn.Sequential(Residual(width), Residual(width), Residual(width))
        self.code: nn.Module = nn.Identity()
        self.ups = nn.ModuleList(Residual(width) for _ in range(LEVELS))

    def encoded(self, features: Tensor) -> tuple[list[Tensor], Tensor]:
        """What each skip sees, the largest first, and (B, width, 4, 4), what the bottleneck says."""
        seen = []
        for down in (*self.downs, self.bottleneck):
            seen.append(features)
            features = down(max_pool2d(features, 2))
        return seen, features

    def forward(self, features: Tensor) -> Tensor:
        """(B, width, 64, 64) to the same shape."""
        seen, activation = self.encoded(features)
        features = self.code(activation)
        for beside, skip, up in zip(reversed(seen), reversed(self.skips), self.ups, strict=True):
            features = up(skip(beside) + interpolate(features, scale_factor=2, mode="nearest"))
        return features


class StackedHourglass(nn.Module):
    """Hourglasses one after the other; each says heatmaps, which the next one sees.

    Args:
        stacks: how many.
        width: channels of what passes between residuals, an even number.
    """

    def __init__(self, stacks: int, width: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 7, stride=2, padding=3), *_active(width), Residual(width))
        self.hourglasses = nn.ModuleList(Hourglass(width) for _ in range(stacks))
        self.features = nn.ModuleList(nn.Sequential(nn.Conv2d(width, width, 1), *_active(width)) for _ in range(stacks))
        self.heatmaps = nn.ModuleList(nn.Conv2d(width, _JOINTS, 1) for _ in range(stacks))
        self.features_back = nn.ModuleList(nn.Conv2d(width, width, 1) for _ in range(stacks - 1))
        self.heatmaps_back = nn.ModuleList(nn.Conv2d(_JOINTS, width, 1) for _ in range(stacks - 1))

    def forward(self, crops: Tensor) -> Tensor:
        """(B, 3, 256, 256) less the mean colour to (B, stacks, 17, 64, 64), the last stack's heatmaps last."""
        stream = max_pool2d(self.stem(crops), 2)
        said: list[Tensor] = []
        for i, hourglass in enumerate(self.hourglasses):
            features = self.features[i](hourglass(stream))
            said.append(self.heatmaps[i](features))
            if i + 1 < len(self.hourglasses):
                stream = stream + self.features_back[i](features) + self.heatmaps_back[i](said[-1])
        return torch.stack(said, dim=1)


def _active(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), nn.ReLU()
