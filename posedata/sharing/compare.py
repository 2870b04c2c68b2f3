"""Whether what lies here is what is published."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from posedata.dataset import Dataset
from posedata.files import sha256_file
from posedata.home import stores_in_home
from posedata.manifest import MANIFEST_NAME, read_manifest
from posedata.progress import Progress, silent
from posedata.sharing.catalogue import published
from posedata.sharing.remote import open_remote
from posedata.store.opened import verify

State = Literal["same", "differs", "damaged", "only here", "only there", "nowhere"]


class Compared(NamedTuple):
    """A dataset that is here, there, or both."""

    name: str
    state: State
    store: str | None
    problem: str | None = None


def compare(
    url: str,
    names: tuple[str, ...] = (),
    quick: bool = False,
    progress: Progress = silent,
    foreign: Callable[[str], None] = lambda _: None,
) -> list[Compared]:
    """Compare the stores of the data home with the datasets of a collection, by name.

    Args:
        url: of the collection.
        names: of the datasets to look at; none = all, here and there.
        quick: compare manifests and sizes, do not hash the files that lie here.
        progress: told of what is hashed.
        foreign: told of each file that is no dataset manifest, and left out.

    Raises:
        RemoteError: if the place fails.
    """
    there = {dataset.name: dataset for dataset in published(open_remote(url), foreign)}
    here = {path.name.removesuffix(".zarr"): path for path in stores_in_home()}
    every = names or tuple(sorted(there.keys() | here.keys()))
    return [_compared(name, here.get(name), there.get(name), quick, progress) for name in every]


def _compared(name: str, store: Path | None, dataset: Dataset | None, quick: bool, progress: Progress) -> Compared:
    if store is None:
        return Compared(name, "only there" if dataset else "nowhere", None)
    _, problems = verify(store, quick, progress)
    if problems:
        return Compared(name, "damaged", str(store), f"{problems[0].file}: {problems[0].problem}")
    if dataset is None or dataset.built is None:
        return Compared(name, "only here", str(store))
    same = sha256_file(store / MANIFEST_NAME) == dataset.built.manifest_sha256
    return Compared(name, "same" if same else "differs", str(store))


def in_collection(url: str, foreign: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
    """What a collection has: a row a dataset; `foreign` is told of each file that is no dataset manifest."""
    return [
        {
            "dataset": dataset.name,
            "version": dataset.version,
            "frames": dataset.built.counts["frames"] if dataset.built else None,
            "bytes": dataset.built.bytes if dataset.built else None,
            "content_digest": dataset.built.content_digest if dataset.built else None,
        }
        for dataset in published(open_remote(url), foreign)
    ]


def in_home() -> list[dict[str, Any]]:
    """Likewise what the data home has; raises IntegrityError for a store without a sound manifest."""
    return [
        {
            "dataset": path.name.removesuffix(".zarr"),
            "version": None,
            "frames": manifest.summary["counts"]["frames"],
            "bytes": sum(file.size for file in manifest.files),
            "content_digest": manifest.content_digest,
        }
        for path, manifest in ((path, read_manifest(path)) for path in stores_in_home())
    ]
