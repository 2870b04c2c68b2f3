"""The end of every store: card, picture and manifest, once all arrays stand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from posedata.card import CARD_NAME, PICTURE_NAME
from posedata.files import write_durably
from posedata.manifest import READERS, SUMMARY, Manifest, Skipped, StoreFile, list_files, write_manifest
from posedata.shown import shown
from posedata.store.arrays import stored_arrays
from posedata.store.digest import content_digest
from posedata.store.kinds import KINDS


def seal(
    folder: Path,
    name: str,
    attributes: Mapping[str, Any],
    skipped: Sequence[Skipped],
    warnings: Sequence[str],
    known: Mapping[str, StoreFile],
) -> Manifest:
    """Write what makes a folder of arrays a store; the manifest comes last.

    Args:
        folder: the arrays, their metadata and the table of sources.
        name: of the dataset, for its card.
        attributes: of the root.
        skipped: what was left out.
        warnings: what a careful person should know.
        known: files whose hash was taken when they were written, by path.
    """
    arrays = stored_arrays(folder, attributes)
    digest = content_digest(arrays, attributes["recipe"], attributes["rendered"])
    summary = {key: attributes[key] for key in SUMMARY}
    if READERS in attributes:
        summary[READERS] = attributes[READERS]
    look = shown(attributes["kind"])
    text = look.card(name, summary, digest, len(skipped), warnings)
    write_durably(folder / CARD_NAME, [text.encode()])
    write_durably(folder / PICTURE_NAME, [look.picture(arrays).encode()])
    manifest = Manifest(
        kind=attributes["kind"],
        format_version=KINDS[attributes["kind"]].version,
        content_digest=digest,
        summary=summary,
        skipped=tuple(skipped),
        warnings=tuple(warnings),
        files=list_files(folder, known),
    )
    write_manifest(folder, manifest)
    return manifest
