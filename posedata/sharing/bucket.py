"""Collections on S3 servers."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from posedata.sharing.network import SECONDS, Network, bytes_range, gathered
from posedata.sharing.remote import speaking, taken
from posedata.sharing.web import limits, page

_REFUSED = ("PreconditionFailed", "ConditionalRequestConflict")
"""S3's words for a file that was to be new, and is not."""


class Bucket(Network):
    """See `posedata.sharing.remote.Remote`."""

    def __init__(self, url: str) -> None:
        import fsspec

        times = {"connect_timeout": SECONDS / 3, "read_timeout": SECONDS, "retries": {"max_attempts": 3}}
        super().__init__(url, config_kwargs=times, use_listings_cache=False)
        self._web = fsspec.filesystem("https", encoded=True, **limits())

    def read(self, name: str, most: int, start: int = 0, stop: int | None = None) -> bytes:
        """See `Remote`."""
        with speaking(f"{self.url}/{name}"):
            return self._wait(self._read(f"{self._root}/{name}", most, bytes_range(start, stop)), most)

    async def _read(self, path: str, most: int, part: Mapping[str, str]) -> bytes:
        """A part comes from a signed URL, for half the work; what does not come so comes by s3fs.

        That one finds the bucket's region, and its errors show no signature.
        """
        from aiohttp import ClientConnectionError, ClientResponseError

        if part:
            with suppress(ClientConnectionError, ClientResponseError, FileNotFoundError):
                return await page(self._web, await self._files._url(path), most, part)
        # Not cat_file, which asks for the size before.
        bucket, key, _ = self._files.split_path(path)
        answer = await self._files._call_s3("get_object", Bucket=bucket, Key=key, **part)
        async with answer["Body"] as body:
            return await gathered(body.iter_chunks(1 << 20), most)

    def send(self, source: Path, name: str) -> None:
        """See `Remote`."""
        with speaking(f"{self.url}/{name}"):
            size = source.stat().st_size
            # One part of a file at a time: each is held in memory, and other files go beside it.
            self._wait(self._files._put_file(str(source), f"{self._root}/{name}", max_concurrency=1), size)

    def write(self, name: str, content: bytes, replace: bool) -> None:
        """See `Remote`."""
        where = f"{self.url}/{name}"
        with speaking(where):
            try:
                self._do("pipe_file", f"{self._root}/{name}", content, mode="overwrite" if replace else "create")
            except OSError as error:
                if _code(error) in _REFUSED:
                    raise taken(where) from error
                raise


def _code(error: OSError) -> str | None:
    """What the server called an error."""
    answer = getattr(error.__cause__, "response", {})
    return answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
