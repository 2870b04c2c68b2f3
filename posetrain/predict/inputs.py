"""What can be refined: a store, a detector's heatmaps in an .npz file, files and folders of keypoints."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from posedata.errors import BadInputError, ChoiceError, bad_file
from posedata.formats.base import need_regular
from posedata.formats.climbalong import FPS, read_detector
from posedata.formats.keypoints import READERS, to_sequence
from posedata.formats.keypoints.arrays import holds_heatmaps
from posedata.formats.keypoints.jointmap import MAP_NAME, JointMap, read_map
from posedata.formats.keypoints.openpose import openpose_frames, read_openpose
from posedata.formats.keypoints.tracks import Recording, Track
from posedata.geometry import to_grid
from posedata.heatmaps import normalise_detected
from posedata.home import find_store, is_stray
from posedata.isolated.child import ChildReader
from posedata.isolated.netcdf import load_netcdf
from posedata.poses import Detector, PoseSequence
from posedata.preview.origin import film_name, first_number, is_resampled
from posedata.store.reader import open_store
from posedata.store.views import find_sequence, sequence_names
from posetrain.data import has_tight_boxes
from posetrain.overlap import runs_of, stride_of
from posetrain.predict.boxes import steady_boxes, unit_boxes
from posetrain.predict.gaps import bridged
from posetrain.predict.joints import PlainMap
from posetrain.predict.people import Block, Floats, HeatmapBlock, Person, PointBlock
from posetrain.sources import Source, sources

_OF_SEQUENCES = tuple(f"sequence_{name}" for name in ("dataset", "video", "fps", "start", "length"))
_OF_FRAMES = ("frame_number", "shot", "box")


@dataclass(frozen=True, eq=False)
class Given:
    """What was found at an input.

    Attributes:
        path: of the input.
        people: in the order in which they are to be refined, each read when it is.
        joints: the joint map of a file of keypoints; None of anything else.
        width: of the images in pixels, None = unknown.
        height: likewise.
        resampled: whether its frames are of another rate than their video's.
        stride: n where the file has every n-th frame of its video alone, see `posetrain.overlap.stride_of`.
        warnings: what was left out of it, a sentence each.
    """

    path: Path
    people: list[Person]
    joints: JointMap | None = None
    width: float | None = None
    height: float | None = None
    resampled: bool = False
    stride: int = 1
    warnings: list[str] = field(default_factory=list)


def open_input(given: Path | str, sequences: Sequence[str], device: torch.device, bridge: bool = True) -> Given:
    """Whatever is at a path, or a store by its name or URL.

    Args:
        given: a store; a .npz file of a detector's heatmaps; a .json (COCO, AlphaPose, MMPose or MediaPipe), .jsonl
            (MediaPipe), .csv, .nc (movement) or .npz file of keypoints; a folder of OpenPose.
        sequences: of a store, by name; none = all.
        device: where the heatmaps are wanted.
        bridge: whether short gaps of keypoints are bridged, see `posetrain.predict.gaps`.

    Raises:
        BadInputError: if nothing is there, or it cannot be read.
        ChoiceError: if sequences are named of anything but a store.
        IntegrityError: if a store is damaged.
    """
    path, ending = Path(given), Path(given).suffix.lower()
    is_openpose = path.is_dir() and bool(openpose_frames(path))
    if "://" in str(given) or (ending not in READERS and not is_openpose):
        if is_stray(path):
            raise BadInputError(
                f"{path}: expected a file that ends in {', '.join(READERS)}, a folder of OpenPose's or a "
                f"store, found another {'folder' if path.is_dir() else 'file'}"
            )
        return _store(find_store(given), sequences, device)
    if sequences:
        raise ChoiceError(f"--sequence: expected with a store, found with {path}")
    if not path.exists():
        raise BadInputError(f"{path}: expected a file, found none")
    if is_openpose:
        return _keypoints(path, read_openpose(path), _map_of(path), device, bridge)
    need_regular(path)
    if ending == ".npz" and holds_heatmaps(path):
        return _detector(path, device)
    joints = _map_of(path)
    with closing(netcdf_reader()) as netcdf:
        recording = READERS[ending](path, joints, netcdf)
    return _keypoints(path, recording, joints, device, bridge)


def _map_of(path: Path) -> JointMap:
    """What a joint map in a folder, or beside the input, says of it; what is itself the input is none."""
    inside = [path / MAP_NAME] if path.is_dir() else []
    for place in (*inside, path.with_name(MAP_NAME)):
        if place != path and place.exists():
            return read_map(place, PlainMap)
    return PlainMap()


def netcdf_reader() -> ChildReader:
    """A child process that reads netCDF."""
    return ChildReader("netCDF", load_netcdf)


def _store(path: Path, sequences: Sequence[str], device: torch.device) -> Given:
    store = open_store(path)
    names = sequence_names(store)
    chosen = dict.fromkeys(find_sequence(names, name) for name in sequences) or range(len(names))
    source = sources(store, device, "auto")["input_heatmaps"]
    table = {name: store[name] for name in _OF_SEQUENCES + _OF_FRAMES}  # once: each is decoded whole
    tight = has_tight_boxes(store)
    people = [_of_store(table, names[number], number, source, tight) for number in chosen]
    return Given(path, people, resampled=is_resampled(store.attributes["recipe"]))


def _of_store(table: Mapping[str, NDArray[Any]], name: str, number: int, source: Source, tight: bool) -> Person:
    first, length = (int(table[f"sequence_{column}"][number]) for column in ("start", "length"))
    own = {array: table[array][first : first + length] for array in _OF_FRAMES}
    frame_number = own["frame_number"].astype(np.int64)
    dataset, video = (str(table[f"sequence_{column}"][number]) for column in ("dataset", "video"))

    def block(start: int, stop: int) -> Block:
        return HeatmapBlock(source.heatmaps(np.arange(first + start, first + stop)))

    return Person(
        name=name,
        video=f"{dataset}/{video}",
        fps=float(table["sequence_fps"][number]),
        frame_number=frame_number,
        there=np.ones(length, bool),
        boxes=own["box"].astype(np.float64),
        runs=runs_of(frame_number, own["shot"]),
        sized=True,
        tight=tight,
        points=None,
        film=film_name(dataset, video, name),
        first=first_number(dataset),
        blocks=block,
    )


def _detector(path: Path, device: torch.device) -> Given:
    detector = read_detector(path)
    number = np.arange(len(detector.boxes))
    person = Person(
        name=path.stem,
        video=path.stem,
        fps=FPS,
        frame_number=number,
        there=np.ones(len(number), bool),
        boxes=detector.boxes,
        runs=runs_of(number),
        sized=True,
        tight=False,
        points=None,
        film=path.stem,
        first=0,
        blocks=_Forward(detector, device).block,
    )
    return Given(path, [person])


class _Forward:
    """A detector's heatmaps, which come in blocks of their own length and can be read once."""

    def __init__(self, detector: Detector, device: torch.device) -> None:
        self._coming = self._frames(detector)
        self._end = len(detector.boxes)
        self._device = device

    def _frames(self, detector: Detector) -> Iterator[Floats]:
        at = 0
        for block in detector.heatmaps():
            unboxed = np.isnan(detector.boxes[at : at + len(block), 0])
            at += len(block)
            yield from normalise_detected(np.where(unboxed[:, None, None, None], np.float32(0), block))

    def block(self, start: int, stop: int) -> Block:
        """The next frames."""
        heatmaps = np.stack([next(self._coming) for _ in range(start, stop)])
        if stop == self._end:
            next(self._coming, None)  # whoever reads them compares what stands behind the last frame
        return HeatmapBlock(torch.from_numpy(heatmaps).to(self._device).float())


