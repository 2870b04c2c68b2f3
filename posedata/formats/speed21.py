"""SPEED21 (Elias et al. 2021): speed climbing, one text file a run.

`skeletons/{id_run}.data`, a pose a line
    frame#x,y;x,y;...   16 joints in pixels, MPII order (right ankle first)
    frame#NULL          no pose: trimmed and counted at either end, an empty frame in between
`metadata.txt`, a run a line, 12 fields: id_run; id_climber; date; run_number; URL; start; end; time_sec;
    time_frames; finished; side; fps. The URL is the video.
No joint is a nose: 12 keypoints are used, head top, neck, thorax and pelvis are dropped. The climbers face the
wall. The image size is not published.
"""

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posedata.errors import bad_file
from posedata.formats.base import need_folder, need_items, read_text
from posedata.poses import PoseSequence, not_missing, outside_note, posed_span, trimmed_note, within_image
from posedata.skeleton import MPII_16, to_keypoints

LICENCE = "see the dataset's page; cite Elias et al. 2021"

SOURCE = (
    "get it with `posedata fetch speed21 --url URL`, or by hand from its authors (Masaryk University, Elias et al. "
    "2021, https://dl.acm.org/doi/10.1145/3475722.3482795), of which skeletons/ and metadata.txt belong there; "
    "or make a synthetic tree with `posedata sample speed21`"
)

_FIELDS = 12


class _Run(NamedTuple):
    video: str
    fps: float


class Speed21:
    """A folder with `skeletons/` and `metadata.txt`."""

    licence = LICENCE

    def __init__(self, root: Path) -> None:
        self.root = root
        self.warnings: tuple[str, ...] = ()
        self._skeletons = need_folder(root, "skeletons", SOURCE)
        self._metadata = root / "metadata.txt"

    def close(self) -> None:
        """Nothing takes long here."""

    def tables(self) -> list[Path]:
        """The metadata."""
        return [self._metadata] if self._metadata.is_file() else []

    def items(self) -> list[str]:
        """Names of the runs."""
        return need_items((p.stem for p in self._skeletons.glob("*.data")), self._skeletons, "ID_RUN.data")

    def files(self, item: str) -> list[Path]:
        """The run's file."""
        return [self._skeletons / f"{item}.data"]

    def read(self, item: str) -> PoseSequence:
        """One run; raises BadInputError with all faults of its file."""
        path = self._skeletons / f"{item}.data"
        if item not in self._runs:
            raise bad_file(path, [f"expected a line for {item} in {self._metadata}, found none"])
        numbers, joints = _read_run(path)
        kept = within_image(joints, np.inf, np.inf)
        span = posed_span(kept)
        if not kept[span].size:
            raise bad_file(path, ["expected at least one pose, found only NULL, or joints that are not finite"])
        run = self._runs[item]
        return PoseSequence(
            dataset="speed21",
            name=item,
            video=run.video,
            points=to_keypoints(kept[span], MPII_16),
            frame_number=numbers[span],
            fps=run.fps,
            notes=(*outside_note(joints, kept), *trimmed_note(len(numbers), span.stop - span.start)),
        )

    @cached_property
    def _runs(self) -> dict[str, _Run]:
        runs, faults = {}, []
        for i, line in enumerate(read_text(self._metadata).splitlines(), start=1):
            fields = line.split(";")
            try:
                name, url, fps = fields[0], fields[4], float(fields[-1])
            except (IndexError, ValueError):
                fields = []
            if len(fields) != _FIELDS:
                faults.append(f"line {i}: expected {_FIELDS} fields from id_run to fps, found {line[:80]!r}")
            elif name in runs:
                faults.append(f"line {i}: expected each run once, found {name} again")
            else:
                runs[name] = _Run(url, fps)
        if faults:
            raise bad_file(self._metadata, faults)
        return runs


def _read_run(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Frame numbers (T,) and joints (T, 16, 2), NaN where the pose is NULL."""
    numbers: list[int] = []
    poses: list[NDArray[np.float64]] = []
    faults: list[str] = []
    for i, line in enumerate(read_text(path).splitlines(), start=1):
        number, _, text = line.strip().partition("#")
        pose = np.full((len(MPII_16), 2), np.nan) if text == "NULL" else _pose(text)
        if pose is None or not number.isdecimal() or len(number) > 9:
            faults.append(f"line {i}: expected frame#x,y;... of 16 joints or frame#NULL, found {line[:60]!r}")
        elif numbers and int(number) <= numbers[-1]:
            faults.append(f"line {i}: frame: expected above {numbers[-1]}, found {number}")
        else:
            numbers.append(int(number))
            poses.append(pose)
    if not poses and not faults:
        faults.append("expected at least one line, found none")
    if faults:
        raise bad_file(path, faults)
    return np.asarray(numbers, np.int64), np.stack(poses)


def _pose(text: str) -> NDArray[np.float64] | None:
    """(16, 2) pixels, infinite for NaN, or None if the text is not a pose."""
    try:
        pose = np.asarray([[float(n) for n in joint.split(",")] for joint in text.split(";")])
    except ValueError:
        return None
    return not_missing(pose) if pose.shape == (len(MPII_16), 2) else None
