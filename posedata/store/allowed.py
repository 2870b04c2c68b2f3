"""What the metadata of a store may say, proved before zarr reads any of it.

Shapes, dtypes, chunks and codecs of every array, in its own file and in the root's consolidated copy, must be those of
the schema for the counts in the root's attributes, and the files must be exactly those that such arrays have. So no
metadata can make a reader allocate what the files do not hold, or run a codec that was never meant.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posedata.manifest import Manifest
from posedata.store.schema import (
    CHUNK_FRAMES,
    DIMENSIONS,
    SHARD_FRAMES,
    TABLE,
    ZSTD_LEVEL,
    ArraySpec,
    frame_arrays,
    shards_of,
)


@dataclass(frozen=True)
class Problem:
    """Something in a store that is not what its manifest says."""

    file: str
    problem: str


def metadata_problems(path: Path, manifest: Manifest) -> list[Problem]:
    """Everything in the metadata that the schema does not allow; reads JSON only."""
    root = _document(path / "zarr.json")
    try:
        copies = root["consolidated_metadata"]["metadata"]
        noise = root["attributes"]["recipe"]["noise"]
        specs = (*TABLE, *frame_arrays(noise is not None, noise is not None and noise["sigma_per"] == "keypoint"))
        counts = root["attributes"]["counts"]
        lengths = {"frame": counts["frames"], "sequence": counts["sequences"], "keypoint": DIMENSIONS["keypoint"]}
    except (KeyError, TypeError) as error:
        return [Problem("zarr.json", f"attributes: expected recipe and counts, found {error!r} missing")]
    if not all(type(n) is int and 0 < n <= SHARD_FRAMES * len(manifest.files) for n in lengths.values()):
        return [Problem("zarr.json", f"counts: expected numbers that {len(manifest.files)} files can hold")]
    return [*_array_problems(path, copies, specs, lengths), *_listing_problems(manifest, specs, lengths)]


def _array_problems(
    path: Path, copies: Mapping[str, Any], specs: tuple[ArraySpec, ...], lengths: Mapping[str, int]
) -> Iterator[Problem]:
    if not isinstance(copies, dict) or copies.keys() != {spec.name for spec in specs}:
        yield Problem("zarr.json", "arrays: expected those of the schema, found others")
        return
    for spec in specs:
        expected = array_metadata(spec, lengths[spec.dims[0]])
        for file, found in (("zarr.json", copies[spec.name]), (f"{spec.name}/zarr.json", None)):
            document = _document(path / file) if found is None else found
            wrong = [key for key, value in expected.items() if not _same(document, key, value)]
            if wrong or document.keys() != expected.keys():
                yield Problem(file, f"{spec.name}: expected the schema's {', '.join(wrong) or 'keys'}, found others")


def _same(document: Any, key: str, value: Any) -> bool:
    # bool is an int, so 1 == True: the types must agree as well.
    return isinstance(document, dict) and json.dumps(document.get(key)) == json.dumps(value)


def _listing_problems(
    manifest: Manifest, specs: tuple[ArraySpec, ...], lengths: Mapping[str, int]
) -> Iterator[Problem]:
    wanted = {"zarr.json", *(f"{spec.name}/zarr.json" for spec in specs)}
    for spec in specs:
        shards = shards_of(lengths["frame"]) if spec.dims[0] == "frame" else 1
        wanted |= {"/".join([spec.name, "c", str(shard), *("0" for _ in spec.inner)]) for shard in range(shards)}
    for name in sorted(wanted ^ {file.path for file in manifest.files}):
        yield Problem(name, "expected the files that the arrays have, found one missing or one more in the manifest")


def array_metadata(spec: ArraySpec, length: int) -> dict[str, Any]:
    """The zarr.json of an array of `length`: Zarr 3 core and the sharding codec."""
    along_frames = spec.dims[0] == "frame"
    compressed = [{"name": "zstd", "configuration": {"level": ZSTD_LEVEL, "checksum": False}}, {"name": "crc32c"}]
    codecs = [_to_bytes(spec.dtype), *compressed]
    if spec.is_heatmaps:
        index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
        sharding = {"chunk_shape": [CHUNK_FRAMES, *spec.inner], "codecs": codecs, "index_codecs": index}
        codecs = [{"name": "sharding_indexed", "configuration": {**sharding, "index_location": "end"}}]
    grid = {"chunk_shape": [SHARD_FRAMES if along_frames else length, *spec.inner]}
    return {
        "shape": [length, *spec.inner],
        "data_type": spec.dtype,
        "chunk_grid": {"name": "regular", "configuration": grid},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": "NaN" if spec.fill != spec.fill else spec.fill,
        "codecs": codecs,
        "attributes": {},
        "dimension_names": list(spec.dims),
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }


def _to_bytes(dtype: str) -> dict[str, Any]:
    if dtype == "string":
        return {"name": "vlen-utf8", "configuration": {}}
    if dtype in ("bool", "int8", "uint8"):
        return {"name": "bytes"}
    return {"name": "bytes", "configuration": {"endian": "little"}}


def _document(path: Path) -> dict[str, Any]:
    """A JSON object; an empty one if the file holds anything else."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
