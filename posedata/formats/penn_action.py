"""Penn Action (Zhang, Zhu, Derpanis 2013): one MATLAB file a video.

`labels/0001.mat` ... hold
    x, y        (T, 13) pixels, in some files uint8 or uint16: converted before any arithmetic
    visibility  (T, 13), 0 = not annotated; the joint is then placed arbitrarily
    action      text, spelt as here: `situp`
    train       1 or -1: the authors' split
    dimensions  (h, w, T)
    nframes     T
    bbox        (T or T-1, 4), not used
Joints: head, then left and right of shoulder, elbow, wrist, hip, knee, ankle. Frames are numbered from 1, as the
image files are; the frame rate is not published. Each video is one sequence.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from posedata.errors import BadInputError, bad_file
from posedata.formats.base import MOST_FILE, need_folder, need_items, need_regular, to_floats
from posedata.isolated.child import ChildReader
from posedata.isolated.mat import load_mat
from posedata.poses import PoseSequence, not_missing, outside_note, within_image
from posedata.skeleton import PENN_13, to_keypoints

ACTIONS = (
    "baseball_pitch",
    "baseball_swing",
    "bench_press",
    "bowl",
    "clean_and_jerk",
    "golf_swing",
    "jump_rope",
    "jumping_jacks",
    "pullup",
    "pushup",
    "situp",
    "squat",
    "strum_guitar",
    "tennis_forehand",
    "tennis_serve",
)

LICENCE = "research use; see the dataset's page"

SOURCE = (
    "get it with `posedata fetch penn_action`, or by hand: Penn_Action.tar.gz from "
    "http://dreamdragon.github.io/PennAction/, of which labels/ belongs there; "
    "or make a synthetic tree with `posedata sample penn_action`"
)

_FIELDS = ("x", "y", "visibility", "action", "train", "dimensions", "nframes")


class PennAction:
    """A folder with `labels/`, or that folder itself."""

    licence = LICENCE

    def __init__(self, root: Path) -> None:
        self.warnings: tuple[str, ...] = ()
        self._mat = ChildReader("MATLAB 5", load_mat)
        is_labels = root.absolute().name == "labels" and root.is_dir() and not (root / "labels").is_dir()
        self._labels = root.absolute() if is_labels else need_folder(root, "labels", SOURCE)
        self.root = self._labels.parent

    def close(self) -> None:
        """End the child process that reads."""
        self._mat.close()

    def tables(self) -> list[Path]:
        """None."""
        return []

    def items(self) -> list[str]:
        """Names of the label files without their ending."""
        return need_items((p.stem for p in self._labels.glob("*.mat")), self._labels, "0001.mat")

    def files(self, item: str) -> list[Path]:
        """The label file."""
        return [self._labels / f"{item}.mat"]

    def read(self, item: str) -> PoseSequence:
        """One label file; raises BadInputError with all its faults."""
        path = self._labels / f"{item}.mat"
        need_regular(path, MOST_FILE)
        mat = self._mat.read(path, _FIELDS)
        faults = [*_faults(mat)]
        if faults:
            raise bad_file(path, faults)
        height, width, _ = (float(n) for n in mat["dimensions"].ravel())
        joints = not_missing(to_floats(np.stack([mat["x"], mat["y"]], axis=-1)))
        joints[mat["visibility"] == 0] = np.nan
        try:
            kept = within_image(joints, width, height)
        except BadInputError as error:
            raise bad_file(path, error.faults) from error
        return PoseSequence(
            dataset="penn_action",
            name=item,
            video=item,
            points=to_keypoints(kept, PENN_13),
            frame_number=np.arange(1, len(kept) + 1),
            action=str(mat["action"].ravel()[0]),
            official_split="train" if mat["train"].ravel()[0] == 1 else "test",
            notes=outside_note(joints, kept),
        )


def _faults(mat: dict[str, Any]) -> Iterator[str]:
    missing = [name for name in _FIELDS if name not in mat]
    if missing:
        yield f"{', '.join(missing)}: expected these fields, found none"
        return
    not_numbers = [name for name in _FIELDS if name != "action" and mat[name].dtype.kind not in "uifb"]
    if not_numbers:
        yield f"{', '.join(not_numbers)}: expected real numbers, found {mat[not_numbers[0]].dtype}"
        return
    yield from _joint_faults(mat)
    if mat["train"].size != 1 or mat["train"].ravel()[0] not in (1, -1):
        yield f"train: expected 1 or -1, found {mat['train'].tolist()}"
    if mat["action"].dtype.kind != "U" or mat["action"].size != 1:
        yield f"action: expected a word, found {mat['action'].dtype} {mat['action'].shape}"


def _joint_faults(mat: dict[str, Any]) -> Iterator[str]:
    shape = mat["x"].shape
    if len(shape) != 2 or shape[0] == 0 or shape[1] != len(PENN_13):
        yield f"x: expected (T, 13), found {shape}"
    for name in ("y", "visibility"):
        if mat[name].shape != shape:
            yield f"{name}: expected {shape} as x has, found {mat[name].shape}"
    if mat["dimensions"].size != 3:
        yield f"dimensions: expected (h, w, T), found {mat['dimensions'].tolist()}"
    for name in ("nframes", "dimensions"):
        if mat[name].size == 0 or mat[name].ravel()[-1] != shape[0]:
            yield f"{name}: expected T = {shape[0]} as x has, found {mat[name].tolist()}"