def _keypoints(path: Path, recording: Recording, joints: JointMap, device: torch.device, bridge: bool) -> Given:
    about = joints.about(path.name, recording)
    given = Given(
        path,
        [],
        None if path.is_dir() else joints,
        about.width if np.isfinite(about.width) else None,
        about.height if np.isfinite(about.height) else None,
        stride=stride_of(np.unique(np.concatenate([track.frame_number for track in recording.tracks.values()]))),
    )
    given.warnings.extend(f"{path}: {note}" for note in recording.notes)
    left_out: list[BadInputError] = []
    counts: Counter[str] = Counter()
    for name, track in recording.tracks.items():
        try:
            sequence = to_sequence(name or path.stem, track, about, joints.confidence)
        except BadInputError as error:
            left_out.append(error)
            if not _is_linked(name, track) or len(left_out) == len(recording.tracks):
                raise bad_file(path, error.faults) from error
            continue
        person = _of_keypoints(name, sequence, track, given.stride, device, bridge)
        given.people.append(replace(person, first=recording.first))
        for note in sequence.notes:
            if _is_linked(name, track):
                counts[note.what] += note.count
            else:
                given.warnings.append(f"{path}: {name + ': ' if name else ''}{note}")
    given.warnings.extend(f"{path}: {count} {what}" for what, count in counts.items())
    if left_out:
        given.warnings.append(f"{path}: {len(left_out)} people who were linked: left out, the first for {left_out[0]}")
    return given


def _is_linked(name: str, track: Track) -> bool:
    """Whether the file does not itself tell who somebody is: it may be a chance find."""
    return bool(name) and track.turn is not None


def _of_keypoints(
    name: str, sequence: PoseSequence, track: Track, stride: int, device: torch.device, bridge: bool
) -> Person:
    given = (sequence.frame_number, sequence.points, track.confidence)
    frame_number, points, confidence, there = (
        bridged(*given, stride) if bridge else (*given, np.ones(len(sequence), bool))
    )
    runs = runs_of(frame_number, stride=stride)
    boxes = steady_boxes(points, frame_number, runs)
    sized = not np.isnan(boxes).any()
    boxes = boxes if sized else unit_boxes(points)
    return Person(
        name=name,
        video=sequence.video,
        fps=sequence.fps,
        frame_number=frame_number,
        there=there,
        boxes=boxes,
        runs=runs,
        sized=sized,
        tight=False,
        points=points,
        film=film_name(sequence.dataset, sequence.video, name),
        first=first_number(sequence.dataset),
        blocks=partial(_point_block, to_grid(points, boxes), confidence, device),
        turn=track.turn,
    )


def _point_block(grid: Floats, confidence: Floats, device: torch.device, start: int, stop: int) -> Block:
    return PointBlock(grid[start:stop], confidence[start:stop], device)
