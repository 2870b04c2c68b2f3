"""The first pass of a build: read every raw file once, check it, and lay its frames down in one row.

What must be known of all frames before the first can be written (mean torso, counts, the table of sequences) is
found here; the frames themselves go to a `Spool`.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posedata import geometry
from posedata.ahead import ahead
from posedata.boxes import boxed_as_asked, detected
from posedata.config import Recipe, Selection
from posedata.counts import exact_mean
from posedata.errors import BadInputError
from posedata.files import sha256_file
from posedata.formats import find_format
from posedata.formats.base import SYNTHETIC_MARK, RawDataset, sample_command
from posedata.manifest import SOURCES_NAME, Skipped, printed, told
from posedata.poses import OUTSIDE_BOX, Note, PoseSequence
from posedata.progress import Progress
from posedata.resample import resample
from posedata.spool import Spool


@dataclass(frozen=True)
class Entry:
    """One sequence of the store; `start` is the position of its first frame."""

    dataset: str
    name: str
    video: str
    action: str
    fps: float
    official: str | None
    start: int
    length: int

    @property
    def key(self) -> str:
        """Names the sequence's draws."""
        return f"{self.dataset}/{self.name}"


@dataclass(eq=False)
class Gathered:
    """All that the first pass found.

    Attributes:
        spool: the frames: pixels of what is annotated in boxed frames, boxes, torso diameters, numbers.
        sources: a CSV file with every raw file used: dataset, path below the raw tree, sha256.
        entries: the sequences, by dataset and name.
        annotated: keypoints annotated in boxed frames.
        outside: of them, those that a jittered box left outside, now on its border.
        empty: frames without a box.
        skipped: what was left out.
        warnings: what a careful person should know.
        synthetic: whether a source is.
        samples: the commands that made the synthetic sources, None where their marks do not tell, by dataset.
        licences: who may use the data, by dataset.
        readers: the package and version that read a dataset, where that was not posedata itself.
    """

    spool: Spool
    sources: Path
    entries: list[Entry] = field(default_factory=list)
    annotated: int = 0
    outside: int = 0
    empty: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    synthetic: bool = False
    samples: dict[str, str | None] = field(default_factory=dict)
    licences: dict[str, str] = field(default_factory=dict)
    readers: dict[str, str] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        """N, the number of frames."""
        return self.entries[-1].start + self.entries[-1].length if self.entries else 0

    def sequence(self, start: int = 0, stop: int | None = None) -> NDArray[np.int64]:
        """Number of the sequence of every frame from start to stop."""
        starts = np.asarray([e.start for e in self.entries])
        return np.searchsorted(starts, np.arange(start, self.frames if stop is None else stop), side="right") - 1

    def mean_torso(self) -> float:
        """Mean torso diameter in grid px over the frames that have one, NaN if none has."""
        return exact_mean(self.spool.blocks("torso", self.frames))


def gather(
    recipe: Recipe,
    raw: Mapping[str, Path],
    scratch: Path,
    skip_bad: bool,
    progress: Progress,
    keep_heatmaps: bool = True,
) -> Gathered:
    """Read all raw files that a recipe names.

    Args:
        recipe: which datasets and actions, at which rate, in which boxes.
        raw: raw tree of each dataset.
        scratch: an empty folder.
        skip_bad: whether to go on after a bad file and list it.
        progress: told of the files.
        keep_heatmaps: whether a detector's heatmaps are laid down, too, or only checked.

    Raises:
        BadInputError: for the first bad file, unless `skip_bad`; if a dataset has no good one.
    """
    found = Gathered(Spool(scratch), scratch / SOURCES_NAME)
    _append_rows(found.sources, [("dataset", "path", "sha256")])
    for selection in recipe.datasets:
        kind = find_format(selection.dataset)
        dataset = kind.open(raw[selection.dataset])
        if kind.package:
            found.readers[selection.dataset] = kind.package
        found.warnings += [told(dataset.root, warning) for warning in dataset.warnings]
        found.licences[selection.dataset] = dataset.licence
        if (dataset.root / SYNTHETIC_MARK).is_file():
            found.synthetic = True
            found.samples[selection.dataset] = sample_command(dataset.root)
        _append_rows(found.sources, _sources(dataset, selection.dataset, dataset.tables()))
        _gather_dataset(found, dataset, selection, recipe, skip_bad, keep_heatmaps, progress)
    return found


