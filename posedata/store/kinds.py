"""The kinds of stores that there are. What stores have in common asks here what differs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from posedata.clips import schema as clips
from posedata.crops import schema as crops
from posedata.store import schema
from posedata.store.schema import ArraySpec

Described = tuple[tuple[ArraySpec, ...], dict[str, int]]
"""All arrays of a store, and the lengths of their first dimensions."""


@dataclass(frozen=True)
class Kind:
    """One kind of store.

    Attributes:
        version: of its format.
        described: arrays and lengths, as the attributes of a store's root have them; raises KeyError or TypeError.
        least_bytes: what a store of so many frames takes up at the very least.
    """

    version: int
    described: Callable[[Mapping[str, Any]], Described]
    least_bytes: Callable[[int], int]


KINDS: Mapping[str, Kind] = {
    schema.KIND: Kind(schema.FORMAT_VERSION, schema.described, schema.least_bytes),
    crops.KIND: Kind(crops.FORMAT_VERSION, crops.described, crops.least_bytes),
    clips.KIND: Kind(clips.FORMAT_VERSION, clips.described, clips.least_bytes),
}
"""By the `kind` of the root's attributes and of the manifest."""


def described(attributes: Mapping[str, Any]) -> Described:
    """Arrays and their lengths, whatever the kind; raises KeyError or TypeError where the attributes lack something."""
    return KINDS[attributes["kind"]].described(attributes)
