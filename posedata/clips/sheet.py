"""A sheet of clips, three frames of each beside their joints from two sides: a PNG to look a store over."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from posedata.clips.geometry import Floats, Views, views
from posedata.clips.joints import JOINTS, LIMBS
from posedata.clips.schema import CLIP_FRAMES, SIDE
from posedata.clips.store import ClipStore, open_clips
from posedata.preview.colours import GROUND, INK, PAPER, SIDES, Colour, side
from posedata.preview.draw import GAP, Picture, bordered, disc, grid, line, stroke, subpixels, titled
from posedata.splits import SPLIT_NAMES

SHOWN = [0, CLIP_FRAMES // 2, CLIP_FRAMES - 1]
"""First, middle and last frame."""

_WIDTH = 136
"""Pixels of a view; it is as high as a frame."""

_FILLED = 0.86
"""Of a view, by the person."""

_LEAST = 0.1
"""Metres that a view shows at least."""

_MESH, _MESH_COLOUR = 0.5, (44, 48, 58)
"""Metres between two lines of the ground that a person is drawn on."""


class Scale(NamedTuple):
    """Where metres come to stand in a view: about its middle.

    Attributes:
        middle: (2,) metres.
        pixels: of a metre.
    """

    middle: Floats
    pixels: float

    def places(self, points: Floats) -> Floats:
        """(..., 2) pixels from the left and upper edge."""
        return np.asarray((points - self.middle) * self.pixels + (_WIDTH / 2, SIDE / 2))


def draw_sheet(path: Path, count: int, seed: int) -> tuple[Picture, int]:
    """Some clips of a store, from all over it and in its order; see `posedata.shown.Sheet`."""
    store = open_clips(path)
    rng = np.random.default_rng(seed)
    total = len(store) // CLIP_FRAMES
    clips = np.sort(rng.choice(total, min(count, total), replace=False)).astype(np.int64)
    tiles = [_tile(store, clip) for clip in clips.tolist()]
    synthetic = "SYNTHETIC data, " if store.attributes["synthetic"] else ""
    title = f"{store.path.name}: {synthetic}{total:,} clips"
    marks = f"first, middle, last frame; joints from the front and from the right; a line every {_MESH:g} m"
    return titled(grid(tiles, 1), title, marks), len(clips)


def _tile(store: ClipStore, clip: int) -> Picture:
    """Three frames of a clip with their joints, and below them its number in its file, and its split."""
    positions = clip * CLIP_FRAMES + np.asarray(SHOWN)
    images, joints, numbers, split = (store.frames(name, positions) for name in ("image", "joints", "clip", "split"))
    picture = row(images, views(joints.astype(np.float64), store.up))
    frames = ", ".join(map(str, SHOWN))
    words = line(picture.shape[1], (f"clip {numbers[0]}, frames {frames}", INK), right=SPLIT_NAMES[int(split[0])])
    return bordered(np.concatenate([picture, words]))


def row(images: Picture, both: Views, behind: Views | None = None) -> Picture:
    """Frames, each with its two views, and gaps between them; one scale for all, so that who moves is seen to.

    Args:
        images: (n, 224, 224, 3).
        both: of (n, 17, 3) joints.
        behind: of others, drawn behind them in a colour of their own.
    """
    pairs = list(zip(both, behind or both, strict=True))
    scales = scales_of([np.stack(pair) for pair in pairs])
    gap = np.full((SIDE, GAP, 3), PAPER, np.uint8)
    parts: list[Picture] = []
    for number, image in enumerate(images):
        parts += [*([gap] * 4 if number else []), image]
        for (points, others), scale in zip(pairs, scales, strict=True):
            parts += [gap, figure(points[number], scale, others[number] if behind else None)]
    return np.concatenate(parts, axis=1)


def scales_of(pictures: Iterable[Floats]) -> list[Scale]:
    """For each view, (..., 2) metres that are to be seen on it; all have the same pixels a metre."""
    boxes = [(points.reshape(-1, 2).min(axis=0), points.reshape(-1, 2).max(axis=0)) for points in pictures]
    fitting = [(_WIDTH, SIDE) / np.maximum(high - low, _LEAST) for low, high in boxes]
    pixels = _FILLED * float(np.min(fitting))
    return [Scale((low + high) / 2, pixels) for low, high in boxes]


def figure(points: Floats, scale: Scale, behind: Floats | None = None) -> Picture:
    """(224, 136, 3): a person on a ground of squares; left is blue, right orange, what lies between green.

    Args:
        points: (17, 2) metres, right and down positive.
        scale: where they come to stand.
        behind: those of another person, drawn in white behind the first.
    """
    drawn = np.full((SIDE, _WIDTH, 3), GROUND, np.uint8)
    step = _MESH * scale.pixels
    for place in np.arange(_WIDTH / 2 % step, _WIDTH, step).round().astype(int).tolist():
        drawn[:, place] = _MESH_COLOUR
    for place in np.arange(SIDE / 2 % step, SIDE, step).round().astype(int).tolist():
        drawn[place] = _MESH_COLOUR
    if behind is not None:
        _skeleton(drawn, scale.places(behind), INK)
    _skeleton(drawn, scale.places(points))
    return drawn


def _skeleton(drawn: Picture, points: Floats, colour: Colour | None = None) -> None:
    """Put one on a picture, in the colours of its sides or in one; (17, 2) pixels from the left and upper edge."""
    places = subpixels(points)
    for a, b in LIMBS:
        stroke(drawn, places[a], places[b], colour or SIDES[side(JOINTS[a], JOINTS[b])], 2)
    for name, place in zip(JOINTS, places, strict=True):
        disc(drawn, place, 3, colour or SIDES[side(name)])
