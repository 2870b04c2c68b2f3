"""What the format promises; `write_clips` is the fixture."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from handball_poses import FORMAT, JOINTS

from posedata import PoseDataError
from posedata.skeleton import INDEX


def write_clips(root: Path, clips: int = 6, frames: int = 20) -> Path:
    """A small raw tree of people who sway; nobody moved like this."""
    (root / "clips").mkdir(parents=True)
    pose = [[0, -90], [-30, -60], [30, -60], [-50, -20], [50, -20], [-60, 20], [60, 20], [-20, 40], [20, 40]]
    for number in range(clips):
        swayed = (np.add(pose, [400 + 3 * frame, 300]) for frame in range(frames))
        clip = {"video": f"match{number // 2}", "fps": 50, "width": 1280, "height": 720}
        (root / "clips" / f"clip{number}.json").write_text(json.dumps(clip | {"poses": [p.tolist() for p in swayed]}))
    return root


def change(root: Path, **fields: Any) -> None:
    """Other fields in the first clip."""
    path = root / "clips" / "clip0.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_clip_is_read(tmp_path: Path) -> None:
    dataset = FORMAT.open(write_clips(tmp_path))
    assert dataset.items() == [f"clip{number}" for number in range(6)]
    clip = dataset.read("clip1")
    assert (clip.name, clip.video, clip.fps, len(clip)) == ("clip1", "match0", 50.0, 20)
    assert clip.points[2, INDEX["left_wrist"]].tolist() == [346, 320]
    assert (~np.isnan(clip.points[..., 0])).sum(axis=1).tolist() == [8] * 20


def test_what_is_not_annotated_is_missing(tmp_path: Path) -> None:
    joint, outside = [640, 360], [640, 721]
    change(write_clips(tmp_path), poses=[[joint] * 9, None, [None] + [joint] * 7 + [outside]])
    clip = FORMAT.open(tmp_path).read("clip0")
    assert (~np.isnan(clip.points[..., 0])).sum(axis=1).tolist() == [8, 0, 7]
    assert [note.count for note in clip.notes] == [1]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"fps": 0}, "fps: expected a number above 0, found 0"),
        ({"width": "wide"}, "width: expected a number above 0, found 'wide'"),
        ({"video": None}, "video: expected a name, found None"),
        ({"poses": []}, r"poses: expected a list with an entry a frame, found \[\]"),
        ({"poses": [None, [[1, 2]]]}, "frame 1: expected null or 9 joints"),
        ({"poses": [[[1, 2, 3]] * 9]}, "frame 0: expected null or 9 joints"),
    ],
)
def test_a_bad_clip_is_told(fields: dict[str, Any], message: str, tmp_path: Path) -> None:
    change(write_clips(tmp_path), **fields)
    with pytest.raises(PoseDataError, match=rf"clip0\.json: .*{message}"):
        FORMAT.open(tmp_path).read("clip0")


def test_every_joint_has_a_place_or_none() -> None:
    assert {name for name in JOINTS if name} <= INDEX.keys()
