"""Fetch a published store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from posedata.dataset import Built, need_built
from posedata.errors import IntegrityError, PoseDataError
from posedata.files import bytes_below, need_space, sha256_file, sync_tree
from posedata.home import data_home
from posedata.manifest import MANIFEST_NAME, StoreFile, parse_manifest, read_manifest, remove_others
from posedata.progress import Progress, silent
from posedata.sharing.catalogue import Found, find_dataset, first_answer, local_stores
from posedata.sharing.objects import fetch, part_name
from posedata.sharing.packs import packs_of
from posedata.store.opened import open_any
from posedata.store.staging import check_target, publish, staged


def pull(
    given: str,
    *,
    out: Path | None = None,
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Fetch a store, exactly the bytes that were published.

    The manifest comes first and proves every file as it arrives; files that another store of the data home has are
    copied from there. The store appears at its place whole, by a rename. What was fetched before a cut is kept beside
    it, and the same command goes on.

    Args:
        given: path of a dataset manifest, URL COLLECTION/NAME, or a name; see `find_dataset`.
        out: where the store will stand; None = in the data home.
        overwrite: whether a store that stands there may be replaced.
        dry_run: only tell.
        progress: told of the bytes.

    Returns:
        The report: dataset, store, files and bytes fetched, files that were on this disk, content digest, licences.

    Raises:
        BadInputError: if there is no such dataset, or it was never built.
        ConflictError: if the target exists.
        IntegrityError: if what comes is not what was published.
        RemoteError: if it does not come.
    """
    found = find_dataset(given)
    built = need_built(found.dataset, found.where)
    target = (out or data_home() / "stores" / f"{found.dataset.name}.zarr").absolute()
    if not overwrite and _has(target, built):
        return _report(found, target, (), dry_run, unchanged=True)
    check_target(target, overwrite)
    remote, text = first_answer(found, built)
    manifest = parse_manifest(text, f"{remote.url}: {MANIFEST_NAME}")
    known = _known_files(target)
    missing = [file for file in manifest.files if file.sha256 not in known]
    if dry_run:
        return _report(found, target, missing, dry_run)
    with staged(target, overwrite, resume=True, keep=True) as stage:
        folder = stage / "store"
        folder.mkdir(exist_ok=True)
        remove_others(folder, {name for file in manifest.files for name in (file.path, part_name(file.path))})
        size = sum(file.size for file in manifest.files)
        need_space(stage.parent, size - bytes_below(folder))
        with progress(f"pulling {found.dataset.name}", size, "bytes") as advance:
            fetched = fetch(remote, manifest.files, folder, known, advance, packs=packs_of(manifest.files))
        (folder / MANIFEST_NAME).write_bytes(text)
        open_any(folder)  # what would not open is not published
        sync_tree(folder)
        check_target(target, overwrite)
        publish(folder, target)
    return _report(found, target, fetched, dry_run)


def _has(target: Path, built: Built) -> bool:
    """Whether the very store stands there already."""
    try:
        return sha256_file(target / MANIFEST_NAME) == built.manifest_sha256 and bool(open_any(target))
    except (PoseDataError, FileNotFoundError, NotADirectoryError):
        return False


def _known_files(target: Path) -> dict[str, Path]:
    """Content -> a file of the data home, or of what stands at the target, that should have it."""
    known = {}
    for store in (*local_stores(data_home()), target):
        try:
            known.update({file.sha256: store / file.path for file in read_manifest(store).files})
        except (IntegrityError, OSError):
            continue  # of no use here
    return known


def _report(
    found: Found, target: Path, fetched: Sequence[StoreFile], dry_run: bool, unchanged: bool = False
) -> dict[str, Any]:
    dataset, built = found.dataset, need_built(found.dataset, found.where)
    return {
        "dataset": dataset.name,
        "version": dataset.version,
        "store": str(target),
        "dry_run": dry_run,
        "unchanged": unchanged,
        "files": len(fetched),
        "bytes": sum(file.size for file in fetched),
        "files_kept": built.files - len(fetched),
        "content_digest": built.content_digest,
        "licences": {source.dataset: source.licence for source in dataset.sources},
    }
