"""Trained runs in collections, beside the datasets that they were trained on; see `posedata.sharing`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from posedata.config import Frozen
from posedata.dataset import Name, need_name
from posedata.errors import ConflictError, RemoteError
from posedata.files import bytes_below, need_space, sync_tree
from posedata.home import data_home
from posedata.locks import locked
from posedata.manifest import StoreFile, list_files, remove_others
from posedata.progress import Progress, silent
from posedata.sharing.catalogue import ForeignError, need_collection
from posedata.sharing.objects import Parts, fetch, part_name, send, to_send
from posedata.sharing.remote import NotThereError, Remote, open_remote
from posedata.store.staging import check_target, publish, staged
from posetrain.checkpoints import RUN_NAME, RunInfo, read_run
from posetrain.history import need_epoch

FOLDER = "runs"
"""Of a collection."""

_MOST_MANIFEST = 1 << 24
"""Bytes."""


class PublishedRun(Frozen):
    """What stands in COLLECTION/runs/NAME.json.

    Attributes:
        run_version: of this layout.
        name: of the run.
        info: its configuration, and the store that it was trained on.
        files: all of it.
    """

    run_version: Literal[1] = 1
    name: Name
    info: RunInfo
    files: Annotated[tuple[StoreFile, ...], Field(strict=False)]


def push_run(
    run: Path,
    url: str,
    *,
    name: str | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Publish a run, with all its checkpoints; what the collection has is not sent again.

    Args:
        run: its folder.
        url: of the collection.
        name: of the published run; None = the folder's.
        overwrite: whether another run of that name may be replaced.
        dry_run: only tell.
        progress: told of the bytes.

    Raises:
        BadInputError: if no epoch of it is finished.
        ChoiceError: if it can have no such name there.
        ConflictError: if the collection has another run of that name, or this one is being trained.
        RemoteError: if the place fails.
    """
    info = read_run(run)
    need_epoch(run)
    remote = open_remote(url)
    remote.need_writable()
    with locked(run, run):
        wanted = PublishedRun(name=need_name(name or run.absolute().name), info=info, files=list_files(run))
        before = _find_published(remote, wanted.name)
        if before and before != wanted and not overwrite:
            raise ConflictError(
                f"{remote.url}/{FOLDER}/{wanted.name}: expected no other run of this name, found one; use --overwrite "
                "or another --name"
            )
        parts = to_send(remote, wanted.files)
        if not dry_run:
            with progress(f"pushing {wanted.name}", parts.bytes, "bytes") as advance:
                send(remote, run, parts.move, advance)
            if before != wanted:
                remote.write(f"{FOLDER}/{wanted.name}.json", wanted.model_dump_json(indent=1).encode(), overwrite)
    return _report(wanted, parts, dry_run) | {"url": f"{remote.url}/{wanted.name}"}


def pull_run(
    url: str,
    *,
    out: Path | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Fetch a run, exactly the bytes that were published; it appears whole.

    Args:
        url: COLLECTION/NAME, or the name of a run in the collection $POSEDATA_REMOTE.
        out: where it will stand; None = in the data home.
        overwrite: whether a run that stands there may be replaced.
        dry_run: only tell.
        progress: told of the bytes.

    Raises:
        ChoiceError: if it is a name, and $POSEDATA_REMOTE is not set.
        ConflictError: if the target exists.
        IntegrityError: if what comes is not what was published.
        RemoteError: if there is no such run, or the place fails.
    """
    place, name = _located(url)
    remote = open_remote(place)
    found = _find_published(remote, name)
    if found is None:
        raise RemoteError(f"{url}: expected a run, found none in {remote.url}/{FOLDER}{_choices(remote)}")
    target = (out or data_home() / "runs" / name).absolute()
    check_target(target, overwrite, _is_run)
    parts = Parts(found.files, ())
    if not dry_run:
        with staged(target, overwrite, _is_run, resume=True, keep=True) as stage:
            folder = stage / "run"
            folder.mkdir(exist_ok=True)
            remove_others(folder, {path for file in found.files for path in (file.path, part_name(file.path))})
            need_space(stage.parent, parts.bytes - bytes_below(folder))
            with progress(f"pulling {name}", parts.bytes, "bytes") as advance:
                fetched = fetch(remote, found.files, folder, {}, advance)
            read_run(folder)
            sync_tree(folder)
            check_target(target, overwrite, _is_run)
            publish(folder, target)
        parts = Parts(tuple(fetched), tuple(file for file in found.files if file not in fetched))
    return _report(found, parts, dry_run) | {"run": str(target)}


def published_runs(url: str, foreign: Callable[[str], None] = lambda _: None) -> list[dict[str, Any]]:
    """The runs of a collection, by name: their models, the stores that they were trained on, files and bytes.

    Args:
        url: of the collection.
        foreign: told of each file that is no published run, and left out.

    Raises:
        RemoteError: if the place fails.
    """
    remote, runs = open_remote(url), []
    for name in _names(remote):
        try:
            run = _find_published(remote, name)
        except ForeignError as error:
            foreign(str(error))
            continue
        if run:  # it may have gone meanwhile
            runs.append(_facts(run) | {"files": len(run.files), "bytes": sum(file.size for file in run.files)})
    return runs


def _located(given: str) -> tuple[str, str]:
    """The collection, and the name of the run there."""
    given = given.rstrip("/")
    if "/" not in given:
        return need_collection(None), given
    place, _, name = given.rpartition("/")
    return place or "/", name


def _find_published(remote: Remote, name: str) -> PublishedRun | None:
    where = f"{FOLDER}/{name}.json"
    try:
        run = PublishedRun.model_validate_json(remote.read(where, _MOST_MANIFEST))
    except NotThereError:
        return None
    except ValidationError as error:
        raise ForeignError(f"{remote.url}/{where}: expected a published run, found something else") from error
    if run.name != name:
        raise ForeignError(f"{remote.url}/{where}: name: expected that of the file, found {run.name}")
    return run


def _choices(remote: Remote) -> str:
    """What there is instead, as far as it can be told."""
    try:
        names = _names(remote)
    except RemoteError:
        names = []
    return f"; there are {', '.join(names)}" if names else ""


def _names(remote: Remote) -> list[str]:
    try:
        files = remote.sizes(FOLDER)
    except NotThereError:
        remote.sizes("")  # raises where there is no collection at all
        return []
    return sorted(name.removesuffix(".json") for name in files if name.endswith(".json"))


def _is_run(path: Path) -> bool:
    return (path / RUN_NAME).is_file()


def _report(run: PublishedRun, parts: Parts, dry_run: bool) -> dict[str, Any]:
    return _facts(run) | {
        "dry_run": dry_run,
        "files": len(parts.move),
        "bytes": parts.bytes,
        "files_kept": len(parts.keep),
    }


def _facts(run: PublishedRun) -> dict[str, Any]:
    return {
        "name": run.name,
        "model": run.info.config.model,
        "store": Path(run.info.store.path).name,
        "content_digest": run.info.store.content_digest,
    }
