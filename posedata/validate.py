"""Every fault of a raw tree before a build, which would stop at the first bad file. Nothing is written."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from posedata.boxes import blocks_of, boxed
from posedata.errors import BadInputError
from posedata.formats import find_format
from posedata.formats.base import SYNTHETIC_MARK, RawDataset
from posedata.gather import read_all
from posedata.geometry import torso_diameters
from posedata.poses import PoseSequence
from posedata.progress import Progress, silent
from posedata.windows import WINDOW, window_starts


@dataclass(frozen=True)
class Told:
    """A fault or a warning.

    Attributes:
        item: name of the sequence; "" = the whole tree.
        text: what is wrong; a fault begins with its file and field.
    """

    item: str
    text: str


@dataclass
class Validation:
    """What a raw tree holds. Counts are of the sequences without a fault.

    Attributes:
        files: of the sequences without a fault, and tables.
        items: sequences, those with faults included.
        sequences: without a fault.
        frames: of them.
        keypoints: annotated, in frames that have a box.
        empty_frames: without a box.
        frames_without_torso: that PCK leaves out, empty ones included.
        gaps: jumps in the frame numbers.
        frames_in_gaps: that are missing there.
        shot_cuts: changes of shot inside a sequence.
        without_window: sequences in which no `WINDOW` frames follow one another in one shot; they can neither
            train nor be scored.
        left_out: what readers left out -> how many.
        synthetic: whether the tree says so.
        faults: all, in the order of the sequences; each once.
        warnings: what `build` would warn of, and what it would leave out.
    """

    files: int = 0
    items: int = 0
    sequences: int = 0
    frames: int = 0
    keypoints: int = 0
    empty_frames: int = 0
    frames_without_torso: int = 0
    gaps: int = 0
    frames_in_gaps: int = 0
    shot_cuts: int = 0
    without_window: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    synthetic: bool = False
    faults: list[Told] = field(default_factory=list)
    warnings: list[Told] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"left_out": dict(self.left_out)}


def validate(name: str, root: Path, progress: Progress = silent) -> Validation:
    """Read all of a raw tree, and go on after what is bad.

    Args:
        name: of the format.
        root: the tree.
        progress: told of the files.

    Raises:
        BadInputError: if there is no tree of that layout at `root`, or not one file in it.
        ChoiceError: if there is no such format.
    """
    dataset = find_format(name).open(root)
    items = dataset.items()
    found = Validation(items=len(items), synthetic=(dataset.root / SYNTHETIC_MARK).is_file())
    found.warnings += _tree_warnings(dataset, found.faults)
    files = set(dataset.tables())
    with progress(f"reading {name}", len(items), "files") as advance:
        for item, read in read_all(dataset, items):
            try:
                if isinstance(read, BadInputError):
                    raise read
                _count(found, read)
                files.update(dataset.files(item))
            except BadInputError as error:
                found.faults += [Told(item, fault) for fault in error.faults]
            advance(1)
    # What is wrong with a table is told again by every sequence that needs it.
    found.faults = list({told.text: told for told in reversed(found.faults)}.values())[::-1]
    found.files = len(files)
    return found


def _tree_warnings(dataset: RawDataset, faults: list[Told]) -> list[Told]:
    """Those of the tree; looking for them may find a fault."""
    try:
        return [Told("", warning) for warning in dataset.warnings]
    except BadInputError as error:
        faults += [Told("", fault) for fault in error.faults]
        return []


def _count(found: Validation, sequence: PoseSequence) -> None:
    """Count a sequence; raises BadInputError if a detector's heatmaps are bad: they are read here first."""
    for _ in blocks_of(sequence):
        pass
    points, boxes = boxed(sequence)
    steps = np.diff(sequence.frame_number)
    windows = window_starts(np.zeros(len(sequence), np.int64), sequence.frame_number, sequence.shot, WINDOW)
    found.sequences += 1
    found.frames += len(sequence)
    found.keypoints += int((~np.isnan(points[..., 0])).sum())
    found.empty_frames += int(np.isnan(boxes[:, 0]).sum())
    found.frames_without_torso += int(np.isnan(torso_diameters(points)).sum())
    found.gaps += int((steps > 1).sum())
    found.frames_in_gaps += int((steps - 1).sum())
    found.shot_cuts += int((np.diff(sequence.shot) > 0).sum())
    found.without_window += not len(windows)
    for note in sequence.notes:
        found.left_out[note.what] += note.count
        found.warnings.append(Told(sequence.name, str(note)))
