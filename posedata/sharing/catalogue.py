"""What there is: datasets of a collection, manifests on this disk, stores of the data home."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from posedata.dataset import Built, Dataset, parse_dataset
from posedata.errors import BadInputError, ChoiceError, PoseDataError, RemoteError
from posedata.secrets import beginning, check_url
from posedata.sharing.objects import OBJECTS
from posedata.sharing.remote import NotThereError, Remote, open_remote

_MOST_MANIFEST = 1 << 24
"""Bytes."""

MANIFESTS = Path("data_manifests")
"""Where a project keeps the manifests of its datasets."""


class ForeignError(RemoteError):
    """A JSON file of a collection that does not describe what it is named after: something else, or a renamed copy."""


class Found(NamedTuple):
    """A dataset, and where its manifest was."""

    dataset: Dataset
    where: str


def default_collection() -> str | None:
    """$POSEDATA_REMOTE: the URL of the team's collection."""
    return os.environ.get("POSEDATA_REMOTE") or None


def need_collection(given: str | None) -> str:
    """The URL that was given, or the team's.

    Raises:
        ChoiceError: if there is neither.
    """
    url = given or default_collection()
    if url is None:
        raise ChoiceError("expected the URL of a collection, or $POSEDATA_REMOTE, found neither")
    return url


def find_published(remote: Remote, name: str) -> Dataset | None:
    """The dataset of that name in a collection, None if it has none; raises RemoteError if the place fails."""
    where = f"{remote.url}/{name}.json"
    try:
        content = remote.read(f"{name}.json", _MOST_MANIFEST)
    except NotThereError:
        return None
    try:
        dataset = parse_dataset(content, where)
    except BadInputError as error:
        start = beginning(content.decode("utf-8", "replace"), 40)
        raise ForeignError(f"{where}: expected a dataset manifest, found {start!r}: a login page?") from error
    if dataset.name != name:
        raise ForeignError(f"{where}: name: expected that of the file, found {dataset.name}")
    return dataset


def published(remote: Remote, foreign: Callable[[str], None] = lambda _: None) -> list[Dataset]:
    """All datasets of a collection, by name; `foreign` is told of each file that is not the manifest of one."""
    datasets = []
    for name in sorted(name.removesuffix(".json") for name in remote.sizes("") if name.endswith(".json")):
        try:
            dataset = find_published(remote, name)
        except ForeignError as error:
            foreign(str(error))
            continue
        if dataset:  # it may have gone meanwhile
            datasets.append(dataset)
    return datasets


def find_dataset(given: str) -> Found:
    """A dataset by the path of its manifest, by a URL COLLECTION/NAME, or by a name.

    A name is looked for in `data_manifests/`, then in the collection $POSEDATA_REMOTE.

    Raises:
        BadInputError: if there is none.
        RemoteError: if the place fails, or has no such dataset.
    """
    path = Path(given)
    if "://" not in given and path.is_file():
        return Found(parse_dataset(path.read_bytes(), given), given)
    if "://" in given or "/" in given:
        return _of_url(given)
    own = MANIFESTS / f"{given}.json"
    if own.is_file():
        return Found(parse_dataset(own.read_bytes(), str(own)), str(own))
    collection = default_collection()
    if collection:
        return _of_url(f"{collection.rstrip('/')}/{given}")
    raise BadInputError(
        f"{given}: expected a dataset of {MANIFESTS}/, found none; give a URL COLLECTION/NAME, or set $POSEDATA_REMOTE "
        "to your team's collection"
    )


def _of_url(url: str) -> Found:
    check_url(url)
    place, _, name = url.rstrip("/").removesuffix(".json").rpartition("/")
    remote = open_remote(place or "/")
    dataset = find_published(remote, name)
    if dataset is None:
        raise RemoteError(f"{url}: expected a dataset, found none; {_choices(url, place)}")
    # Where it was found comes first: it may have been copied there from where it was published.
    here = (remote.url, *(other for other in dataset.locations if other != remote.url))
    return Found(dataset.model_copy(update={"locations": here}), f"{remote.url}/{name}.json")


def _choices(*urls: str) -> str:
    """What there is instead, as far as it can be told."""
    for url in urls:
        try:
            names = [dataset.name for dataset in published(open_remote(url))]
        except RemoteError:
            continue
        if names:
            return f"{url} has {', '.join(names)}"
    return "see posedata list URL"


def first_answer(found: Found, built: Built) -> tuple[Remote, bytes]:
    """The first location that has the dataset, and the store's manifest from there, proven.

    Raises:
        RemoteError: if none has it as it was published.
    """
    name = f"{OBJECTS}/{built.manifest_sha256}"
    lost: list[str] = []
    for url in found.dataset.locations:
        try:
            remote = open_remote(url)
            text = remote.read(name, built.manifest_size)
        except (PoseDataError, ModuleNotFoundError) as error:
            lost += getattr(error, "faults", [f"{url}: {error}"])
            continue
        if hashlib.sha256(text).hexdigest() == built.manifest_sha256:
            return remote, text
        lost.append(f"{remote.url}/{name}: expected that sha256, found another: damaged there")
    raise RemoteError(f"{found.where}: expected a location that has it, found none", *lost)


def local_stores(home: Path) -> Iterator[Path]:
    """Folders of the data home that may hold files of stores: stores, and mirrors of published ones."""
    yield from sorted((home / "stores").glob("*/"))
    yield from sorted((home / "cache" / "mirrors").glob("*/"))
