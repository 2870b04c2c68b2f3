"""From the authors' addresses to a raw tree that is there whole or not at all."""

import hashlib
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from posedata.config import Frozen
from posedata.errors import IntegrityError, bad_file
from posedata.fetch.addresses import Archive, find_publication, find_urls
from posedata.fetch.download import download
from posedata.fetch.unpack import unpack
from posedata.files import need_empty, sha256_file, sync_tree, write_durably
from posedata.formats import find_format
from posedata.home import data_home
from posedata.locks import locked
from posedata.progress import Progress, silent
from posedata.secrets import redact
from posedata.store.staging import publish, staged

RECEIPT = "fetched.json"
"""In a fetched tree: what it was made of. Formats do not read it."""


class Fetched(Frozen):
    """An archive that was downloaded: its name, its address without secrets, its bytes."""

    file: str
    url: str
    size: int
    sha256: str


class Receipt(Frozen):
    """What a raw tree was made of."""

    dataset: str
    licence: str
    cite: str
    archives: tuple[Fetched, ...]


_Records = TypeAdapter(dict[str, Fetched])


def fetch(name: str, root: Path, url: str | None = None, progress: Progress = silent) -> Receipt:
    """Download a dataset and keep what `build` reads of it.

    A cut download goes on where it stopped. The hash of every archive is kept in the data home (`hashes_file`) when
    it was first unpacked; from then on another one is an error. Archives are removed once the tree is there.

    Args:
        name: the dataset.
        root: the raw tree; must not exist or be empty.
        url: instead of the authors' addresses, see `find_urls`.
        progress: told of downloads and archives.

    Raises:
        ChoiceError: if the dataset or `url` is none that can be fetched.
        ConflictError: if `root` holds anything, or another process fetches the dataset.
        RemoteError: if a server cannot be reached, stops early or sends no archive.
        IntegrityError: if an archive is not the one that is known.
        BadInputError: if an archive is damaged, dangerous or lacks what is wanted.
        ResourceError: if there is not enough room on the disk.
    """
    publication, urls = find_publication(name), find_urls(name, url)
    need_empty(root)
    records = hashes_file(name)
    with locked(records.parent, records.parent):
        known = _read_records(records)
        for left in records.parent.glob("tmp*"):  # pooch's, of a killed process
            left.unlink()
        advice = f"see {publication.page} for another address, and give it by --url"
        paths, fetched = [], []
        for archive, address in zip(publication.archives, urls, strict=True):
            paths.append(_cached(records.parent, archive, address))
            download(address, paths[-1], advice, progress)
            fetched.append(_checked(archive, paths[-1], address, known.get(archive.file), records))
        receipt = Receipt(
            dataset=name, licence=find_format(name).licence, cite=publication.cite, archives=tuple(fetched)
        )
        with staged(root.absolute(), overwrite=True, is_ours=_is_empty) as stage:
            for archive, path in zip(publication.archives, paths, strict=True):
                unpack(path, archive.keep, stage / archive.into, progress)
            write_durably(stage / RECEIPT, [receipt.model_dump_json(indent=2).encode()])
            write_durably(records, [_Records.dump_json({f.file: f for f in fetched} | known, indent=2)])
            sync_tree(stage)
            publish(stage, root.absolute())
        for path in paths:
            path.unlink()
    return receipt


def hashes_file(name: str) -> Path:
    """Where the hashes of a dataset's archives are kept; the archives themselves lie beside it until unpacked."""
    return data_home() / "cache" / "fetch" / name / "hashes.json"


def _cached(folder: Path, archive: Archive, url: str) -> Path:
    """An archive's place: another for another address."""
    return folder / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}-{archive.file}"


def _checked(archive: Archive, path: Path, url: str, before: Fetched | None, records: Path) -> Fetched:
    """What was downloaded; raises IntegrityError, and removes it, if it is not what was downloaded `before`."""
    found = Fetched(file=archive.file, url=redact(url), size=path.stat().st_size, sha256=sha256_file(path))
    if before is not None and found.sha256 != before.sha256:
        path.unlink()
        raise IntegrityError(
            f"{found.url}: sha256: expected {before.sha256}, found {found.sha256}; {before.url} was another one: if "
            f"you trust the new one, remove {records} and run the command again"
        )
    return found


def _read_records(path: Path) -> dict[str, Fetched]:
    try:
        return _Records.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValidationError as error:
        raise bad_file(path, ["expected the hashes of earlier downloads, found something else; remove it"]) from error


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())
