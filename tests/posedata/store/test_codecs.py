"""Chunks there and back, and what damaged or hostile ones say."""

import zlib

import google_crc32c
import numpy as np
import pytest
from numcodecs.zstd import Zstd

from posedata.store import codecs
from posedata.store.codecs import content_size, decode, decode_text, encode, encode_text, with_crc, without_crc


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "bool", ">i4"])
def test_a_chunk_comes_back(dtype: str) -> None:
    chunk = np.arange(600).reshape(20, 30).astype(dtype)
    out = np.empty(chunk.shape, chunk.dtype.newbyteorder("<"))
    decode(encode(chunk), out)
    np.testing.assert_array_equal(out, chunk)


def test_texts_come_back() -> None:
    texts = np.asarray(["", "one", "an ü", "x" * 1000], object)
    assert decode_text(encode_text(texts), 4).tolist() == texts.tolist()


def test_the_checksum_is_crc32c_and_not_crc32() -> None:
    # 0xE3069283 is the check value of CRC-32C (iSCSI) for these nine digits.
    assert with_crc(b"123456789")[-4:] == (0xE3069283).to_bytes(4, "little")
    assert google_crc32c.value(b"123456789") != zlib.crc32(b"123456789")
    assert without_crc(with_crc(b"123456789")) == b"123456789"


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 65_791, 65_792, 300_000, 5_017_600])
@pytest.mark.parametrize("level", [1, 3, 19])
def test_the_size_in_a_frame_is_read(size: int, level: int) -> None:
    frame = Zstd(level=level).encode(bytes(size))
    assert content_size(frame) == size


@pytest.mark.parametrize(
    ("header", "size"),
    [
        # RFC 8878, 3.1.1.1: magic, descriptor, window unless it is a single segment, dictionary, content size.
        ("28b52ffd 00 58", -1),
        ("28b52ffd 20 07", 7),
        ("28b52ffd 40 58 0000", 256),
        ("28b52ffd 61 99 0100", 257),
        ("28b52ffd 82 58 9999 78563412", 0x12345678),
        ("28b52ffd c3 58 99999999 0000000000000080", 1 << 63),
        ("28b52ffe 20 07", -1),
        ("28b5", -1),
        ("", -1),
    ],
)
def test_headers_by_hand(header: str, size: int) -> None:
    assert content_size(bytes.fromhex(header)) == size


def test_a_chunk_of_another_size_is_refused() -> None:
    data = encode(np.zeros(100, np.int8))
    for size in (99, 101):
        with pytest.raises(ValueError, match=f"expected a chunk of {size} bytes, found one of 100"):
            decode(data, np.empty(size, np.int8))


def test_flipped_bits_are_noticed() -> None:
    data = bytearray(encode(np.arange(50, dtype=np.int8)))
    for at in range(len(data)):
        data[at] ^= 1
        with pytest.raises(ValueError, match="crc32c"):
            decode(bytes(data), np.empty(50, np.int8))
        data[at] ^= 1


@pytest.mark.parametrize(
    "data", [b"", b"abc", with_crc(b""), with_crc(b"no frame"), with_crc(Zstd().encode(b"x")[:-1])]
)
def test_what_is_no_chunk_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, RuntimeError)):
        decode(data, np.empty(1, np.int8))
    with pytest.raises((ValueError, RuntimeError)):
        decode_text(data, 1)


def test_texts_that_would_fill_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = with_crc(Zstd().encode(bytes(1000)))
    monkeypatch.setattr(codecs, "_MOST_TEXT", 999)
    with pytest.raises(ValueError, match="at most 999 bytes of text, found 1000"):
        decode_text(bomb, 1)


def test_texts_of_another_number_are_refused_before_memory_is_asked_for() -> None:
    with pytest.raises(ValueError, match="expected 3 texts, found 4294967295"):
        decode_text(with_crc(Zstd().encode(b"\xff" * 4)), 3)
    with pytest.raises(ValueError, match="behind the last text"):
        decode_text(with_crc(Zstd().encode(b"\1\0\0\0\1\0\0\0ab")), 1)
