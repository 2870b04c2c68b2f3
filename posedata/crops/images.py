"""Read photographs, and cut crops from them."""

from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.crops.annotations import Image
from posedata.crops.geometry import CROP, Square
from posedata.errors import bad_file
from posedata.formats.base import need_regular

Pixels = NDArray[np.uint8]

MOST_FILE = 1 << 26
"""Bytes of an image file: a hundred times COCO's largest."""

_JPEG, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_TAIL = 1 << 10
"""Bytes at the end of a JPEG file among which its end mark stands; some cameras write padding behind it."""


class Photograph(NamedTuple):
    """An image file.

    Attributes:
        pixels: (height, width, 3), RGB.
        sha256: hex, of the file.
    """

    pixels: Pixels
    sha256: str


def read_image(path: Path, image: Image) -> Photograph:
    """An image as its pixels lie in the file: COCO's coordinates are those, so a camera's rotation mark is not heeded.

    Grey images become RGB of three equal channels.

    Args:
        path: the file.
        image: what the annotations tell of it.

    Raises:
        BadInputError: if it is not there, damaged, cut short, or of another size than the annotations say.
    """
    import cv2

    need_regular(path, MOST_FILE)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise bad_file(path, [f"image {image.key}: expected an image, found {error.strerror}"]) from error
    if is_cut(data):
        raise bad_file(path, [f"image {image.key}: expected a whole JPEG file, found one that was cut short"])
    found = decoded(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if found is None:
        raise bad_file(path, [f"image {image.key}: expected an image, found none that can be decoded"])
    height, width = found.shape[:2]
    if (width, height) != (image.width, image.height):
        told = f"{image.width} x {image.height} pixels as the annotations say"
        raise bad_file(path, [f"image {image.key}: size: expected {told}, found {width} x {height}"])
    return Photograph(np.ascontiguousarray(found[:, :, ::-1]).astype(np.uint8, copy=False), sha256(data).hexdigest())


def decoded(data: bytes, how: int) -> NDArray[np.generic] | None:
    """(h, w, 3) BGR of an image file, read by the flags of OpenCV; None of what cannot be decoded, or is too large."""
    import cv2

    try:
        return cv2.imdecode(np.frombuffer(data or b"\0", np.uint8), how)
    except cv2.error:
        return None


def is_cut(data: bytes) -> bool:
    """Whether a JPEG file lacks its end: OpenCV 4 decodes it all the same, with grey in place of what is missing."""
    return data.startswith(_JPEG) and _JPEG_END not in data[-_TAIL:]


def cut(pixels: Pixels, square: Square) -> Pixels:
    """(256, 256, 3): a square of an image, resized: by areas where it shrinks, else linearly."""
    import cv2

    left, top, right, bottom = square.corners
    found = pixels[top:bottom, left:right]
    how = cv2.INTER_AREA if square.side > CROP else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(found, (CROP, CROP), interpolation=how), np.uint8)
