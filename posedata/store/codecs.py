"""Chunks to bytes and back: zstd, then the crc32c of what came out, as the Zarr 3 specification has them."""

from typing import Any

import google_crc32c
import numpy as np
from numcodecs.vlen import VLenUTF8
from numcodecs.zstd import Zstd
from numpy.typing import NDArray

from posedata.store import schema

Array = NDArray[Any]

_MOST_TEXT = 1 << 28
"""Bytes of a table's strings: the names of a million sequences are below it."""


def encode(chunk: Array) -> bytes:
    """The codecs bytes (little-endian), zstd, crc32c."""
    return _compressed(np.ascontiguousarray(chunk, chunk.dtype.newbyteorder("<")))


def encode_text(texts: Array) -> bytes:
    """The codecs vlen-utf8, zstd, crc32c, of an array of strings."""
    return _compressed(VLenUTF8().encode(texts))


def decode(data: bytes, out: Array) -> None:
    """Undo `encode` into an array; raises ValueError or RuntimeError where the bytes are not those of such a chunk."""
    compressed = without_crc(data)
    if content_size(compressed) != out.nbytes:
        raise ValueError(f"expected a chunk of {out.nbytes} bytes, found one of {content_size(compressed)}")
    Zstd().decode(compressed, out)


def decode_text(data: bytes, count: int) -> Array:
    """Undo `encode_text`; raises as `decode` does, also if there are not `count` texts."""
    compressed = without_crc(data)
    if not 0 <= content_size(compressed) <= _MOST_TEXT:
        raise ValueError(f"expected at most {_MOST_TEXT} bytes of text, found {content_size(compressed)}")
    encoded = Zstd().decode(compressed)
    if int.from_bytes(encoded[:4], "little") != count:  # asked first, for memory for so many is
        raise ValueError(f"expected {count} texts, found {int.from_bytes(encoded[:4], 'little')}")
    texts = np.asarray(VLenUTF8().decode(encoded), object)
    if len(encoded) != 4 + sum(4 + len(text.encode()) for text in texts):
        raise ValueError("expected nothing behind the last text, found more bytes")
    return texts


def with_crc(data: bytes) -> bytes:
    """The bytes and their crc32c."""
    return data + _crc(data)


def without_crc(data: bytes) -> bytes:
    """The bytes before a crc32c; raises ValueError if it is not theirs."""
    if len(data) < 4 or _crc(data[:-4]) != data[-4:]:
        raise ValueError("expected another crc32c: the bytes are damaged")
    return data[:-4]


def content_size(compressed: bytes) -> int:
    """Bytes that a zstd frame says it holds, -1 if it does not say (RFC 8878, section 3.1.1.1).

    So that what a few bytes expand to is known before any memory is asked for.
    """
    if len(compressed) < 5 or compressed[:4] != b"\x28\xb5\x2f\xfd":
        return -1
    descriptor = compressed[4]
    single = descriptor >> 5 & 1
    start = 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3]
    width = (single, 2, 4, 8)[descriptor >> 6]
    size = int.from_bytes(compressed[start : start + width], "little")
    return -1 if width == 0 else size + 256 * (width == 2)


def _compressed(data: Any) -> bytes:
    return with_crc(Zstd(level=schema.ZSTD_LEVEL, checksum=False).encode(data))


def _crc(data: bytes) -> bytes:
    return int(google_crc32c.value(data)).to_bytes(4, "little")
