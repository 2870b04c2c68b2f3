"""A published store, used without fetching all of it: a file comes when it is first read, and is kept.

    $POSEDATA_HOME/cache/mirrors/NAME-HASH.zarr          what has come so far
    $POSEDATA_HOME/cache/mirrors/NAME-HASH.zarr.origin   the dataset manifest, with the locations

The folder may be removed when nobody reads it; everything in it is proven by the manifest before it is used.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from posedata.dataset import Dataset, need_built, parse_dataset
from posedata.files import own_name, write_durably
from posedata.home import data_home
from posedata.manifest import MANIFEST_NAME, StoreFile, parse_manifest
from posedata.sharing.catalogue import find_dataset, first_answer
from posedata.sharing.objects import fetch, part_name
from posedata.sharing.remote import open_remote

_FORGOTTEN = 24 * 3600
"""Seconds after which nobody goes on with a part of a file."""

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
    answering = found.dataset.model_copy(update={"locations": (remote.url,)})
    _put(_origin(folder), answering.to_json())
    _remove_parts(folder)
    _fetch_into(folder, remote.url, [file for file in manifest.files if file.path.endswith("zarr.json")])
    _put(folder / MANIFEST_NAME, text)
    return folder


def fetches(folder: Path) -> Fetch | None:
    """What makes files of a mirror be there, proven; None for any other store."""
    dataset = _mirrored(folder)
    return partial(_fetch_into, folder, dataset.locations[0]) if dataset else None


def url_of(folder: Path) -> str | None:
    """What a mirror is of, as COLLECTION/NAME; None for any other store."""
    dataset = _mirrored(folder)
    return f"{dataset.locations[0]}/{dataset.name}" if dataset else None


def name_of(folder: Path) -> str:
    """What a store is called: its folder without .zarr; a mirror like the dataset that it is of."""
    dataset = _mirrored(folder)
    return dataset.name if dataset else folder.name.removesuffix(".zarr")


def _mirrored(folder: Path) -> Dataset | None:
    origin = _origin(folder)
    return parse_dataset(origin.read_bytes(), str(origin)) if origin.is_file() else None


def _put(path: Path, content: bytes) -> None:
    """Write a file, unless it is there; others may do the same at this moment."""
    if not (path.is_file() and path.read_bytes() == content):
        with own_name(path) as mine:
            write_durably(mine, [content])
            mine.replace(path)


def _remove_parts(folder: Path) -> None:
    """Remove the parts of files that processes left which were killed; others may be at work on theirs."""
    for part in folder.rglob(part_name("*")):
        with suppress(FileNotFoundError):  # it may be whole at this moment
            if time.time() - part.stat().st_mtime > _FORGOTTEN:
                part.unlink()


def _fetch_into(folder: Path, url: str, files: Sequence[StoreFile]) -> None:
    # Several processes may read one mirror.
    fetch(open_remote(url), files, folder, {}, lambda _: None, mine=f"{os.getpid()}-{threading.get_ident()}.")


def _origin(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.origin")
