"""How a store of each kind shows itself to people: its card and its picture."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from posedata.card import card
from posedata.crops import schema as crops
from posedata.crops.card import crop_card, crop_picture
from posedata.portrait import picture
from posedata.store.arrays import StoredArrays
from posedata.store.schema import KIND


@dataclass(frozen=True)
class Shown:
    """What people see of a store of one kind.

    Attributes:
        card: its card, from name, summary, content digest, number of things left out, and warnings.
        picture: an SVG document, from its arrays.
    """

    card: Callable[[str, Mapping[str, Any], str, int, Sequence[str]], str]
    picture: Callable[[StoredArrays], str]


_SHOWN = {KIND: Shown(card, picture), crops.KIND: Shown(crop_card, crop_picture)}


def shown(kind: str) -> Shown:
    """How stores of that kind show themselves; the kind is one of `posedata.store.kinds.KINDS`."""
    return _SHOWN[kind]
