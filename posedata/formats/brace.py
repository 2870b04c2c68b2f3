"""BRACE (Moltisanti et al. 2022): break dance, one JSON file a segment, hand-made keypoints beside it.

`dataset/{year}/{video_id}/{video_id}_{start}-{end}_{toprock|footwork|powermove}.json` (shipped as `.json.json`)
    {"{video_id}/img-{frame:06d}.png": {"box": [x, y, w, h, score], "keypoints": [[x, y, score] * 17]}}
    COCO order, pixels of 1920x1080. Keys may be out of order, frames may be absent (a gap). The scores mean
    nothing. A keypoint at exactly (0, 0) is not annotated, as COCO spells it; so is every one of a zero frame.
`manual_keypoints/{year}/{video_id}/img-{frame:06d}.npz`, optional
    coco_joints2d (17, 3), of which [:, :2] are pixels: it replaces the frame's interpolated keypoints.
`annotations/`, optional: `segments.csv`, `sequences_train.csv`, `sequences_test.csv` (the authors' split),
    `shot_boundaries.json` {video_id: [frame]}; `videos_info.csv` (fps), there or in the root.

Video ids may begin with `-` and contain `_`. One file is one sequence; a gap does not split it. A shot boundary is
given as one frame, and not whether the old or the new shot owns it: the frame is made a shot of its own, so that
no window crosses the cut under either reading.
"""

import re
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.errors import BadInputError, bad_file
from posedata.formats.base import (
    floats,
    need_folder,
    need_items,
    number,
    read_json_object,
    read_npz,
    read_rows,
    to_floats,
)
from posedata.poses import Note, PoseSequence, not_missing, outside_note, within_image
from posedata.skeleton import COCO_17, to_keypoints

ACTIONS = ("footwork", "powermove", "toprock")

LICENCE = "S-Lab Licence 1.0, non-commercial; see https://github.com/dmoltisanti/brace"

SOURCE = (
    "get it with `posedata fetch brace` (non-commercial licence), or by hand: dataset.zip and manual_keypoints.zip "
    "from the releases of https://github.com/dmoltisanti/brace, unpacked there beside the repository's annotations/ "
    "and videos_info.csv; or make a synthetic tree with `posedata sample brace`"
)

WIDTH, HEIGHT = 1920, 1080

_FILE_NAME = re.compile(rf"(?P<video>.+)_(?P<start>\d+)-(?P<end>\d+)_(?P<action>{'|'.join(ACTIONS)})")
_FRAME_KEY = re.compile(r"(?P<video>.+)/img-(?P<frame>\d{6,9})\.png")


class _Segment(NamedTuple):
    path: Path
    year: str
    video: str
    start: int
    end: int
    action: str


