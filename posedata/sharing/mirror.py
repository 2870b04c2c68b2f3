"""A published store, used without fetching all of it: a file comes when it is first read, and is kept.

    $POSEDATA_HOME/cache/mirrors/NAME-HASH.zarr          what has come so far
    $POSEDATA_HOME/cache/mirrors/NAME-HASH.zarr.origin   the dataset manifest, with the locations

The folder may be removed at any time; everything in it is proven by the manifest before it is used.
"""

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from posedata.dataset import need_built, parse_dataset
from posedata.files import write_durably
from posedata.home import data_home
from posedata.manifest import MANIFEST_NAME, StoreFile, parse_manifest
from posedata.sharing.catalogue import Found, find_dataset, first_answer
from posedata.sharing.objects import fetch
from posedata.sharing.remote import open_remote

Fetch = Callable[[Sequence[StoreFile]], None]


def mirror(url: str) -> Path:
    """The folder of a published store, opened by `posedata.open_store` like any other.

    Args:
        url: COLLECTION/NAME.

    Raises:
        BadInputError: if it was never built.
        IntegrityError: if what comes is not what was published.
        RemoteError: if it does not come.
    """
    found = find_dataset(url)
    built = need_built(found.dataset, found.where)
    folder = data_home() / "cache" / "mirrors" / f"{found.dataset.name}-{built.manifest_sha256[:12]}.zarr"
    remote, text = first_answer(found, built)
    manifest = parse_manifest(text, f"{remote.url}: {MANIFEST_NAME}")
    write_durably(_origin(folder), [found.dataset.to_json()])
    _fetch_into(folder, found, [file for file in manifest.files if file.path.endswith("zarr.json")])
    write_durably(folder / MANIFEST_NAME, [text])
    return folder


def fetches(folder: Path) -> Fetch | None:
    """What makes files of a mirror be there, proven; None for any other store."""
    origin = _origin(folder)
    if not origin.is_file():
        return None
    found = Found(parse_dataset(origin.read_bytes(), str(origin)), str(origin))
    return lambda files: _fetch_into(folder, found, files)


def _fetch_into(folder: Path, found: Found, files: Sequence[StoreFile]) -> None:
    remote = open_remote(found.dataset.locations[0])
    # Several processes may read one mirror.
    fetch(remote, files, folder, {}, lambda _: None, mine=f"{os.getpid()}-{threading.get_ident()}.")


def _origin(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.origin")
