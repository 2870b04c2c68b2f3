"""Publish a store in a collection."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from posedata.card import PICTURE_NAME
from posedata.dataset import Dataset, describe, need_built
from posedata.errors import ConflictError
from posedata.progress import Progress, silent
from posedata.sharing.catalogue import find_published
from posedata.sharing.mirror import name_of
from posedata.sharing.objects import Parts, send, to_send
from posedata.sharing.packs import send_packs
from posedata.sharing.remote import Remote, open_remote
from posedata.shown import shown
from posedata.store.opened import open_any


def push(
    store: Path,
    url: str,
    *,
    name: str | None = None,
    version: str = "1",
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> dict[str, Any]:
    """Publish a store.

    Files that the collection has are not sent again; the dataset manifest comes after all of them, so a push that was
    cut before has published nothing, and the same command goes on. Of two pushers of one name, the first to come to its
    manifest wins. The card comes last: it replaces what stands there, which only the winner may.

    Args:
        store: the folder.
        url: of the collection.
        name: of the dataset; None = the store's.
        version: of the dataset.
        overwrite: whether another dataset of that name may be replaced.
        dry_run: only tell.
        progress: told of the bytes.

    Returns:
        The report: dataset, url, files and bytes sent, files kept, content digest, licences.

    Raises:
        ConflictError: if the collection has another dataset of that name.
        IntegrityError: if the store is damaged.
        ChoiceError: if it is a web server.
        RemoteError: if the place fails.
    """
    opened = open_any(store)
    remote = open_remote(url)
    remote.need_writable()
    wanted = describe(opened, name or name_of(store), version, (remote.url,))
    published = find_published(remote, wanted.name)
    same = published is not None and (published.built, published.version) == (wanted.built, wanted.version)
    if published and not same and not overwrite:
        raise ConflictError(
            f"{remote.url}/{wanted.name}: expected no other dataset of this name, found one; use --overwrite or "
            "another --name"
        )
    manifest = need_built(wanted, wanted.name).manifest_file
    parts = to_send(remote, [*opened.manifest.files, manifest])
    made = opened.manifest
    text = shown(made.kind).card(wanted.name, made.summary, made.content_digest, len(made.skipped), made.warnings)
    drawn = opened.file(PICTURE_NAME).read_bytes()
    if not dry_run:
        if opened.fetch:
            opened.fetch(opened.manifest.files)
        with TemporaryDirectory() as scratch:
            with progress(f"pushing {wanted.name}", parts.bytes, "bytes") as advance:
                send(remote, store, parts.move, advance)
            send_packs(remote, store, opened.manifest.files, Path(scratch))
            if not same:
                remote.write(f"{wanted.name}.json", wanted.to_json(), overwrite)
            picture = f"{wanted.name}.svg"
            remote.write(picture, drawn, replace=True)
        remote.write(f"{wanted.name}.md", text.replace(f"({PICTURE_NAME})", f"({picture})").encode(), replace=True)
    return _report(wanted, remote, parts, dry_run)


def _report(dataset: Dataset, remote: Remote, parts: Parts, dry_run: bool) -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        "version": dataset.version,
        "url": f"{remote.url}/{dataset.name}",
        "dry_run": dry_run,
        "files": len(parts.move),
        "bytes": parts.bytes,
        "files_kept": len(parts.keep),
        "content_digest": need_built(dataset, dataset.name).content_digest,
        "licences": {source.dataset: source.licence for source in dataset.sources},
    }
