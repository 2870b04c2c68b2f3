"""What the metadata of a store may say, proved before any array is read.

The documents must be those that a build makes for the counts in the root's attributes, and the files exactly those that
such arrays have. So no metadata can make a reader allocate what the files do not hold, or run a codec that was never
meant.
"""

import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posedata.card import CARD_NAME, PICTURE_NAME
from posedata.manifest import MANIFEST_NAME, SOURCES_NAME, SUMMARY, Manifest
from posedata.store import schema
from posedata.store.kinds import described
from posedata.store.metadata import array_metadata, group_metadata
from posedata.store.schema import ArraySpec


@dataclass(frozen=True)
class Problem:
    """Something in a store that is not what its manifest says."""

    file: str
    problem: str


def metadata_problems(path: Path, manifest: Manifest) -> list[Problem]:
    """Everything in the metadata that the schema does not allow; reads JSON only."""
    root = _document(path / "zarr.json")
    attributes = root.get("attributes")
    if isinstance(attributes, dict) and attributes.get("kind") != manifest.kind:
        found = _short(attributes.get("kind"))
        return [Problem("zarr.json", f"attributes.kind: expected {_short(manifest.kind)}, found {found}")]
    try:
        specs, lengths = described(attributes)  # type: ignore[arg-type]
    except (KeyError, TypeError) as error:
        return [Problem("zarr.json", f"attributes: expected recipe and counts, found {error} missing")]
    most = schema.SHARD_FRAMES * len(manifest.files)
    if not all(type(length) is int and 0 < length <= most for length in lengths.values()):
        return [Problem("zarr.json", f"counts: expected numbers that {len(manifest.files)} files can hold")]
    return [
        *_attribute_problems(attributes or {}, manifest, {spec.name for spec in specs}),
        *_differing("zarr.json", root, group_metadata(attributes or {}, specs, lengths)),
        *(
            problem
            for spec in specs
            for problem in _differing(
                f"{spec.name}/zarr.json",
                _document(path / spec.name / "zarr.json"),
                array_metadata(spec, lengths[spec.dims[0]]),
            )
        ),
        *_unlisted(manifest, specs, lengths),
    ]


def _attribute_problems(attributes: Mapping[str, Any], manifest: Manifest, arrays: Set[str]) -> Iterator[Problem]:
    """What readers go by: which arrays may be looked up, and the summary that the manifest repeats."""
    rendered = attributes.get("rendered")
    if not isinstance(rendered, list) or not all(isinstance(name, str) and name in arrays for name in rendered):
        yield Problem("zarr.json", f"attributes.rendered: expected names of arrays, found {_short(rendered)}")
    for key in sorted(set(SUMMARY) - manifest.summary.keys()):
        yield Problem(MANIFEST_NAME, f"summary.{key}: expected in every manifest, found nothing")
    for key, value in manifest.summary.items():
        yield from _differing("zarr.json", attributes.get(key), value, f"attributes.{key}")


def _differing(file: str, found: Any, expected: Any, where: str = "") -> Iterator[Problem]:
    """The places, as deep as they are known, where a document differs from the one expected."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in sorted(expected.keys() | found.keys()):
            place = f"{where}.{key}" if where else str(key)
            if key in expected and key in found:
                yield from _differing(file, found[key], expected[key], place)
            else:
                yield Problem(file, f"{place}: expected {_short(expected.get(key))}, found {_short(found.get(key))}")
    # As JSON, for to Python True is 1 and 1 is 1.0.
    elif json.dumps(found, sort_keys=True) != json.dumps(expected, sort_keys=True):
        yield Problem(file, f"{where or 'document'}: expected {_short(expected)}, found {_short(found)}")


def _short(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) < 80 else f"{text[:80]}..."


def _unlisted(manifest: Manifest, specs: tuple[ArraySpec, ...], lengths: Mapping[str, int]) -> Iterator[Problem]:
    """Files that a store needs and the manifest does not name, or the other way round."""
    wanted = {SOURCES_NAME, CARD_NAME, PICTURE_NAME, "zarr.json", *(f"{spec.name}/zarr.json" for spec in specs)}
    for spec in specs:
        files = schema.shards_of(lengths["frame"]) if spec.along_frames else 1
        wanted |= {spec.file(number) for number in range(files)}
    listed = {file.path for file in manifest.files}
    for name in sorted(wanted - listed):
        yield Problem(name, "expected it in the manifest, for every such store has it; found it missing")
    for name in sorted(listed - wanted):
        yield Problem(name, "expected only what such a store has, found one file more in the manifest")


def _document(path: Path) -> dict[str, Any]:
    """A JSON object; an empty one if the file holds anything else."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
