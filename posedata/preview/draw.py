"""Draw frames. Pure: arrays in, pictures out, (h, w, 3) uint8, red green blue.

Places are in pixels from the left and upper edge. OpenCV means by a whole number the middle of a pixel, so half a pixel
is taken off.
"""

import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from posedata.geometry import GRID, to_pixels
from posedata.preview.colours import GROUND, INK, KEYPOINT_COLOURS, LIMB_COLOURS, PAPER, PEAK, SIDES, Colour, lighter
from posedata.preview.scenes import Floats, Scene, fused
from posedata.skeleton import LIMBS, K

Picture = NDArray[np.uint8]
Place = list[int]

GAP = 4
"""Pixels between the two panels of a tile, and around it."""

LINE_HEIGHT = 22
"""Pixels of a line of text."""

_MARKS = "target; input (light) over target"
_SPACE = 6
_FONT, _FONT_SCALE = cv2.FONT_HERSHEY_SIMPLEX, 0.45
_SUBPIXEL_BITS = 4
_SHIFT = 1 << _SUBPIXEL_BITS
_FAINT = 0.6


def ground(heat: NDArray[np.floating], scale: int) -> Picture:
    """A heatmap in grey, each cell a square.

    Args:
        heat: (56, 56) from 0 to 1.
        scale: pixels of a cell.

    Returns:
        (56 * scale, 56 * scale, 3).
    """
    low, high = np.asarray(GROUND, np.float64), np.asarray(PEAK, np.float64)
    cells = np.rint(low + heat[..., None] * (high - low)).astype(np.uint8)
    return cells.repeat(scale, axis=0).repeat(scale, axis=1)


def skeleton(
    picture: Picture, points: Floats, scale: int, light: bool = False, colour: Colour | None = None
) -> Picture:
    """A picture with a skeleton on it.

    Args:
        picture: to draw on.
        points: (25, 2) places, NaN = missing: neither the point nor its limbs are drawn.
        scale: decides how thick lines are: on a grid, the pixels of a cell.
        light: thin and in lighter colours, as the input is.
        colour: of all of it; None = those of the parts of the body.
    """
    drawn = picture.copy()
    there, places = ~np.isnan(points[:, 0]), subpixels(points)
    width = max(1, round(scale * (0.2 if light else 0.4)))
    for (a, b), own in zip(LIMBS, LIMB_COLOURS, strict=True):
        if there[a] and there[b]:
            shade = lighter(colour or own) if light else colour or own
            stroke(drawn, places[a], places[b], shade, width)
    _discs(drawn, points, scale * (0.4 if light else 0.55), light, colour)
    return drawn


def dots(picture: Picture, points: Floats, scale: int, colour: Colour | None = None) -> Picture:
    """A picture with faint dots on it, as the input is beside a skeleton; arguments as of `skeleton`."""
    drawn = picture.copy()
    _discs(drawn, points, scale * 0.4, True, colour)
    return np.asarray(cv2.addWeighted(drawn, _FAINT, picture, 1 - _FAINT, 0.0), np.uint8)


def _discs(drawn: Picture, points: Floats, radius: float, light: bool, colour: Colour | None) -> None:
    """Put a disc on every point that is there."""
    places = subpixels(points)
    for k in np.flatnonzero(~np.isnan(points[:, 0])):
        own = colour or KEYPOINT_COLOURS[k]
        shade = lighter(own) if light else own
        disc(drawn, places[k], radius, shade)


def subpixels(points: NDArray[np.floating]) -> list[Place]:
    """(n, 2) places as `stroke` and `disc` take them: as OpenCV does, in parts of a pixel; NaN means nothing."""
    places: list[Place] = np.rint((np.nan_to_num(points) - 0.5) * _SHIFT).astype(int).tolist()
    return places


def stroke(drawn: Picture, start: Place, end: Place, colour: Colour, width: int) -> None:
    """Put a line on a picture, of so many pixels; its ends are of `subpixels`."""
    cv2.line(drawn, start, end, colour, width, cv2.LINE_AA, _SUBPIXEL_BITS)