def _gather_dataset(
    found: Gathered,
    dataset: RawDataset,
    selection: Selection,
    recipe: Recipe,
    skip_bad: bool,
    keep_heatmaps: bool,
    progress: Progress,
) -> None:
    before, seen = len(found.entries), set()
    listed: list[Path] = []
    items = dataset.items()
    with progress(f"reading {selection.dataset}", len(items), "files") as advance:
        for item, read in read_all(dataset, items, recipe.fps):
            try:
                if isinstance(read, BadInputError):
                    raise read
                _check_names(read, selection.dataset, item)
                seen.add(read.action)
                if selection.actions is None or read.action in selection.actions:
                    _add(found, read, recipe, keep_heatmaps)
                    # People of one file come one after the other, and the file is listed once.
                    files = dataset.files(item)
                    _append_rows(found.sources, _sources(dataset, selection.dataset, files if files != listed else ()))
                    listed = files
            except BadInputError as error:
                if not skip_bad:
                    raise
                found.spool.rewind(found.frames)
                reasons = "; ".join(told(dataset.root, fault) for fault in error.faults)
                found.skipped.append(Skipped(item=printed(f"{selection.dataset}/{item}"), reason=reasons))
            advance(1)
    _check_actions(selection, seen)
    if len(found.entries) == before:
        raise BadInputError(f"{dataset.root}: expected at least one good sequence, found none")


def read_all(
    dataset: RawDataset, items: Iterable[str], fps: float | None = None
) -> Iterator[tuple[str, PoseSequence | BadInputError]]:
    """Every item with its checked sequence, or with all that is wrong with its files; one is read ahead."""
    return ahead((_read(dataset, item, fps) for item in items), dataset.close)


def _read(dataset: RawDataset, item: str, fps: float | None) -> tuple[str, PoseSequence | BadInputError]:
    """A sequence, resampled if so asked, or what is wrong with its files."""
    try:
        sequence = dataset.read(item)
        return item, sequence if fps is None else resample(sequence, fps)
    except BadInputError as error:
        return item, error


def _check_names(sequence: PoseSequence, dataset: str, item: str) -> None:
    """All that a store says of a sequence goes by its names."""
    if (sequence.dataset, sequence.name) != (dataset, item):
        raise BadInputError(f"{dataset}/{item}: expected a sequence of that name from its reader, found {sequence.key}")


def _check_actions(selection: Selection, seen: set[str]) -> None:
    lost = sorted(set(selection.actions or ()) - seen)
    if lost:
        there = ", ".join(sorted(seen - {""})) or "no actions at all"
        raise BadInputError(
            f"--actions: expected actions of {selection.dataset}, found none like {', '.join(lost)}; there are {there}"
        )


def _sources(dataset: RawDataset, name: str, paths: Iterable[Path]) -> Iterator[tuple[str, str, str]]:
    for path in paths:
        yield name, path.relative_to(dataset.root).as_posix(), sha256_file(path)


def _append_rows(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("a", newline="", encoding="utf-8", errors="surrogateescape") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _add(found: Gathered, sequence: PoseSequence, recipe: Recipe, keep_heatmaps: bool) -> None:
    """Lay the frames of a sequence down, then count them."""
    points, boxes, outside = boxed_as_asked(sequence, recipe)
    notes = (*sequence.notes, *([Note(outside, OUTSIDE_BOX)] if outside else []))
    found.outside += outside
    empty = np.isnan(boxes[:, 0])
    torso = geometry.torso_diameters(geometry.to_grid(points, boxes))
    if sequence.detector is not None:
        heatmaps = detected(sequence, empty)
        found.spool.append("heatmaps", heatmaps if keep_heatmaps else (block[:0] for block in heatmaps))
    for name, values in (("points", points), ("boxes", boxes), ("torso", torso)):
        found.spool.append(name, [values])
    found.spool.append("frame_number", [sequence.frame_number])
    found.spool.append("shot", [sequence.shot])

    found.annotated += int((~np.isnan(points[..., 0])).sum())
    found.empty += int(empty.sum())
    found.skipped += [Skipped(item=sequence.key, reason=str(note)) for note in notes]
    found.entries.append(
        Entry(
            dataset=sequence.dataset,
            name=sequence.name,
            video=sequence.video,
            action=sequence.action,
            fps=sequence.fps,
            official=sequence.official_split,
            start=found.frames,
            length=len(sequence),
        )
    )
