"""Collections in a repository of the Hugging Face Hub: hf://datasets/OWNER/REPOSITORY[/FOLDER].

A repository changes by commits, and a commit a file would be slow and soon refused. So files that are sent wait, and
the dataset manifest, which comes after them, takes them along: one commit holds the whole dataset, or there is none.
"""

import re
import threading
from pathlib import Path
from typing import Any

from posedata.errors import ChoiceError
from posedata.sharing.network import Network
from posedata.sharing.remote import at_most, speaking, taken, too_much

_PLACE = re.compile(
    r"hf://(?P<kind>dataset|model|space)s/(?P<repository>[^/@]+/[^/@]+)(?:@(?P<revision>[^/]+))?(?P<folder>/.*)?"
)


class Hub(Network):
    """See `posedata.sharing.remote.Remote`."""

    def __init__(self, url: str) -> None:
        place = _PLACE.fullmatch(url.rstrip("/"))
        if place is None:
            raise ChoiceError(f"{url}: expected hf://datasets/OWNER/REPOSITORY[/FOLDER]")
        super().__init__(url)
        self._where: dict[str, Any] = {
            "repo_id": place["repository"],
            "repo_type": place["kind"],
            "revision": place["revision"],
        }
        self._folder = (place["folder"] or "").strip("/")
        self._waiting: list[Any] = []
        self._lock = threading.Lock()

    def read(self, name: str, most: int, start: int = 0, stop: int | None = None) -> bytes:
        """See `Remote`."""
        path = f"{self._root}/{name}"
        with speaking(f"{self.url}/{name}"):
            if stop is None and (self._do("size", path) or 0) > most:
                raise too_much(most)
            return at_most(self._do("cat_file", path, start=start or None, end=stop), most)

    def send(self, source: Path, name: str) -> None:
        """Take note of a file; it goes with the next `write`."""
        with self._lock:
            self._waiting.append(self._addition(name, str(source)))

    def write(self, name: str, content: bytes, replace: bool) -> None:
        """Commit a file, and with it all that were sent."""
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError

        where = f"{self.url}/{name}"
        with speaking(where):
            api = HfApi()
            head = api.repo_info(**self._where).sha
            if not replace and api.file_exists(filename=self._path(name), **self._where):
                raise taken(where)
            additions = [*self._waiting, self._addition(name, content)]
            try:
                api.create_commit(operations=additions, commit_message=f"Add {name}", parent_commit=head, **self._where)
            except HfHubHTTPError as error:
                if error.response.status_code == 412:  # somebody else has committed since we looked
                    raise taken(where) from error
                raise
        self._waiting.clear()

    def _addition(self, name: str, content: str | bytes) -> Any:
        from huggingface_hub import CommitOperationAdd

        return CommitOperationAdd(path_in_repo=self._path(name), path_or_fileobj=content)

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}" if self._folder else name
