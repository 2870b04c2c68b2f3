"""A synthetic tree in BRACE's layout, with its quirks: see `posedata.formats.brace`."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from posedata.errors import bad_file
from posedata.formats import base
from posedata.formats.brace import ACTIONS, HEIGHT, WIDTH
from posedata.samples.base import Floats, motion, some
from posedata.skeleton import COCO_17, INDEX

_FIRST_VIDEOS = ("-a_1b2C3d4E", "_xY9-zW8vU7", "Qw3rTy_5-iO")
"""Ids with all that real ones have."""


class Segment(NamedTuple):
    """A row of `annotations/segments.csv`; `end` is inclusive."""

    year: str
    video: str
    sequence: str
    start: int
    end: int
    action: str

    @property
    def uid(self) -> str:
        """The segment's id in BRACE's tables."""
        return f"{self.video}.{self.start}.{self.end}"


def write(root: Path, rng: np.random.Generator, sequences: int, frames: int) -> Iterator[int]:
    """Fill an empty folder with `sequences` segments of `frames` frames."""
    return write_segments(root, rng, _segments(sequences, frames), gaps=True)


def read_segments(path: Path) -> list[Segment]:
    """The segments of a `segments.csv`, real or synthetic; raises BadInputError if it is something else."""
    columns = ("year", "video_id", "seq_idx", "start_frame", "end_frame", "dance_type")
    segments = []
    for row in base.read_rows(path, *columns):
        start, end = (int(base.number(path, row, column)) for column in ("start_frame", "end_frame"))
        segment = Segment(row["year"], row["video_id"], row["seq_idx"], start, end, row["dance_type"])
        if not (0 <= start <= end < 10**6 and segment.action in ACTIONS and _plain(segment.year, segment.video)):
            raise bad_file(path, [f"expected a segment of a video, found {segment}"])
        segments.append(segment)
    if not segments:
        raise bad_file(path, ["expected at least one segment, found none"])
    return segments


def _plain(*names: str | None) -> bool:
    """Whether they can name folders."""
    return all(name and re.fullmatch(r"[\w-]+", name) for name in names)


def _segments(count: int, frames: int) -> list[Segment]:
    """Segments in pairs, a video a pair, with a pause between the two."""
    made = []
    for i in range(count):
        number, turn = divmod(i, 2)
        video = _FIRST_VIDEOS[number] if number < len(_FIRST_VIDEOS) else f"synthetic{number:02d}"
        start = 101 + turn * (frames + 20)
        made.append(Segment(str(2011 + number % 9), video, str(turn), start, start + frames - 1, ACTIONS[i % 3]))
    return made


def write_segments(
    root: Path, rng: np.random.Generator, segments: Sequence[Segment], gaps: bool = False
) -> Iterator[int]:
    """Fill an empty folder with the given segments; with `gaps`, every third lacks three of its frames."""
    for i, segment in enumerate(segments):
        _write_segment(root, rng, segment, quirks=i, gap=gaps and i % 3 == 0)
        yield 1
    _write_annotations(root / "annotations", segments)


def _write_segment(root: Path, rng: np.random.Generator, segment: Segment, quirks: int, gap: bool) -> None:
    joints = _coco(motion(rng, segment.end - segment.start + 1, WIDTH, HEIGHT, fps=25.0))
    numbers = list(range(segment.start, segment.end + 1))
    if gap and len(numbers) > 20:
        at = len(numbers) // 2
        del numbers[at : at + 3]
        joints = np.delete(joints, slice(at, at + 3), axis=0)
    if quirks % 3 == 1 and len(numbers) > 2:
        joints[some(rng, len(numbers), 0.02)] = 0
    if quirks % 3 == 2:
        joints[some(rng, len(numbers), 0.05), 9, 0] += WIDTH
    _write_manual(root, rng, segment, numbers, joints)
    keys = [f"{segment.video}/img-{number:06d}.png" for number in numbers]
    frames = [(key, _frame(j)) for key, j in zip(keys, joints, strict=True)]
    if quirks % 2:
        frames = frames[::-1]
    name = f"{segment.video}_{segment.start}-{segment.end}_{segment.action}"
    ending = ".json.json" if quirks % 4 else ".json"
    path = root / "dataset" / segment.year / segment.video / (name + ending)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(frames)), encoding="utf-8")


def _coco(points: Floats) -> Floats:
    """(T, 17, 2) from (T, 25, 2); the eyes stand beside the nose."""
    joints = np.stack([points[:, INDEX[name or "nose"]] for name in COCO_17], axis=1)
    joints[:, 1:3] += [[6, -8], [-6, -8]]
    return np.clip(joints, 1, (WIDTH, HEIGHT)).round(2)


def _frame(joints: Floats) -> dict[str, Any]:
    low, high = joints.min(axis=0), joints.max(axis=0)
    keypoints = [[*xy, 1.0] for xy in joints.tolist()]
    return {"box": [*low.tolist(), *(high - low).tolist(), 1.0], "keypoints": keypoints}


def _write_manual(
    root: Path, rng: np.random.Generator, segment: Segment, numbers: Iterable[int], joints: Floats
) -> None:
    """Hand-made keypoints for every twelfth frame, a pixel off; the third column is noise."""
    folder = root / "manual_keypoints" / segment.year / segment.video
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in list(zip(numbers, joints, strict=True))[::12]:
        if not (frame == 0).all():
            shifted = np.column_stack([np.clip(frame + 1, 0, (WIDTH, HEIGHT)), rng.uniform(-9, 9, len(frame))])
            np.savez(folder / f"img-{number:06d}.npz", coco_joints2d=shifted)


def _write_annotations(folder: Path, segments: Sequence[Segment]) -> None:
    folder.mkdir()
    first = segments[0]
    cuts = {first.video: [first.start + (first.end - first.start) * 2 // 3, first.end + 10]}
    (folder / "shot_boundaries.json").write_text(json.dumps(cuts, indent=2), encoding="utf-8")
    header = "video_id seq_idx start_frame end_frame dance_type dance_type_id dancer dancer_id year uid"
    rows: list[Sequence[object]] = [
        (s.video, s.sequence, s.start, s.end, s.action, ACTIONS.index(s.action), "nobody", 0, s.year, s.uid)
        for s in segments
    ]
    _write_csv(folder / "segments.csv", header, rows)
    pairs = list(dict.fromkeys((s.video, s.sequence) for s in segments))
    for name, part in (("train", pairs[: -len(pairs) // 4]), ("test", pairs[-len(pairs) // 4 :])):
        rows = [(video, sequence, f"{video}.{sequence}") for video, sequence in part]
        _write_csv(folder / f"sequences_{name}.csv", "video_id seq_idx uid", rows)
    rows = [
        (video, "", year, 0.0, 25 if i % 2 else 29.97002997, f"{WIDTH}x{HEIGHT}")
        for i, (video, year) in enumerate(dict.fromkeys((s.video, s.year) for s in segments))
    ]
    _write_csv(folder / "videos_info.csv", "video_id video_url year duration fps resolution", rows)


def _write_csv(path: Path, header: str, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header.split(), *rows])
