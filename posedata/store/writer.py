"""Write a store's arrays.

zarr-python writes the metadata and the small tables. The arrays along frames are encoded here, after the Zarr v3
specification of the sharding codec: chunk by chunk, so in bounded memory, and byte for byte what zarr-python writes
(tested). One call writes one file, so two workers never share one.
"""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import zarr
from numcodecs.zstd import Zstd
from numpy.typing import NDArray
from zarr.codecs import Crc32cCodec, ZstdCodec

from posedata.files import sync_tree, write_durably
from posedata.manifest import StoreFile
from posedata.store.schema import CHUNK_FRAMES, SHARD_FRAMES, TABLE, ZSTD_LEVEL, ArraySpec

Array = NDArray[Any]


def create(
    folder: Path,
    specs: Iterable[ArraySpec],
    frames: int,
    table: Mapping[str, Array],
    attributes: dict[str, Any],
) -> None:
    """Write the metadata of a store and its tables; the arrays along frames follow by `write_frames`.

    Args:
        folder: the store, not there yet.
        specs: the arrays along frames.
        frames: their length.
        table: the arrays of `schema.TABLE`, by name.
        attributes: of the root.
    """
    group = zarr.create_group(folder, zarr_format=3, attributes=attributes)
    for spec in specs:
        _create_frames(group, spec, frames)
    for spec in TABLE:
        values = table[spec.name]
        array = group.create_array(
            spec.name,
            shape=values.shape,
            chunks=(max(len(values), 1),),
            dtype=str if spec.dtype == "string" else spec.dtype,
            compressors=_COMPRESSORS,
            fill_value=spec.fill,
            dimension_names=spec.dims,
            config={"write_empty_chunks": True},
        )
        array[:] = values


def _create_frames(group: zarr.Group, spec: ArraySpec, frames: int) -> None:
    chunk = CHUNK_FRAMES if spec.is_heatmaps else SHARD_FRAMES
    group.create_array(
        spec.name,
        shape=(frames, *spec.inner),
        chunks=(chunk, *spec.inner),
        shards=(SHARD_FRAMES, *spec.inner) if spec.is_heatmaps else None,
        dtype=spec.dtype,
        compressors=_COMPRESSORS,
        fill_value=spec.fill,
        dimension_names=spec.dims,
    )


_COMPRESSORS = [ZstdCodec(level=ZSTD_LEVEL, checksum=False), Crc32cCodec()]


def shard_path(folder: Path, spec: ArraySpec, shard: int) -> Path:
    """The file of an array's frames `shard * SHARD_FRAMES` onwards."""
    return folder.joinpath(spec.name, "c", str(shard), *("0" for _ in spec.inner))


def write_frames(folder: Path, spec: ArraySpec, shard: int, blocks: Iterable[Array]) -> StoreFile:
    """Write one file of an array along frames.

    Args:
        folder: the store.
        spec: the array.
        shard: which file.
        blocks: its frames in order. For heatmaps, `CHUNK_FRAMES` at a time, the last block may be shorter; a block
            may be overwritten once the next is asked for. Otherwise one block with all frames of the file.

    Returns:
        The file as the manifest will list it: the hash is of what was meant, not of what came back from the disk.
    """
    if spec.is_heatmaps:
        parts = _shard(spec, blocks)
    else:
        parts = (_encode(_padded(block, spec, SHARD_FRAMES)) for block in blocks)
    path = shard_path(folder, spec, shard)
    written = write_durably(path, parts)
    return StoreFile(path=path.relative_to(folder).as_posix(), size=written.size, sha256=written.sha256)


def _shard(spec: ArraySpec, blocks: Iterable[Array]) -> Iterator[bytes]:
    """Encoded chunks, then the index of (offset, length) with its crc32c; 2^64 - 1 = no such chunk."""
    index = np.full((SHARD_FRAMES // CHUNK_FRAMES, 2), np.iinfo(np.uint64).max, "<u8")
    offset = 0
    for i, block in enumerate(blocks):
        encoded = _encode(_padded(block, spec, CHUNK_FRAMES))
        index[i] = offset, len(encoded)
        offset += len(encoded)
        yield encoded
    yield _with_crc(index.tobytes())


def _padded(block: Array, spec: ArraySpec, frames: int) -> Array:
    """The block as a whole chunk: beyond the array's end stands the fill value."""
    if len(block) == frames:
        return block
    chunk = np.full((frames, *spec.inner), spec.fill, block.dtype)
    chunk[: len(block)] = block
    return chunk


def _encode(chunk: Array) -> bytes:
    """The codecs bytes, zstd, crc32c."""
    little = np.ascontiguousarray(chunk, chunk.dtype.newbyteorder("<"))
    return _with_crc(Zstd(level=ZSTD_LEVEL, checksum=False).encode(little))


def _with_crc(data: bytes) -> bytes:
    return data + int(google_crc32c.value(data)).to_bytes(4, "little")


def seal(folder: Path) -> None:
    """Gather all metadata in the root's, once and last, and flush every file and folder to disk."""
    with warnings.catch_warnings():
        # zarr warns that other readers may not know consolidated metadata; they read the arrays' own.
        warnings.simplefilter("ignore", UserWarning)
        zarr.consolidate_metadata(folder)
    sync_tree(folder)
