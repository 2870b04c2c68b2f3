"""Files that do not tell who is who, read with a joint map that has people linked, and written as their own kind."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata.formats.keypoints.coco import coco_with, read_coco
from posedata.formats.keypoints.jointmap import JointMap
from posedata.formats.keypoints.mediapipe import mediapipe_with, read_mediapipe
from posedata.formats.keypoints.results import read_results, results_with
from posedata.formats.keypoints.tracks import Track
from posedata.skeleton import MEDIAPIPE_33

LEFT, RIGHT = 100.0, 600.0
"""Where two people stand; the file has them in one order in frame 0 and in the other in frame 1."""


NOBODY = -7.0
"""Where a pose stands whose joints all have the confidence 0."""


class Linking(JointMap):
    """Of the joints of all kinds but MediaPipe's, which are known."""

    linked = True


ABOUT = Linking(joints={"nose": "nose", "left_hip": "left_hip"}, width=1000, height=500)


def pose(x: float) -> list[float]:
    told = (0.0, 0.0) if x == NOBODY else (0.9, 0.8)
    return [x, 50.0, told[0], x + 30, 90.0, told[1]]


def of_coco(*frames: list[float], ids: list[list[int]] | None = None) -> dict[str, Any]:
    images = [{"id": n, "frame_id": n} for n in range(len(frames))]
    people = [(n, i, x) for n, frame in enumerate(frames) for i, x in enumerate(frame)]
    annotations = [
        {"image_id": n, "keypoints": pose(x)} | ({"track_id": ids[n][i]} if ids else {}) for n, i, x in people
    ]
    return {"images": images, "annotations": annotations}


def of_results(*frames: list[float], ids: list[list[int]] | None = None) -> list[Any]:
    annotations = of_coco(*frames, ids=ids)["annotations"]
    return [{"image_id": f"{annotation.pop('image_id')}.jpg"} | annotation for annotation in annotations]


def of_mmpose(*frames: list[float], ids: list[list[int]] | None = None) -> list[Any]:
    def instance(n: int, i: int, x: float) -> dict[str, Any]:
        numbers = pose(x)
        keypoints = [[a, b] for a, b in zip(numbers[::3], numbers[1::3], strict=True)]
        return {"keypoints": keypoints, "keypoint_scores": numbers[2::3]} | ({"track_id": ids[n][i]} if ids else {})

    return [
        {"frame_id": n, "instances": [instance(n, i, x) for i, x in enumerate(frame)]} for n, frame in enumerate(frames)
    ]


def of_mediapipe(*frames: list[float], ids: list[list[int]] | None = None) -> list[Any]:
    """Landmark j lies j pixels to the right and below, but for those that are dropped; no field tells who is who."""
    del ids

    def person(x: float) -> list[dict[str, float]]:
        return [{"x": (x + j) / 1000 if name else 0.5, "y": j / 500} for j, name in enumerate(MEDIAPIPE_33)]

    return [{"pose_landmarks": [person(x) for x in frame]} for frame in frames]


With = Callable[[Path, JointMap, Mapping[str, Track]], Any]
KINDS: dict[str, tuple[Callable[..., Any], Callable[..., Any], With]] = {
    "COCO": (of_coco, read_coco, coco_with),
    "results": (of_results, read_results, results_with),
    "MMPose": (of_mmpose, read_results, results_with),
    "MediaPipe": (of_mediapipe, read_mediapipe, lambda *given: [*mediapipe_with(*given)]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_people_are_linked_and_each_gets_its_own_points_and_number(kind: str, tmp_path: Path) -> None:
    of, read, changed = KINDS[kind]
    path = tmp_path / "a.json"
    given = of([RIGHT, LEFT], [LEFT, RIGHT], [LEFT])
    path.write_text(json.dumps(given))
    recording = read(path, ABOUT)
    tracks = recording.tracks
    assert {name: track.frame_number.tolist() for name, track in tracks.items()} == {"1": [0, 1], "2": [0, 1, 2]}
    assert [track.points[0, 0, 0] for track in tracks.values()] == pytest.approx([RIGHT, LEFT])
    assert [str(note) for note in recording.notes] == [
        "2 people without a number: linked from frame to frame by their poses: 2 of them in fewer than 5 frames"
    ]
    moved = {
        name: replace(track, points=track.points + np.asarray([10.0 * int(name), 0])) for name, track in tracks.items()
    }
    before = path.read_bytes()
    assert changed(path, ABOUT, moved) == of(
        [RIGHT + 10, LEFT + 20], [LEFT + 20, RIGHT + 10], [LEFT + 20], ids=[[1, 2], [2, 1], [2]]
    )
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", ["COCO", "results", "MMPose"])
@pytest.mark.parametrize(
    ("frames", "names"),
    [
        (([LEFT, RIGHT], [LEFT, NOBODY, RIGHT]), ["1", "2"]),
        (([LEFT], [NOBODY, RIGHT], [LEFT, NOBODY], [NOBODY]), [""]),
    ],
    ids=["two people", "a lone one who jumps"],
)
def test_a_pose_without_a_joint_is_nobodys_and_stays_as_it_is(
    kind: str, frames: tuple[list[float], ...], names: list[str], tmp_path: Path
) -> None:
    of, read, changed = KINDS[kind]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(of(*frames)))
    recording = read(path, ABOUT)
    assert list(recording.tracks) == names
    assert [len(track.frame_number) for track in recording.tracks.values()] == ([2, 2] if names[1:] else [4])
    left = 1 if names[1:] else 2
    assert str(recording.notes[-1]) == f"{left} poses without any joint: left out"
    step = np.asarray([5.0, 0])
    moved = {name: replace(track, points=track.points + step) for name, track in recording.tracks.items()}
    found = changed(path, ABOUT, moved)
    expected = of(*([x if x == NOBODY else x + 5 for x in frame] for frame in frames))
    assert json.loads(json.dumps(found), object_hook=without_id) == expected


def without_id(content: dict[str, Any]) -> dict[str, Any]:
    """What is written, but for who it is."""
    return {name: value for name, value in content.items() if name != "track_id"}


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_is_linked_where_a_frame_shows_one_at_most(kind: str, tmp_path: Path) -> None:
    """A lone person may jump."""
    of, read, changed = KINDS[kind]
    path = tmp_path / "a.json"
    given = of([LEFT], [RIGHT], [LEFT])
    path.write_text(json.dumps(given))
    recording = read(path, ABOUT)
    assert list(recording.tracks) == [""]
    assert recording.notes == ()
    assert changed(path, ABOUT, recording.tracks) == deepcopy(given)
