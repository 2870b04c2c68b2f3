"""Measure a store in one pass over its frames, a block of them in memory at a time."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from posedata import geometry
from posedata.pck import THRESHOLDS, Pck, relative_errors
from posedata.progress import Progress
from posedata.skeleton import K
from posedata.splits import SPLITS
from posedata.stats import motion
from posedata.stats.distribution import Distribution
from posedata.store.reader import Store
from posedata.store.schema import SHARD_FRAMES
from posedata.store.views import input_peaks, input_positions
from posedata.windows import WINDOW, window_starts

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEPS = (1, 2)
"""Frame steps at which windows are counted."""

SMALL_BOX = float(geometry.GRID)
"""Pixels: in a box whose longer side is shorter, a cell is finer than a pixel."""

LOPSIDED = 3.0
"""A box whose longer side is more than so many times the shorter is lopsided."""

SHORT_TORSO = 1 / max(THRESHOLDS)
"""Grid px: of a torso that is shorter, the widest threshold of PCK is less than a cell."""

_RIM = 5.0
"""Grid px: the outermost keypoints of a padded square box are nearer to its border, all at the same place in a cell."""

DISTRIBUTIONS = ("torso_diameter", "joint_speed", "mean_speed", "box_side", "input_shift")

STEP_TALLIES = ("box_jumps", "jumps", "swaps")
TALLIES = ("empty", "unannotated", "no_torso", "short_torso", "small_box", "lopsided", "frozen", *STEP_TALLIES)
"""What is counted of each sequence: steps from frame to frame, and frames."""


@dataclass(frozen=True, eq=False)
class Block:
    """Frames that follow one another in a store.

    Attributes:
        first: position of the first of them.
        sequence: (n,) number of each frame's sequence.
        number: (n,) in the source.
        shot: (n,)
        split: (n,)
        points: (n, 25, 2) grid positions of the target, NaN = missing.
        boxes: (n, 4) pixels, NaN = none.
    """

    first: int
    sequence: Ints
    number: NDArray[np.int32]
    shot: NDArray[np.int32]
    split: NDArray[np.uint8]
    points: Floats
    boxes: Floats

    @property
    def positions(self) -> Ints:
        """(n,) in the store."""
        return np.arange(self.first, self.first + len(self.sequence))

    def after(self, before: "Block | None") -> "Block":
        """These frames with the last one of the block before in front of them."""
        if before is None:
            return self
        names = ("sequence", "number", "shot", "split", "points", "boxes")
        joined = {name: np.concatenate([getattr(before, name)[-1:], getattr(self, name)]) for name in names}
        return Block(self.first - 1, **joined)


@dataclass(eq=False)
class Measured:
    """What has been found so far; S sequences, D datasets.

    Attributes:
        datasets: names, sorted.
        dataset: (S,) number of each sequence's dataset.
        frames: (S, 5) frames of each sequence in each split, and in none.
        steps: (S,) steps between frames of each sequence that follow one another in one shot.
        annotated: (D, 25) how often each keypoint is annotated.
        tallies: of `TALLIES`: (S,) how many frames or steps of each sequence.
        windows_of: (S,) windows of `WINDOW` frames at step 1 in each sequence.
        windows: step -> split -> windows.
        distributions: of `DISTRIBUTIONS`: one a dataset.
        axis_shift: absolute difference of input and target on one axis, grid px; of keypoints as far from the border
            as the recipe's standard deviation, so that the border has not moved the median.
        pck: split -> of the input as it is.
        frames_scored: split -> frames with a torso.
        duplicates: sequences with the very same target points.
    """

    datasets: list[str]
    dataset: Ints
    frames: Ints
    steps: Ints
    annotated: Ints
    tallies: dict[str, Ints]
    windows_of: Ints
    windows: dict[int, dict[str, int]] = field(default_factory=dict)
    distributions: dict[str, list[Distribution]] = field(default_factory=dict)
    axis_shift: Distribution = field(default_factory=Distribution)
    pck: dict[str, Pck] = field(default_factory=lambda: {name: Pck.of_videos(1) for name in SPLITS})
    frames_scored: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 0))
    duplicates: list[list[int]] = field(default_factory=list)


def measure(store: Store, progress: Progress) -> Measured:
    """Measure all frames of a store. A noisy store's heatmaps are not read, a detector's are decoded.

    Raises:
        IntegrityError: where the store is damaged.
    """
    found = _empty(store)
    fingerprints = _Fingerprints()
    still = np.zeros(max(len(store) - 1, 0), np.bool_)
    before: Block | None = None
    with progress("measuring", len(store), "frames") as advance:
        for block in _blocks(store):
            fingerprints.add(block)
            _measure_frames(found, block)
            _measure_input(found, store, block)
            steps = block.after(before)
            still[steps.first : steps.first + len(steps.sequence) - 1] = _measure_steps(found, store, steps)
            before = block
            advance(len(block.sequence))
    begin, length = motion.runs(still, WINDOW - 1)
    np.add.at(found.tallies["frozen"], store.frame_sequence[begin], length + 1)
    found.duplicates = fingerprints.shared()
    return found


def _empty(store: Store) -> Measured:
    names = store["sequence_dataset"].astype(str)
    datasets, dataset = np.unique(names, return_inverse=True)
    sequences = len(names)
    split_of = np.searchsorted([*SPLITS.values()], store["split"])  # 255, none, comes last
    width = len(SPLITS) + 1
    frames = np.bincount(store.frame_sequence * width + split_of, minlength=sequences * width)
    starts = window_starts(store.frame_sequence, store["frame_number"], store["shot"], WINDOW)
    return Measured(
        [str(name) for name in datasets],
        dataset,
        frames.reshape(sequences, width),
        np.zeros(sequences, np.int64),
        np.zeros((len(datasets), K), np.int64),
        {name: np.zeros(sequences, np.int64) for name in TALLIES},
        np.bincount(store.frame_sequence[starts], minlength=sequences),
        {step: {name: len(store.windows(name, WINDOW, step)) for name in SPLITS} for step in STEPS},
        {name: [Distribution() for _ in datasets] for name in DISTRIBUTIONS},
    )


def _blocks(store: Store) -> Iterator[Block]:
    for first in range(0, len(store), SHARD_FRAMES):
        positions = np.arange(first, min(first + SHARD_FRAMES, len(store)))
        number, shot, split, points, boxes = (
            store.frames(name, positions) for name in ("frame_number", "shot", "split", "target_points", "box")
        )
        sequence = store.frame_sequence[positions]
        yield Block(first, sequence, number, shot, split, points.astype(np.float64), boxes.astype(np.float64))


def _measure_frames(found: Measured, block: Block) -> None:
    torso = geometry.torso_diameters(block.points)
    sides = block.boxes[:, 2:] - block.boxes[:, :2]
    long, short = sides.max(axis=1), sides.min(axis=1)
    _tally(found, "empty", block.sequence, np.isnan(long))
    shown = ~np.isnan(block.points[..., 0]).all(axis=1)
    _tally(found, "unannotated", block.sequence, ~shown & ~np.isnan(long))
    _tally(found, "no_torso", block.sequence, shown & np.isnan(torso))
    _tally(found, "short_torso", block.sequence, torso < SHORT_TORSO)
    _tally(found, "small_box", block.sequence, long < SMALL_BOX)
    _tally(found, "lopsided", block.sequence, long > LOPSIDED * short)
    dataset = found.dataset[block.sequence]
    _distribute(found, "torso_diameter", dataset, torso)
    _distribute(found, "box_side", dataset, long)
    for number in np.unique(dataset):
        found.annotated[number] += (~np.isnan(block.points[dataset == number, :, 0])).sum(axis=0)


def _measure_input(found: Measured, store: Store, block: Block) -> None:
    """How far the input is off: its impulses or peaks for shifts, its peaks for scores."""
    noisy = "input_heatmaps" in store.rendered
    given = input_positions(store, block.positions)
    shift = given - block.points
    _distribute(found, "input_shift", found.dataset[block.sequence], np.linalg.norm(shift, axis=-1))
    std = store.attributes["measured"]["shift_std"]
    if std is not None:
        margin = np.minimum(block.points, geometry.GRID - block.points)
        found.axis_shift.add(np.abs(shift[margin >= max(std, _RIM)]))
    torso = geometry.torso_diameters(block.points)
    centres = geometry.cell_centres(store.frames("target_cells", block.positions))
    relative = relative_errors(input_peaks(store, block.positions) if noisy else given, centres, torso)
    for name, number in SPLITS.items():
        inside = block.split == number
        found.pck[name].add(relative[inside], np.zeros(int(inside.sum()), np.int64))
        found.frames_scored[name] += int((~np.isnan(torso[inside])).sum())


def _measure_steps(found: Measured, store: Store, block: Block) -> NDArray[np.bool_]:
    """Count what moves; returns whether each step changes nothing."""
    follows = motion.consecutive(block.sequence, block.number, block.shot)
    sequence = block.sequence[1:]
    np.add.at(found.steps, sequence[follows], 1)
    speed = np.where(follows[:, None], motion.speeds(block.points), np.nan)
    _distribute(found, "joint_speed", found.dataset[sequence], speed)
    _distribute(found, "mean_speed", found.dataset[sequence], geometry.mean_present(speed))
    pixels = geometry.to_pixels(block.points, block.boxes)
    mean_torso = store.attributes["measured"]["mean_torso_diameter"]
    torso = motion.step_torsos(pixels, block.boxes, np.nan if mean_torso is None else mean_torso)
    _tally(found, "jumps", sequence, motion.jumps(pixels, torso).any(axis=1) & follows)
    _tally(found, "swaps", sequence, motion.swaps(pixels, torso).any(axis=1) & follows)
    _tally(found, "box_jumps", sequence, motion.box_jumps(block.boxes) & follows)
    return motion.still(block.points, block.boxes) & follows


def _tally(found: Measured, name: str, sequence: Ints, flags: NDArray[np.bool_]) -> None:
    np.add.at(found.tallies[name], sequence[flags], 1)


def _distribute(found: Measured, name: str, dataset: Ints, values: Floats) -> None:
    """Count the values (n, ...) of frames of some datasets (n,)."""
    for number in np.unique(dataset):
        found.distributions[name][number].add(values[dataset == number])


class _Fingerprints:
    """Hashes of the target points of whole sequences, which come in pieces and in order."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=16)
        self._current = 0
        self._present = False
        self._found: dict[bytes, list[int]] = defaultdict(list)

    def add(self, block: Block) -> None:
        """Hash the pieces of sequences in a block."""
        edges = np.flatnonzero(np.diff(block.sequence)) + 1
        for piece, begin in zip(np.split(block.points, edges), [0, *edges.tolist()], strict=True):
            if (sequence := int(block.sequence[begin])) != self._current:
                self._finish(sequence)
            self._hash.update(np.ascontiguousarray(piece, "<f8").data)
            self._present |= not np.isnan(piece).all()

    def _finish(self, following: int) -> None:
        """A sequence without a keypoint is like no other."""
        if self._present:
            self._found[self._hash.digest()].append(self._current)
        self._hash = hashlib.blake2b(digest_size=16)
        self._current, self._present = following, False

    def shared(self) -> list[list[int]]:
        """Sequences with the same points, in groups."""
        self._finish(-1)
        return [numbers for numbers in self._found.values() if len(numbers) > 1]
