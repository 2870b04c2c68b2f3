"""Pictures with a bright dot, and a detector that sees it."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from posetrain.detect.network import Detector

SIZE = (200, 120)
"""(width, height) of the pictures."""


def dot(number: int) -> tuple[int, int]:
    """Where the dot of a picture is: its middle pixel, x y."""
    return 60 + 4 * number, 50 + 2 * number


def write_dots(folder: Path, numbers: range) -> Path:
    """Numbered pictures, dark but for a dot of 3 x 3 pixels."""
    folder.mkdir()
    for number in numbers:
        picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
        x, y = dot(number)
        picture[y - 1 : y + 2, x - 1 : x + 2] = 255
        cv2.imwrite(str(folder / f"{number:06d}.png"), picture)
    return folder


class Bright(nn.Module):
    """Says of every joint that it is where a crop is bright: (B, 3, 256, 256) to (B, 2, 17, 64, 64)."""

    def forward(self, crops: Tensor) -> Tensor:
        last = avg_pool2d(crops.mean(dim=1, keepdim=True), 4).expand(-1, 17, -1, -1)
        return torch.stack([torch.zeros_like(last), last], dim=1)


def bright(mean: float = 0.0) -> Detector:
    """Such a detector, with the mean colour of a store that nobody needs."""
    return Detector(Bright(), "hourglass", 3, np.full(3, mean, np.float32))
