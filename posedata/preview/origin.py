"""Which film the frames of a sequence are from, and how its annotations count them. Needs no package that draws."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

_FIRST = {"brace": 1, "penn_action": 1, "speed21": 1}
"""Dataset -> the number that its annotations give to the first frame of a film; 0 for all others."""

_CUT = ("speed21",)
"""Datasets that number the frames of each sequence from its own beginning: its film is that much, cut out."""


def first_number(dataset: str) -> int:
    """The number of a film's first frame."""
    return _FIRST.get(dataset, 0)


def film_name(dataset: str, video: str, sequence: str) -> str:
    """What the film of a sequence is called, without its ending."""
    # A video may be an address, of which the last part is a name.
    return PurePosixPath(sequence if dataset in _CUT else video).name


def is_resampled(recipe: Mapping[str, Any]) -> bool:
    """Whether the frames of a store are of another rate than their source's: those are of no film."""
    return "fps" in recipe or any(is_resampled(parent["recipe"]) for parent in recipe.get("parents", ()))
