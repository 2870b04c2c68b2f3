"""manifest.json: what a store is, file by file. Written last; a folder without one is no store."""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Set
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from posedata.config import Frozen, canonical_json, faults, json_digest
from posedata.errors import IntegrityError
from posedata.files import sha256_file, sync_folder, write_durably

MANIFEST_NAME = "manifest.json"
SOURCES_NAME = "sources.csv"
"""Every raw file that the store was made from: dataset, path, sha256. Not in the manifest, which is read whole."""
SUMMARY = ("kind", "synthetic", "samples", "recipe", "measured", "counts", "licences")
"""Attributes of the root that every manifest repeats."""
READERS = "readers"
"""One that it repeats where there is any: dataset -> the other package, and its version, that read the raw data."""

_MOST_NAME = 200
"""Bytes of a file's name."""

_OWN_HASH = "manifest_sha256"


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    if not path.isprintable() or any(len(part.encode()) > _MOST_NAME for part in parts):
        raise ValueError(f"expected printable names of {_MOST_NAME} bytes at most")
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or str(PurePosixPath(path)) != path:
        raise ValueError("expected a plain relative path inside the store")
    return path


RelativePath = Annotated[str, AfterValidator(_inside)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def printed(text: str) -> str:
    """Text that a manifest can hold: what is no UTF-8 in the name of a file is spelt out."""
    return text.encode("utf-8", "backslashreplace").decode()


def told(root: Path, text: str) -> str:
    """A fault or warning of a raw tree as a manifest holds it, wherever the tree lies: paths are relative to `root`."""
    return printed(re.sub(rf"(?<![\w/.-]){re.escape(str(root))}(/|: )", "", text))


class StoreFile(Frozen):
    """One file of the store; `path` is relative to it, with `/`."""

    path: RelativePath
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class Skipped(Frozen):
    """Something of the raw data that is not in the store, and why."""

    item: str
    reason: str


class Manifest(Frozen):
    """The whole manifest. Two builds of one recipe from the same files write the same bytes.

    Attributes:
        manifest_version: of this layout.
        kind: of the store.
        format_version: of the store.
        content_digest: see `posedata.store.digest`.
        summary: counts and recipe, as in the store's attributes.
        skipped: what was left out.
        warnings: what a careful person should know.
        files: every file of the store but this one, sorted by path.
    """

    manifest_version: Literal[3] = 3
    kind: str
    format_version: int
    content_digest: Sha256
    summary: dict[str, Any]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    files: tuple[StoreFile, ...]


_NONE: Mapping[str, StoreFile] = MappingProxyType({})


def list_files(root: Path, known: Mapping[str, StoreFile] = _NONE) -> tuple[StoreFile, ...]:
    """Every file below `root` but the manifest, with size and hash, sorted by path.

    Args:
        root: the store.
        known: files whose hash was taken when they were written, by path.
    """
    return tuple(
        known.get(name) or StoreFile(path=name, size=path.stat().st_size, sha256=sha256_file(path))
        for name, path in sorted(relative_files(root).items())
    )


def relative_files(root: Path) -> dict[str, Path]:
    """Relative path -> path of everything below `root` that is no folder, but the manifest; nothing of no folder."""
    named = {path: root / path for path in _files_below(str(root))} if root.is_dir() else {}
    named.pop(MANIFEST_NAME, None)
    return named


def _files_below(folder: str, before: str = "") -> Iterator[str]:
    """As the folders themselves tell them, which spares a question for each file: that is slow on a shared disk."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files_below(entry.path, f"{before}{entry.name}/")
            else:
                yield f"{before}{entry.name}"


def remove_others(root: Path, kept: Set[str]) -> None:
    """Leave nothing below `root` but these files and the folders that they are in."""
    for name, path in relative_files(root).items():
        if name not in kept:
            path.unlink()
    for folder, _, _ in os.walk(root, topdown=False):
        if Path(folder) != root and not any(Path(folder).iterdir()):
            Path(folder).rmdir()


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Write the manifest into the store, durably, with a hash of its own content."""
    content = manifest.model_dump(mode="json")
    proven = content | {_OWN_HASH: json_digest(content)}
    write_durably(root / MANIFEST_NAME, [json.dumps(proven, indent=1).encode(), b"\n"])
    sync_folder(root)


def read_manifest(root: Path) -> Manifest:
    """The manifest of a store.

    Raises:
        IntegrityError: if there is none or it is damaged.
    """
    path = root / MANIFEST_NAME
    if path.is_symlink():
        raise IntegrityError(f"{path}: expected a plain file, found a link")
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise IntegrityError(f"{path}: expected the manifest of a complete store, found none") from error
    return parse_manifest(content, str(path))


def parse_manifest(text: bytes, where: str) -> Manifest:
    """A manifest from its text; `where` it was is named in errors.

    Raises:
        IntegrityError: if it is damaged.
    """
    try:
        content = json.loads(text)
        own = content.pop(_OWN_HASH, None) if isinstance(content, dict) else None
        canonical = canonical_json(content)
        if own != hashlib.sha256(canonical).hexdigest():
            raise IntegrityError(
                f"{where}: {_OWN_HASH}: expected the hash of its content, found another: it is damaged"
            )
        return Manifest.model_validate_json(canonical)
    except ValidationError as error:
        raise IntegrityError(*(f"{where}: {fault}" for fault in faults(error))) from error
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{where}: expected JSON, found {error}: it is damaged") from error
