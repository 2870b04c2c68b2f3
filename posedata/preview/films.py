"""Write frames as a contact sheet or a film. A film's frames are drawn one at a time, and none is kept."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from PIL.GifImagePlugin import getdata, getheader

from posedata.errors import FULL_DISK, ChoiceError, ResourceError
from posedata.preview.about import About
from posedata.preview.draw import Picture, grid, png, tile, titled
from posedata.preview.scenes import Scene

SHEET_SCALE = 5
GIF_SCALE = 5
MP4_SCALE = 6
"""Pixels of a cell."""

_SHORTEST = 2
"""Hundredths of a second: browsers show a frame of a GIF that asks for less far longer."""

_CODEC: Final = "libx264"
_H264 = {"preset": "veryfast", "crf": "20"}
"""Hardly to be told from the drawings, and faster than they are drawn."""

_MOST_PARTS = 100_000
"""Of a second: the finest times of a film."""

_SLOWEST = Fraction(1, 1000)
"""Frames a second. FFmpeg knows none that are much slower."""


def write_png(path: Path, scenes: Iterator[Scene], about: About) -> None:
    """All frames on one sheet, about as wide as high."""
    tiles = [tile(scene, SHEET_SCALE) for scene in scenes]
    height, width = tiles[0].shape[:2]
    columns = max(1, min(len(tiles), round(math.sqrt(len(tiles) * height / width * 4 / 3))))
    path.write_bytes(png(titled(grid(tiles, columns), about.title)))


def write_gif(path: Path, scenes: Iterator[Scene], about: About) -> None:
    """A film that begins anew when it ends; its times are whole hundredths of a second.

    Pillow's `save` keeps every frame until the last is known, so the parts of the file are asked for one by one.
    """
    pictures = (_quantised(picture) for picture in _film(scenes, about, GIF_SCALE))
    first = next(pictures)
    duration = max(_SHORTEST, round(100 / about.rate)) * 10
    with path.open("wb") as file:
        file.writelines(getheader(first, info={"loop": 0, "duration": duration})[0])
        for picture in chain([first], pictures):
            file.writelines(getdata(picture, duration=duration, include_color_table=True))
        file.write(b";")


def write_mp4(path: Path, scenes: Iterator[Scene], about: About) -> None:
    """A film.

    Raises:
        ChoiceError: if this build of FFmpeg cannot write it.
        ResourceError: if the disk is full.
    """
    pictures = _film(scenes, about, MP4_SCALE)
    first = next(pictures)
    with open_mp4(path, (first.shape[1], first.shape[0]), about.rate, "make a .gif or .html") as add:
        for picture in chain([first], pictures):
            add(picture)


@contextmanager
def open_mp4(path: Path, size: tuple[int, int], rate: float, otherwise: str) -> Iterator[Callable[[Picture], None]]:
    """A film to which pictures are added one by one: H.264, which players and browsers play.

    Args:
        path: of the file.
        size: (width, height) of the pictures in pixels, even.
        rate: frames a second.
        otherwise: what to do where FFmpeg cannot write it.

    Raises:
        ChoiceError: if this build of FFmpeg cannot write it.
        ResourceError: if the disk is full.
    """
    import av  # here, for pictures and GIFs do without

    try:
        # What players need to begin comes first. One thread: with more the bytes would depend on their number.
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as film:
            stream = film.add_stream(_CODEC, max(Fraction(rate).limit_denominator(_MOST_PARTS), _SLOWEST), _H264)
            stream.width, stream.height = size
            stream.thread_count = 1

            def add(picture: Picture) -> None:
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                film.mux(stream.encode(frame))

            yield add
            film.mux(stream.encode(None))
    except av.codec.codec.UnknownCodecError as error:
        wanted = "expected a PyAV whose FFmpeg writes H.264, found one that does not"
        raise ChoiceError(f"{path.name}: {wanted}; {otherwise}") from error
    except av.FFmpegError as error:
        advice = "; free some space on the disk and run the command again" if error.errno in FULL_DISK else ""
        raise ResourceError(f"{path.name}: expected to write a film, found {error.strerror}{advice}") from error


def _film(scenes: Iterator[Scene], about: About, scale: int) -> Iterator[Picture]:
    for scene in scenes:
        yield titled(tile(scene, scale), about.title)


def _quantised(picture: Picture) -> Image.Image:
    """With a palette of its own; without dithering, which would flicker."""
    return Image.fromarray(picture).quantize(256, dither=Image.Dither.NONE)