class Brace:
    """A folder with `dataset/`, and beside it `manual_keypoints/` and `annotations/` where they are at hand."""

    licence = LICENCE

    def __init__(self, root: Path) -> None:
        self.root = root
        self._dataset = need_folder(root, "dataset", SOURCE)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is missing beside the segments, and what for."""
        found = []
        for path, consequence in (
            (self.root / "annotations" / "shot_boundaries.json", "windows may cross shot cuts"),
            (self.root / "manual_keypoints", "all keypoints are the interpolated ones"),
        ):
            if not path.exists():
                found.append(f"{path}: not found; {consequence}")
        strangers = sorted(
            {video for _, video in self._manual_by_video} - {s.video for s in self._segments[0].values()}
        )
        if strangers:
            found.append(f"{self.root / 'manual_keypoints'}: videos without a segment: {', '.join(strangers)}")
        return tuple(found)

    @cached_property
    def _segments(self) -> tuple[dict[str, _Segment], dict[str, str]]:
        """The segments by name, and what is wrong with the other files."""
        found: dict[str, _Segment] = {}
        wrong: dict[str, str] = {}
        for path in sorted(self._dataset.rglob("*.json")):
            name = path.name.removesuffix(".json").removesuffix(".json")
            match = _FILE_NAME.fullmatch(name)
            depth = len(path.relative_to(self._dataset).parts)
            if match is None or match["video"] != path.parent.name or depth != 3:
                expected = "YEAR/VIDEO/VIDEO_START-END_ACTION.json"
                actions = ", ".join(ACTIONS)
                wrong[name] = f"{path}: name: expected {expected} with an action of {actions}; rename or remove it"
            elif name in found:
                wrong[name] = f"{path}: expected one file a segment, found {found[name].path} too; remove one"
            else:
                start, end = int(match["start"]), int(match["end"])
                found[name] = _Segment(path, path.parent.parent.name, match["video"], start, end, match["action"])
        return found, wrong

    def close(self) -> None:
        """Nothing takes long here."""

    def tables(self) -> list[Path]:
        """Shots, splits and frame rates, as far as they are there."""
        names = ("segments.csv", "sequences_test.csv", "sequences_train.csv", "shot_boundaries.json", "videos_info.csv")
        paths = [*(self.root / "annotations" / name for name in names), self.root / "videos_info.csv"]
        return [path for path in paths if path.is_file()]

    def items(self) -> list[str]:
        """Names of the segment files without their endings."""
        found, wrong = self._segments
        pattern = "YEAR/VIDEO/VIDEO_START-END_{toprock,footwork,powermove}.json"
        return need_items(found.keys() | wrong.keys(), self._dataset, pattern)

    def files(self, item: str) -> list[Path]:
        """The segment's JSON file and the hand-made frames within its range."""
        segment = self._segments[0][item]
        return [segment.path, *(path for _, path in self._manual(segment))]

    def read(self, item: str) -> PoseSequence:
        """One segment; raises BadInputError with all faults of its file."""
        segments, wrong = self._segments
        if item in wrong:
            raise BadInputError(wrong[item])
        segment = segments[item]
        numbers, joints = _read_segment(segment.path, segment.video)
        position = {frame: i for i, frame in enumerate(numbers.tolist())}
        unused = []
        for frame, path in self._manual(segment):
            if frame in position:
                joints[position[frame]] = _read_manual(path)
            else:
                unused.append(frame)
        joints = np.where((joints == 0).all(axis=-1, keepdims=True), np.nan, not_missing(joints))
        try:
            kept = within_image(joints, WIDTH, HEIGHT)
        except BadInputError as error:
            raise bad_file(segment.path, error.faults) from error
        return PoseSequence(
            dataset="brace",
            name=item,
            video=segment.video,
            points=to_keypoints(kept, COCO_17),
            frame_number=numbers,
            fps=self._fps.get(segment.video, float("nan")),
            action=segment.action,
            shot=_shots(numbers, self._cuts.get(segment.video, [])),
            official_split=self._official.get((segment.video, segment.start, segment.end)),
            notes=(*outside_note(joints, kept), *_unused_note(unused)),
        )

    def _manual(self, segment: _Segment) -> list[tuple[int, Path]]:
        numbered = self._manual_by_video.get((segment.year, segment.video), {})
        return [(n, numbered[n]) for n in sorted(numbered) if segment.start <= n <= segment.end]

    @cached_property
    def _manual_by_video(self) -> dict[tuple[str, str], dict[int, Path]]:
        found: dict[tuple[str, str], dict[int, Path]] = {}
        faults = []
        folder = self.root / "manual_keypoints"
        for path in sorted(folder.rglob("*.npz")):
            digits = path.stem.removeprefix("img-")
            numbered = found.setdefault((path.parent.parent.name, path.parent.name), {})
            if not digits.isdecimal() or len(path.relative_to(folder).parts) != 3:
                faults.append(f"{path}: name: expected YEAR/VIDEO/img-NUMBER.npz")
            elif int(digits) in numbered:
                faults.append(f"{path}: expected each frame once, found {numbered[int(digits)].name} too; remove one")
            else:
                numbered[int(digits)] = path
        if faults:
            raise BadInputError(*faults)
        return found

    @cached_property
    def _fps(self) -> dict[str, float]:
        for path in (self.root / "annotations" / "videos_info.csv", self.root / "videos_info.csv"):
            if path.is_file():
                return {row["video_id"]: number(path, row, "fps") for row in read_rows(path, "video_id", "fps")}
        return {}

    @cached_property
    def _cuts(self) -> dict[str, list[int]]:
        path = self.root / "annotations" / "shot_boundaries.json"
        if not path.is_file():
            return {}
        cuts = read_json_object(path)
        if not all(isinstance(f, list) and all(type(n) is int and 0 <= n < 2**31 for n in f) for f in cuts.values()):
            raise bad_file(path, ["expected {video_id: [frame, ...]}, found something else"])
        return cuts

    @cached_property
    def _official(self) -> dict[tuple[str, int, int], Literal["train", "test"]]:
        folder = self.root / "annotations"
        names = ("segments.csv", "sequences_train.csv", "sequences_test.csv")
        if not all((folder / name).is_file() for name in names):
            return {}
        side: dict[tuple[str, str], Literal["train", "test"]] = {}
        for path, split in ((folder / names[1], "train"), (folder / names[2], "test")):
            for row in read_rows(path, "video_id", "seq_idx"):
                side[row["video_id"], row["seq_idx"]] = "train" if split == "train" else "test"
        path = folder / names[0]
        return {
            (
                row["video_id"],
                int(number(path, row, "start_frame")),
                int(number(path, row, "end_frame")),
            ): side[row["video_id"], row["seq_idx"]]
            for row in read_rows(path, "video_id", "seq_idx", "start_frame", "end_frame")
            if (row["video_id"], row["seq_idx"]) in side
        }


