"""Shards in threads: an end that comes at once. That what comes is right, all tests of builds prove."""

import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from posedata.assemble import Files, encode_here
from posedata.store.schema import frame_arrays

SPEC = frame_arrays(noisy=True, sigma_per_keypoint=False)[0]


def test_after_an_error_a_shard_ends_with_its_chunk() -> None:
    begun, chunks = threading.Event(), Counter[str]()

    def parts() -> Iterator[bytes]:
        begun.set()
        for _ in range(200):
            chunks["begun"] += 1
            threading.Event().wait(0.05)
            yield b""

    def finish(shard: int, files: Files) -> int:
        if shard == 0:
            begun.wait(10)
            raise OSError("full")
        for _, encoded in files:
            list(encoded)
        return shard

    with pytest.raises(OSError, match="full"):
        list(encode_here(lambda shard: [(SPEC, parts())], [0, 1], finish, 2))
    assert 0 < chunks["begun"] < 20
