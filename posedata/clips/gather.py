"""The first pass over clips: check every joint once, measure, and hash the files. No pixel is decoded."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.clips.arrays import Part, find_parts
from posedata.clips.geometry import Floats, extents, rises
from posedata.clips.joints import JOINTS
from posedata.clips.schema import CLIP_FRAMES
from posedata.errors import BadInputError, bad_file, first_faults
from posedata.family import Published
from posedata.files import sha256_file
from posedata.formats.base import SYNTHETIC_MARK, sample_command, to_floats
from posedata.manifest import SOURCES_NAME, Skipped
from posedata.progress import Progress

LEAST, MOST = 0.1, 10.0
"""Metres that a person is large: the longest side of the box around all joints."""

_BLOCK = 512
"""Clips that are checked at a time: 2 MB of joints."""

_ORIGIN = 1e-6
"""Metres from the origin within which a pelvis lies there."""


class Checked(NamedTuple):
    """The clips of a split that the store holds.

    Attributes:
        part: where they lie.
        kept: (n,) their numbers in the files, rising.
    """

    part: Part
    kept: NDArray[np.int64]


@dataclass
class Found:
    """All that the first pass found; F frames.

    Attributes:
        sources: a CSV file with every raw file: dataset, name, sha256.
        checked: the splits, in the order of the store.
        extents: metres: of every frame's person, in the order of the store.
        rise: (3,) metres: the sum of all frames' `rises`.
        centred: whether every pelvis lies at the origin.
        skipped: what was left out, in words.
        synthetic: whether the folder says so.
        sample: the command that made a synthetic one.
    """

    sources: Path
    checked: list[Checked] = field(default_factory=list)
    extents: list[Floats] = field(default_factory=list)
    rise: Floats = field(default_factory=lambda: np.zeros(3))
    centred: bool = True
    skipped: list[Skipped] = field(default_factory=list)
    synthetic: bool = False
    sample: str | None = None


def gather(dataset: Published, root: Path, scratch: Path, skip_bad: bool, progress: Progress) -> Found:
    """Read the joints of all clips.

    Args:
        dataset: whose they are.
        root: the folder with the files.
        scratch: an empty folder.
        skip_bad: leave a clip out whose joints are bad, and list it.
        progress: told of the files.

    Raises:
        BadInputError: for files that are missing or no such arrays; for what is bad in them, unless `skip_bad`; for
            joints that are plainly not in metres; if no good clip is left in one of the splits.
    """
    found = Found(scratch / SOURCES_NAME)
    if (root / SYNTHETIC_MARK).is_file():
        found.synthetic, found.sample = True, sample_command(root)
    parts = find_parts(root, dataset.source)
    for part in parts:
        _check(found, dataset.name, part, skip_bad)
    files = [file.path for part in parts for file in part.files]
    with (
        found.sources.open("w", newline="", encoding="utf-8") as file,
        progress("hashing", len(files), "files") as advance,
    ):
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("dataset", "path", "sha256"))
        for path in files:
            rows.writerow((dataset.name, path.name, sha256_file(path)))
            advance(1)
    return found


def _check(found: Found, dataset: str, part: Part, skip_bad: bool) -> None:
    """Check the joints of a split and take them in."""
    path, clips = part.joints.path, part.joints.shape[0]
    sizes = np.concatenate([extents(block) for block in _blocks(part)])
    _need_metres(path, sizes)
    good = np.all((sizes >= LEAST) & (sizes <= MOST), axis=1)  # neither is true of NaN
    faults = list(_faults(part, np.flatnonzero(~good)))
    if faults and not skip_bad:
        told = [f"{fault}; mend it, or leave the clip out with --skip-bad" for fault in faults]
        raise bad_file(path, first_faults(told))
    if not good.any():
        raise bad_file(path, [f"expected at least one clip with sound joints, found none of {clips:,}"])
    found.skipped += [Skipped(item=f"{dataset}/{part.split}", reason=f"{path.name}: {fault}") for fault in faults]
    found.checked.append(Checked(part, np.flatnonzero(good)))
    found.extents.append(sizes[good].ravel())
    for start, block in zip(range(0, clips, _BLOCK), _blocks(part), strict=True):
        kept = block[good[start : start + _BLOCK]]
        found.rise += rises(kept).sum(axis=(0, 1))
        found.centred &= bool((np.abs(kept[:, :, 0]) <= _ORIGIN).all())


def _blocks(part: Part) -> Iterator[Floats]:
    """(n, 8, 17, 3) joints of the next clips."""
    for start in range(0, part.joints.frames, _BLOCK * CLIP_FRAMES):
        stop = min(start + _BLOCK * CLIP_FRAMES, part.joints.frames)
        yield to_floats(part.joints.read(start, stop)).reshape(-1, CLIP_FRAMES, len(JOINTS), 3)


def _need_metres(path: Path, sizes: Floats) -> None:
    """Raise BadInputError if people are of no size that people have; sizes of some may be NaN."""
    known = sizes[np.isfinite(sizes)]
    median = float(np.median(known)) if len(known) else 1.0
    if not LEAST <= median <= MOST:
        raise BadInputError(
            f"{path}: unit: expected metres, so people of {LEAST:g} to {MOST:g}, found a median of {median:,.4g}; "
            "millimetres are to be divided by 1,000"
        )


def _faults(part: Part, bad: NDArray[np.int64]) -> Iterator[str]:
    """What is wrong with the clips of these numbers: the first frame of each, and its first joint."""
    for clip in bad.tolist():
        joints = to_floats(part.joints.read(clip * CLIP_FRAMES, (clip + 1) * CLIP_FRAMES))
        odd = np.argwhere(~np.isfinite(joints).all(axis=-1))
        if len(odd):
            frame, joint = odd[0].tolist()
            value = ", ".join(f"{number:g}" for number in joints[frame, joint])
            yield f"clip {clip}, frame {frame}: {JOINTS[joint]}: expected finite metres, found ({value})"
        else:
            sizes = extents(joints)
            frame = int(((sizes < LEAST) | (sizes > MOST)).argmax())
            yield (
                f"clip {clip}, frame {frame}: joints: expected a person of {LEAST:g} to {MOST:g} metres, found one of "
                f"{sizes[frame]:.4g}"
            )