def disc(drawn: Picture, place: Place, radius: float, colour: Colour, filled: bool = True) -> None:
    """Put a disc on a picture, or a ring; the middle is of `subpixels`, the radius in pixels."""
    thickness = cv2.FILLED if filled else 1
    cv2.circle(drawn, place, round(radius * _SHIFT), colour, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def panels(scene: Scene, scale: int) -> Picture:
    """The target; beside it the input, with the target under it. They stand on their heatmaps, or before a backdrop."""
    left, right, box = _grounds(scene, scale)
    target, peaks = to_pixels(np.stack([scene.target, scene.peaks]), np.stack([box, box]))
    left, right = (skeleton(picture, target, scale) for picture in (left, right))
    between = np.full((len(left), GAP, 3), PAPER, np.uint8)
    return np.concatenate([left, between, skeleton(right, peaks, scale, light=True)], axis=1)


def _grounds(scene: Scene, scale: int) -> tuple[Picture, Picture, Floats]:
    """What target and input are drawn on, and where the grid lies in both: (4,) x0 y0 x1 y1 in pixels."""
    if scene.backdrop is not None:
        return scene.backdrop.picture, scene.backdrop.picture, scene.backdrop.box
    heatmaps = (scene.target_heatmaps, scene.input_heatmaps)
    target, seen = (ground(fused(values), scale) for values in heatmaps)
    return target, seen, np.asarray([0.0, 0.0, GRID * scale, GRID * scale])


def tile(scene: Scene, scale: int) -> Picture:
    """A frame: its panels, and below them sequence, frame number, split, and how many keypoints are missing."""
    picture = panels(scene, scale)
    absent = int(np.isnan(scene.target).any(axis=-1).sum())
    gone = "no keypoint" if absent == K else f"{absent} of {K} missing" if absent else "none missing"
    words = line(picture.shape[1], (scene.sequence, INK), right=f"frame {scene.number}, {scene.split}, {gone}")
    return bordered(np.concatenate([picture, words]))


def header(title: str, width: int, marks: str = _MARKS) -> Picture:
    """What is seen: a title, and a legend of what is drawn and of the colours."""
    legend = line(width, (marks, INK), *((name, SIDES[name]) for name in SIDES))
    return bordered(np.concatenate([line(width, (title, INK)), legend]))


def titled(picture: Picture, title: str, marks: str = _MARKS) -> Picture:
    """Below a header of its own width."""
    return np.concatenate([header(title, picture.shape[1] - 2 * GAP, marks), picture])


def png(picture: Picture) -> bytes:
    """A picture as a PNG file."""
    _, data = cv2.imencode(".png", picture[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return data.tobytes()


def grid(tiles: Sequence[Picture], columns: int) -> Picture:
    """Tiles of one size in rows; places that are left over stay empty."""
    empty = np.full_like(tiles[0], np.asarray(PAPER, np.uint8))
    filled = [*tiles, *[empty] * (-len(tiles) % columns)]
    rows = [np.concatenate(filled[i : i + columns], axis=1) for i in range(0, len(filled), columns)]
    return np.concatenate(rows)


def line(width: int, *pieces: tuple[str, Colour], right: str = "") -> Picture:
    """A line of text: pieces one after the other, and one at the right end.

    What does not fit is cut out of the middle of a piece; letters that are not ASCII become "?".

    Returns:
        (LINE_HEIGHT, width, 3).
    """
    drawn = np.full((LINE_HEIGHT, width, 3), PAPER, np.uint8)
    end = _write(drawn, right, INK, width - _width(right) - _SPACE) if right else width
    place = _SPACE
    for words, colour in pieces:
        _write(drawn, cut := _fitted(words, end - place - _SPACE), colour, place)
        place += _width(cut) + 2 * _SPACE
    return drawn


def bordered(picture: Picture) -> Picture:
    """With a gap on all sides."""
    framed = np.full((picture.shape[0] + 2 * GAP, picture.shape[1] + 2 * GAP, 3), PAPER, np.uint8)
    framed[GAP:-GAP, GAP:-GAP] = picture
    return framed


def _write(drawn: Picture, words: str, colour: Colour, place: int) -> int:
    """Put words on a line of text; returns where they begin."""
    cv2.putText(drawn, words, (place, 15), _FONT, _FONT_SCALE, colour, 1, cv2.LINE_AA)
    return place


def _width(words: str) -> int:
    return cv2.getTextSize(words, _FONT, _FONT_SCALE, 1)[0][0]


def _fitted(words: str, width: int) -> str:
    # The font has no other letters; of those with an accent there is the letter.
    bare = "".join(letter for letter in unicodedata.normalize("NFKD", words) if not unicodedata.combining(letter))
    plain = "".join(letter if " " <= letter <= "~" else "?" for letter in bare)
    cut, kept = plain, len(plain)
    while kept > 0 and _width(cut) > width:
        kept -= 1
        cut = f"{plain[: kept - kept // 2]}..{plain[len(plain) - kept // 2 :]}"
    return cut
