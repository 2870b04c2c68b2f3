"""What is asked of s3fs; what all collections do alike is tried in test_remote.py."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import s3fs

from posedata.errors import RemoteError
from posedata.sharing import network
from posedata.sharing.bucket import Bucket


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a client is asked to send, each in half a second; a request has a tenth, and one for every 1000 bytes."""
    asked: list[dict[str, Any]] = []

    async def put(self: s3fs.S3FileSystem, lpath: str, rpath: str, **options: Any) -> None:
        await asyncio.sleep(0.5)
        asked.append({"rpath": rpath, **options})

    monkeypatch.setattr(s3fs.S3FileSystem, "_put_file", put)
    monkeypatch.setattr(network, "_LEAST_SECONDS", 0.1)
    monkeypatch.setattr(network, "_SLOWEST", 1000)
    return asked


def test_a_file_has_the_time_that_its_size_needs_and_one_part_in_memory(
    slow: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(bytes(4000))
    (tmp_path / "small").write_bytes(bytes(40))
    place = Bucket("s3://pose/team")
    place.send(tmp_path / "large", "objects/abc")
    assert slow == [{"rpath": "pose/team/objects/abc", "max_concurrency": 1}]
    with pytest.raises(RemoteError, match="objects/def: expected an answer, found TimeoutError"):
        place.send(tmp_path / "small", "objects/def")
