"""SmoothNet (Zeng et al. 2022), for comparison: one perceptron over time, shared by all joints and axes."""

from torch import Tensor, nn

_WIDTH, _HIDDEN, _BLOCKS, _DROPOUT = 512, 128, 5, 0.25


class _Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(_WIDTH, _HIDDEN),
            nn.Dropout(_DROPOUT),
            nn.LeakyReLU(0.2),
            nn.Linear(_HIDDEN, _WIDTH),
            nn.Dropout(_DROPOUT),
            nn.LeakyReLU(0.2),
        )

    def forward(self, features: Tensor) -> Tensor:
        smoothed: Tensor = self.layers(features) + features
        return smoothed


class SmoothNet(nn.Module):
    """Sees one coordinate of one joint over all frames at a time.

    Args:
        window: T, frames in a window; it cannot be another when the model is used.
    """

    def __init__(self, window: int) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(window, _WIDTH), nn.LeakyReLU(0.1))
        self.blocks = nn.Sequential(*(_Block() for _ in range(_BLOCKS)))
        self.decode = nn.Linear(_WIDTH, window)

    def forward(self, points: Tensor) -> Tensor:
        """(B, T, 25, 2) normalised coordinates to the same shape."""
        tracks = points.movedim(1, -1)
        smoothed: Tensor = self.decode(self.blocks(self.encode(tracks)))
        return smoothed.movedim(-1, 1)
