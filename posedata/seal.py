"""The end of every store: card, picture and manifest, once all arrays stand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posedata.card import CARD_NAME, PICTURE_NAME, card
from posedata.files import write_durably
from posedata.heatmaps import peaks
from posedata.manifest import READERS, SUMMARY, Manifest, Skipped, StoreFile, list_files, write_manifest
from posedata.sketch import sketch
from posedata.store import schema
from posedata.store.arrays import StoredArrays, stored_arrays
from posedata.store.digest import content_digest

_POSES = 8
"""In the picture."""


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
    text = card(name, summary, digest, len(skipped), warnings)
    write_durably(folder / CARD_NAME, [text.encode()])
    write_durably(folder / PICTURE_NAME, [_picture(arrays).encode()])
    manifest = Manifest(
        kind=schema.KIND,
        format_version=schema.FORMAT_VERSION,
        content_digest=digest,
        summary=summary,
        skipped=tuple(skipped),
        warnings=tuple(warnings),
        files=list_files(folder, known),
    )
    write_manifest(folder, manifest)
    return manifest


def _picture(arrays: StoredArrays) -> str:
    frames = _telling_frames(arrays)
    target = arrays["target_points"].rows(frames).astype(np.float64)
    if "input_cells" in arrays:
        cells = arrays["input_cells"].rows(frames)
        given = np.where(cells < 0, np.nan, cells + 0.5)
    else:
        given = peaks(arrays["input_heatmaps"].rows(frames))
    return sketch(target, given)


def _telling_frames(arrays: StoredArrays) -> NDArray[np.int64]:
    """Of some sequences, from all over the store, the first frame that has most keypoints."""
    ends = np.cumsum(arrays["sequence_length"][:])
    chosen = np.unique(np.linspace(0, len(ends) - 1, _POSES).round().astype(int))
    frames = []
    for number in chosen.tolist():
        start = int(ends[number - 1]) if number else 0
        annotated = arrays["annotated"][start : int(ends[number])]
        frames.append(start + int(np.count_nonzero(annotated, axis=1).argmax()))
    return np.asarray(frames, np.int64)
