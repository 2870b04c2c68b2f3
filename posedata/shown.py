"""How a store of each kind shows itself to people: its card, its picture, its table, and a sheet of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata import rows
from posedata.card import card
from posedata.clips import schema as clips
from posedata.clips.card import clip_card, clip_picture, clip_rows
from posedata.crops import schema as crops
from posedata.crops.card import crop_card, crop_picture, crop_rows
from posedata.portrait import picture
from posedata.store.arrays import StoredArrays
from posedata.store.schema import KIND


@dataclass(frozen=True)
class Sheet:
    """A sheet to look a store over.

    Attributes:
        of: what such a store holds, in words.
        unit: what is counted on the sheet.
        draw: a picture, (h, w, 3) RGB, and how many are on it, from the store, how many at most, and a seed.
    """

    of: str
    unit: str
    draw: Callable[[Path, int, int], tuple[NDArray[np.uint8], int]]


@dataclass(frozen=True)
class Shown:
    """What people see of a store of one kind.

    Attributes:
        card: its card, from name, summary, content digest, number of things left out, and warnings.
        picture: an SVG document, from its arrays.
        rows: what `posedata info` tells of such stores alone, from the report of `posedata.assemble.report`.
        sheet: all that `posedata preview` draws of it; None where it draws more.
    """

    card: Callable[[str, Mapping[str, Any], str, int, Sequence[str]], str]
    picture: Callable[[StoredArrays], str]
    rows: Callable[[Mapping[str, Any]], Iterator[tuple[str, object]]]
    sheet: Sheet | None = None


def _crop_sheet(path: Path, count: int, seed: int) -> tuple[NDArray[np.uint8], int]:
    from posedata.crops.sheet import draw_sheet

    return draw_sheet(path, count, seed)


def _clip_sheet(path: Path, count: int, seed: int) -> tuple[NDArray[np.uint8], int]:
    from posedata.clips.sheet import draw_sheet

    return draw_sheet(path, count, seed)


_SHOWN = {
    KIND: Shown(card, picture, rows.heatmap_rows),
    crops.KIND: Shown(crop_card, crop_picture, crop_rows, Sheet("image crops", "crops", _crop_sheet)),
    clips.KIND: Shown(clip_card, clip_picture, clip_rows, Sheet("video clips", "clips", _clip_sheet)),
}


def shown(kind: str) -> Shown:
    """How stores of that kind show themselves; the kind is one of `posedata.store.kinds.KINDS`."""
    return _SHOWN[kind]
