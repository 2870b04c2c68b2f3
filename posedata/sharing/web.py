"""Collections on web servers, which are read only."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

from posedata.errors import ChoiceError
from posedata.sharing.network import SECONDS, Network, bytes_range, gathered
from posedata.sharing.remote import speaking


class Web(Network):
    """See `posedata.sharing.remote.Remote`."""

    def __init__(self, url: str) -> None:
        super().__init__(url, **limits())

    def read(self, name: str, most: int, start: int = 0, stop: int | None = None) -> bytes:
        """See `Remote`."""
        with speaking(f"{self.url}/{name}"):
            return self._wait(page(self._files, f"{self._root}/{name}", most, bytes_range(start, stop)), most)

    def need_writable(self) -> NoReturn:
        """See `Remote`."""
        raise ChoiceError(
            f"{self.url}: expected a place to write to, found a web server; push to s3://, hf:// or a folder"
        )

    def sizes(self, folder: str) -> dict[str, int | None]:
        """See `Remote`."""
        return {unquote(name): size for name, size in super().sizes(folder).items()}  # of the links of a page

    def _listed(self, folder: str) -> str:
        return f"{super()._listed(folder)}/"

    def send(self, source: Path, name: str) -> NoReturn:
        """See `Remote`."""
        del source, name
        self.need_writable()

    def write(self, name: str, content: bytes, replace: bool) -> NoReturn:
        """See `Remote`."""
        del name, content, replace
        self.need_writable()


def limits() -> dict[str, Any]:
    """Options of fsspec's file system that let it give up: it does not by itself."""
    import aiohttp

    times = aiohttp.ClientTimeout(total=None, connect=SECONDS / 3, sock_read=SECONDS)
    return {"client_kwargs": {"timeout": times, "trust_env": True}}


async def page(files: Any, url: str, most: int, headers: Mapping[str, str]) -> bytes:
    """An answer over HTTP.

    Args:
        files: fsspec's file system, whose connections are used.
        url: what is asked for.
        most: bytes that it may have.
        headers: of the request.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it is larger.
    """
    session = await files.set_session()
    async with session.get(files.encode_url(url), headers={"Accept-Encoding": "identity", **headers}) as answer:
        if answer.status == 404:
            raise FileNotFoundError(url)
        answer.raise_for_status()
        return await gathered(answer.content.iter_chunked(1 << 20), most)