def _unused_note(unused: list[int]) -> tuple[Note, ...]:
    return (Note(len(unused), "hand-made frames that the segment has not", str(unused)),) if unused else ()


def _shots(numbers: NDArray[np.int64], cuts: list[int]) -> NDArray[np.int64]:
    """Shot of every frame; a boundary frame is a shot of its own."""
    edges = np.unique(np.asarray([[cut, cut + 1] for cut in cuts], np.int64))
    shots = np.searchsorted(edges, numbers, side="right")
    return np.asarray(shots - shots[0], np.int64)


def _read_manual(path: Path) -> NDArray[np.float64]:
    """(17, 2) pixels of a hand-made frame."""
    (joints,) = read_npz(path, "coco_joints2d")
    if joints.shape != (len(COCO_17), 3) or joints.dtype.kind not in "uif":
        raise bad_file(path, [f"coco_joints2d: expected numbers (17, 3), found {joints.dtype} {joints.shape}"])
    return to_floats(joints[:, :2])


def _read_segment(path: Path, video: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Frame numbers in rising order, and their (T, 17, 2) pixels."""
    frames: dict[int, list[float]] = {}
    faults = []
    for key, value in read_json_object(path).items():
        match = _FRAME_KEY.fullmatch(key)
        if match is None or match["video"] != video:
            faults.append(f"{key!r}: expected {video}/img-NUMBER.png")
            continue
        numbers = _numbers(value)
        if numbers is None:
            faults.append(f"{key!r}: keypoints: expected 17 of [x, y, score], found {_describe(value)}")
        elif int(match["frame"]) in frames:
            faults.append(f"{key!r}: expected each frame once, found it again")
        else:
            frames[int(match["frame"])] = numbers
    if not frames and not faults:
        faults.append("expected at least one frame, found none")
    if faults:
        raise bad_file(path, faults)
    order = sorted(frames)
    joints = floats([n for frame in order for n in frames[frame]]).reshape(len(order), len(COCO_17), 3)
    return np.asarray(order, np.int64), joints[..., :2]


def _numbers(value: object) -> list[float] | None:
    """The 51 numbers of a frame, or None if the value is not a frame."""
    joints = value.get("keypoints") if isinstance(value, dict) else None
    if not isinstance(joints, list) or len(joints) != len(COCO_17):
        return None
    if set(map(type, joints)) != {list} or set(map(len, joints)) != {3}:
        return None
    numbers = list(chain.from_iterable(joints))
    return numbers if set(map(type, numbers)) <= {int, float} else None


def _describe(value: object) -> str:
    joints = value.get("keypoints", "no keypoints") if isinstance(value, dict) else value
    return f"{len(joints)} of them" if isinstance(joints, list) else type(joints).__name__
