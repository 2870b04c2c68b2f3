"""Write a store's arrays.

They are encoded here after the Zarr v3 specification: chunk by chunk, so in bounded memory, and byte for byte what
zarr-python writes (tested). One call writes one file, so two workers never share one.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.files import write_durably
from posedata.manifest import StoreFile
from posedata.store import schema
from posedata.store.codecs import encode, encode_text, with_crc
from posedata.store.metadata import array_metadata, group_metadata
from posedata.store.schema import ArraySpec

Array = NDArray[Any]

Frames = Array | Callable[[], Iterator[Array]]
"""The frames of a shard in one array: whole, or a function that yields the blocks of its heatmaps or pixels."""


def create(
    folder: Path,
    specs: Collection[ArraySpec],
    lengths: Mapping[str, int],
    table: Mapping[str, Array],
    attributes: Mapping[str, Any],
) -> None:
    """Write the metadata of a store and its tables; the arrays along frames follow by `encode_arrays` and `write_file`.

    Args:
        folder: the store.
        specs: all arrays.
        lengths: of their first dimensions, by name.
        table: the arrays that do not run along frames, by name.
        attributes: of the root.
    """
    _write_json(folder / "zarr.json", group_metadata(attributes, specs, lengths))
    for spec in specs:
        _write_json(folder / spec.name / "zarr.json", array_metadata(spec, lengths[spec.dims[0]]))
        if not spec.along_frames:
            values = table[spec.name]
            encoded = encode_text(values) if spec.dtype == "string" else encode(values)
            write_durably(folder / spec.file(0), [encoded])


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    write_durably(path, [json.dumps(document, indent=2).encode()])


def encode_frames(spec: ArraySpec, blocks: Iterable[Array]) -> Iterator[bytes]:
    """One file of an array along frames, in parts.

    Args:
        spec: the array.
        blocks: the frames of the file in order. For heatmaps, `schema.CHUNK_FRAMES` at a time, the last may be shorter;
            a block may be overwritten once the next is asked for. Otherwise one block with all frames of the file.
    """
    if spec.sharded:
        return _shard(spec, blocks)
    return (encode(_padded(block, spec, schema.SHARD_FRAMES)) for block in blocks)


def encode_arrays(
    specs: Iterable[ArraySpec], arrays: Mapping[str, Frames]
) -> Iterator[tuple[ArraySpec, Iterator[bytes]]]:
    """The files of a shard from its frames, by the names of the arrays."""
    for spec in specs:
        blocks = arrays[spec.name]
        yield spec, encode_frames(spec, blocks() if callable(blocks) else [blocks])


def write_file(folder: Path, spec: ArraySpec, shard: int, parts: Iterable[bytes]) -> StoreFile:
    """Write one file of an array.

    Args:
        folder: the store.
        spec: the array.
        shard: which file.
        parts: its bytes.

    Returns:
        The file as the manifest will list it: the hash is of what was meant, not of what came back from the disk.
    """
    path = folder / spec.file(shard)
    written = write_durably(path, parts)
    return StoreFile(path=path.relative_to(folder).as_posix(), size=written.size, sha256=written.sha256)


def _shard(spec: ArraySpec, blocks: Iterable[Array]) -> Iterator[bytes]:
    """Encoded chunks, then the index of (offset, length) with its crc32c; 2^64 - 1 = no such chunk."""
    index = np.full((schema.SHARD_FRAMES // schema.CHUNK_FRAMES, 2), np.iinfo(np.uint64).max, "<u8")
    offset = 0
    for i, block in enumerate(blocks):
        encoded = encode(_padded(block, spec, schema.CHUNK_FRAMES))
        index[i] = offset, len(encoded)
        offset += len(encoded)
        yield encoded
    yield with_crc(index.tobytes())


def _padded(block: Array, spec: ArraySpec, frames: int) -> Array:
    """The block as a whole chunk: beyond the array's end stands the fill value."""
    if len(block) == frames:
        return block
    chunk = np.full((frames, *spec.inner), spec.fill, block.dtype)
    chunk[: len(block)] = block
    return chunk
