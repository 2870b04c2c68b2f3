"""Films whose frames show their numbers."""

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

BITS = 8
"""A frame of a film shows its number as so many squares in a row, white for 1, the lowest bit first."""

DOT = (255, 0, 255)
"""Red green blue."""


def numbered(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """A dark frame with its number along its upper edge."""
    frame = np.full((height, width, 3), 40, np.uint8)
    for bit in range(BITS):
        frame[: height // 16, bit * width // BITS : (bit + 1) * width // BITS] = 255 * (number >> bit & 1)
    return frame


def number_in(picture: NDArray[np.uint8]) -> int:
    """The number that a frame shows, whatever its size."""
    height, width = picture.shape[:2]
    row = picture[height // 32].mean(axis=-1)
    return sum(1 << bit for bit in range(BITS) if row[(2 * bit + 1) * width // (2 * BITS)] > 127)


def write_film(path: Path, frames: Iterable[NDArray[np.uint8]], codec: str = "MJPG") -> Path:
    """A film of (h, w, 3) frames, red green blue."""
    film = None
    for frame in frames:
        size = frame.shape[1::-1]
        film = film or cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 30, size)
        film.write(np.ascontiguousarray(frame[..., ::-1]))
    assert film is not None and film.isOpened()
    film.release()
    return path
