"""An hourglass whose bottleneck passes through 50 numbers (seed 001, section 7.2).

The figure with the widths of the autoencoder is lost; those here, its 3 x 3 convolutions, and that neither the 50
numbers nor its answer pass a ReLU are choices: what it rebuilds is a sum of residuals, which may be negative.
"""

from itertools import pairwise
from typing import Self, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from posetrain.models.hourglass import Hourglass, StackedHourglass

LATENT = 50
"""Numbers that a crop comes down to."""

_WIDTHS = (192, 128, 64)
"""Behind the detector's own."""

_SIDE = 4
"""Cells along either side of the bottleneck."""

_NOISE = 0.1
"""Of an input's size: the seed's variance is 0.01 of its square."""


class Autoencoder(nn.Module):
    """(B, width, 4, 4) to 50 numbers and back; 1,578,994 parameters at 256."""

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = (width, *_WIDTHS)
        flat = widths[-1] * _SIDE * _SIDE
        self.encoder = nn.Sequential(*_convolutions(widths), nn.ReLU(), nn.Flatten(), nn.Linear(flat, LATENT))
        self.decoder = nn.Sequential(
            nn.Linear(LATENT, flat),
            nn.ReLU(),
            nn.Unflatten(1, (widths[-1], _SIDE, _SIDE)),
            *_convolutions(widths[::-1]),
        )

    def forward(self, activation: Tensor) -> Tensor:
        """What comes back, of the same shape."""
        rebuilt: Tensor = self.decoder(self.encoder(activation))
        return rebuilt


class CodedHourglass(StackedHourglass):
    """One hourglass, with an autoencoder behind the third residual of its bottleneck."""

    def __init__(self, width: int) -> None:
        super().__init__(1, width)
        self.hourglass.code = Autoencoder(width)

    @property
    def hourglass(self) -> Hourglass:
        """The one."""
        return cast(Hourglass, self.hourglasses[0])


class CodeAlone(CodedHourglass):
    """The same, of which the autoencoder alone learns: all else stays as it is, its normalisations too."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.requires_grad_(False)
        self.hourglass.code.requires_grad_(True)

    def train(self, mode: bool = True) -> Self:
        """Turn noise on the autoencoder's input on or off."""
        super().train(False)
        self.training = mode
        return self

    def forward(self, crops: Tensor) -> Tensor:
        """(B, 3, 256, 256) less the mean colour to (B, 2, width, 4, 4): what is rebuilt, and of what."""
        with torch.no_grad():
            _, activation = self.hourglass.encoded(max_pool2d(self.stem(crops), 2))
        given = activation * (1 + _NOISE * torch.randn_like(activation)) if self.training else activation
        return torch.stack([self.hourglass.code(given), activation], dim=1)


def _convolutions(widths: tuple[int, ...]) -> list[nn.Module]:
    """From each width to the next, a ReLU between two."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.ReLU(), nn.Conv2d(before, after, 3, padding=1)]
    return layers[1:]
