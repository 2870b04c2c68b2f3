"""Photographs: pixels as they lie in the file, and every bad file."""

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from posedata.crops.annotations import Image
from posedata.crops.geometry import Square
from posedata.crops.images import cut, read_image
from posedata.errors import BadInputError

WIDE = Image(5, "a.jpg", 60, 40)


def jpeg(pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 100])[1])


def red_left() -> np.ndarray:
    """(40, 60, 3) BGR: the left half red, the right half blue."""
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:, :30, 2], pixels[:, 30:, 0] = 255, 255
    return pixels


def rotated(data: bytes) -> bytes:
    """A JPEG file with an EXIF mark that asks for a quarter turn."""
    tiff = b"II*\x00" + struct.pack("<IH", 8, 1) + struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0) + b"\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]


def test_channels_are_red_green_blue(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(red_left()))
    pixels = read_image(tmp_path / "a.jpg", WIDE).pixels
    assert pixels.shape == (40, 60, 3)
    np.testing.assert_allclose(pixels[20, 5], [255, 0, 0], atol=3)
    np.testing.assert_allclose(pixels[20, 55], [0, 0, 255], atol=3)


def test_a_camera_s_rotation_mark_is_not_heeded(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(rotated(jpeg(red_left())))
    # The mark is one: without our flag opencv turns the image.
    assert cv2.imread(str(tmp_path / "a.jpg")).shape == (60, 40, 3)
    np.testing.assert_allclose(read_image(tmp_path / "a.jpg", WIDE).pixels[20, 5], [255, 0, 0], atol=3)


def test_a_grey_image_has_three_equal_channels(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(jpeg(np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))))
    pixels = read_image(tmp_path / "a.jpg", WIDE).pixels
    assert pixels.shape == (40, 60, 3)
    assert (pixels == pixels[..., :1]).all()
    assert np.ptp(pixels) > 200


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "image 5: expected an image, found No such file"),
    "a folder": (lambda path: path.mkdir(), "expected a regular file"),
    "empty": (lambda path: path.write_bytes(b""), "expected an image, found none that can be decoded"),
    "text": (lambda path: path.write_text("hello"), "expected an image, found none that can be decoded"),
    "cut short": (lambda path: path.write_bytes(jpeg(red_left())[:-300]), "expected a whole JPEG file"),
    "another size": (
        lambda path: path.write_bytes(jpeg(red_left()[:, :50])),
        "image 5: size: expected 60 x 40 pixels as the annotations say, found 50 x 40",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_told(name: str, tmp_path: Path) -> None:
    make, expected = BAD[name]
    make(tmp_path / "a.jpg")
    with pytest.raises(BadInputError) as caught:
        read_image(tmp_path / "a.jpg", WIDE)
    assert str(caught.value).startswith(f"{tmp_path}/a.jpg: ")
    assert expected in str(caught.value)


@pytest.mark.parametrize("side", [1, 128, 256, 512])
def test_what_is_cut_is_the_square(side: int) -> None:
    pixels = np.zeros((600, 600, 3), np.uint8)
    pixels[30 : 30 + side, 20 : 20 + side] = (10, 20, 30)
    crop = cut(pixels, Square(20, 30, side))
    assert crop.shape == (256, 256, 3)
    assert crop.dtype == np.uint8
    assert (crop == (10, 20, 30)).all()


def test_a_square_of_256_is_not_touched() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (300, 300, 3)).astype(np.uint8)
    np.testing.assert_array_equal(cut(pixels, Square(7, 9, 256)), pixels[9:265, 7:263])
