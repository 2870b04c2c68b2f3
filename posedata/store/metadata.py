"""The metadata documents of a store, after the Zarr 3 specification; key by key what zarr-python writes (tested).

They are made here so that the same recipe gives the same bytes with any version of zarr-python, and so that a reader
can ask for exactly these documents before it reads any array.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from posedata.store import schema
from posedata.store.schema import ArraySpec


def array_metadata(spec: ArraySpec, length: int) -> dict[str, Any]:
    """The zarr.json of an array of `length`; of heatmaps with the sharding codec."""
    zstd = {"name": "zstd", "configuration": {"level": schema.ZSTD_LEVEL, "checksum": False}}
    codecs: list[dict[str, Any]] = [_to_bytes(spec.dtype), zstd, {"name": "crc32c"}]
    if spec.sharded:
        codecs = [_sharding(spec, codecs)]
    file_length = schema.SHARD_FRAMES if spec.along_frames else length
    return {
        "shape": [length, *spec.inner],
        "data_type": spec.dtype,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [file_length, *spec.inner]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": "NaN" if spec.fill != spec.fill else spec.fill,
        "codecs": codecs,
        "attributes": {},
        "dimension_names": list(spec.dims),
        "zarr_format": 3,
        "node_type": "array",
        "storage_transformers": [],
    }


def group_metadata(
    attributes: Mapping[str, Any], specs: Iterable[ArraySpec], lengths: Mapping[str, int]
) -> dict[str, Any]:
    """The zarr.json of the root, with a copy of those of its arrays.

    Args:
        attributes: of the root.
        specs: all arrays.
        lengths: of their first dimensions, by name.
    """
    arrays = {spec.name: array_metadata(spec, lengths[spec.dims[0]]) for spec in specs}
    consolidated = {"kind": "inline", "must_understand": False, "metadata": dict(sorted(arrays.items()))}
    return {
        "attributes": dict(attributes),
        "zarr_format": 3,
        "consolidated_metadata": consolidated,
        "node_type": "group",
    }


def _to_bytes(dtype: str) -> dict[str, Any]:
    if dtype == "string":
        return {"name": "vlen-utf8", "configuration": {}}
    if dtype in ("bool", "int8", "uint8"):
        return {"name": "bytes"}
    return {"name": "bytes", "configuration": {"endian": "little"}}


def _sharding(spec: ArraySpec, codecs: list[dict[str, Any]]) -> dict[str, Any]:
    index = [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}]
    configuration = {
        "chunk_shape": [schema.CHUNK_FRAMES, *spec.inner],
        "codecs": codecs,
        "index_codecs": index,
        "index_location": "end",
    }
    return {"name": "sharding_indexed", "configuration": configuration}
