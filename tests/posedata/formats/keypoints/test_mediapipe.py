"""MediaPipe's results over the frames of a video."""

import json
import math
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.errors import BadInputError
from posedata.formats import FORMATS
from posedata.formats.keypoints import mediapipe, tracks
from posedata.formats.keypoints.jointmap import JointMap
from posedata.formats.keypoints.mediapipe import mediapipe_with, read_mediapipe
from posedata.poses import PoseSequence
from posedata.skeleton import INDEX, KEYPOINTS, MEDIAPIPE_33

Write = Callable[..., Path]
Read = Callable[[Path], dict[str, PoseSequence]]

SIZE = {"width": 200, "height": 100}
PLACES = {"nose": 0, "left_ear": 7, "right_ear": 8, "left_shoulder": 11, "right_thumb": 22, "right_foot_index": 32}
"""Of some landmarks in MediaPipe's order."""


def landmarks(shift: float = 0.0, **fields: Any) -> list[dict[str, Any]]:
    """Landmark i lies at 2 i, 3 i in an image of 200 x 100, plus a share of both."""
    return [{"x": i / 100 + shift, "y": 3 * i / 100 + shift, "z": -0.1, "visibility": 0.5} | fields for i in range(33)]


def task(*people: list[dict[str, Any]]) -> dict[str, Any]:
    """A result of the Tasks API, as a dictionary."""
    shown = [[one | {"presence": 0.9, "name": None} for one in person] for person in people]
    world = [[{"x": 0.1, "y": 0.2, "z": 0.3} for _ in person] for person in people]
    return {"pose_landmarks": shown, "pose_world_landmarks": world, "segmentation_masks": None}


def solution(person: Any) -> dict[str, Any]:
    """A result of the older Solutions API, as protobuf gives it."""
    return {"landmark": person}


def text(name: str, entries: list[Any]) -> str:
    """What stands in a file of that name."""
    return "".join(json.dumps(entry) + "\n" for entry in entries) if name.lower().endswith("l") else json.dumps(entries)


def save(path: Path, *entries: Any) -> Path:
    path.write_text(text(path.name, [*entries]))
    return path


KINDS = {"tasks": task, "solutions": solution}
ENDINGS = ["a.json", "a.jsonl", "A.JSONL"]


def test_the_landmarks_are_those_of_mediapipe() -> None:
    assert len(MEDIAPIPE_33) == 33
    assert tuple(name for name in MEDIAPIPE_33 if name) == KEYPOINTS
    assert {name: MEDIAPIPE_33.index(name) for name in PLACES} == PLACES


@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_landmarks_go_to_their_keypoints_in_pixels(kind: str, name: str, tmp_path: Path) -> None:
    one, other = landmarks(), landmarks(0.01)
    other[11] |= {"visibility": 0.25}
    recording = read_mediapipe(save(tmp_path / name, KINDS[kind](one), KINDS[kind](other)), JointMap(**SIZE))
    (track,) = recording.tracks.values()
    assert (list(recording.tracks), recording.width, recording.height) == ([""], 200, 100)
    assert track.frame_number.tolist() == [0, 1]
    for keypoint, i in PLACES.items():
        np.testing.assert_allclose(track.points[0, INDEX[keypoint]], [2 * i, 3 * i], atol=1e-9)
        np.testing.assert_allclose(track.points[1, INDEX[keypoint]], [2 * i + 2, 3 * i + 1], atol=1e-9)
    assert not np.isnan(track.points).any()
    assert track.confidence[0].tolist() == [0.5] * 25
    assert track.confidence[1, INDEX["left_shoulder"]] == 0.25


@pytest.mark.parametrize("nobody", [None, {}, task(), {"pose_landmarks": None}, solution([]), solution(None)])
def test_frames_that_show_nobody_are_gaps(nobody: Any, tmp_path: Path) -> None:
    path = save(tmp_path / "a.json", nobody, solution(landmarks()), nobody, task(landmarks()), nobody)
    assert read_mediapipe(path, JointMap(**SIZE)).tracks[""].frame_number.tolist() == [1, 3]
    with pytest.raises(BadInputError, match=r"a\.json: expected at least one pose, found none"):
        read_mediapipe(save(path, nobody, nobody), JointMap(**SIZE))


def test_a_visibility_may_be_absent_and_a_coordinate_whole(tmp_path: Path) -> None:
    person = landmarks()
    person[0] |= {"visibility": None, "x": 1, "y": 0}
    del person[7]["visibility"]
    person[8]["visibility"] = 1.0000001  # of single precision
    track = read_mediapipe(save(tmp_path / "a.json", solution(person)), JointMap(**SIZE)).tracks[""]
    assert np.isnan(track.confidence[0, [0, 1]]).all()
    assert track.confidence[0, 2] == 1.0000001
    assert track.points[0, 0].tolist() == [200, 0]


def test_a_list_may_be_laid_out_in_any_way(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("\n [ null ,\n" + json.dumps(solution(landmarks()), indent=2) + "\t,{ }\n]\n")
    assert read_mediapipe(path, JointMap(**SIZE)).tracks[""].frame_number.tolist() == [1]
    lines = tmp_path / "a.jsonl"
    lines.write_bytes(b"null\r\n" + json.dumps(solution(landmarks())).encode())
    assert read_mediapipe(lines, JointMap(**SIZE)).tracks[""].frame_number.tolist() == [1]


def bad(**fields: Any) -> list[dict[str, Any]]:
    person = landmarks()
    person[3] |= fields
    return person


def without(field: str) -> list[dict[str, Any]]:
    person = landmarks()
    del person[3][field]
    return person


BAD = {
    "two people": (
        task(landmarks(), landmarks()),
        r"pose_landmarks: expected one person, found 2; .* num_poses=1, .* CSV",
    ),
    "few landmarks": (task(landmarks()[:32]), r"pose_landmarks\[0\]: expected the 33 landmarks of .*, found 32"),
    "many landmarks": (solution(landmarks() * 2), "landmark: expected the 33 landmarks of MediaPipe Pose, found 66"),
    "no list": (solution({"x": 1}), "landmark: expected the 33 landmarks of MediaPipe Pose, found dict"),
    "no landmark": (task([]), r"pose_landmarks\[0\]: .* found 0"),
    "no person": ({"pose_landmarks": landmarks()}, "pose_landmarks: expected a list of people, each a list of"),
    "no people": ({"pose_landmarks": solution(landmarks())}, "pose_landmarks: expected a list of people, each a list"),
    "no object": (solution([[0.1, 0.2]] * 33), r"landmark\[0\]: expected an object with x and y, found list"),
    "no x": (task(without("x")), r"pose_landmarks\[0\]\[3\]\.x: expected a share of the image's width, .*found None"),
    "no y": (solution(without("y")), r"landmark\[3\]\.y: expected a share of the image's height, .*found None"),
    "null": (solution(bad(x=None)), r"landmark\[3\]\.x: .*found None"),
    "words": (solution(bad(x="NaN")), r"landmark\[3\]\.x: .*found 'NaN'"),
    "truth": (solution(bad(y=True)), r"landmark\[3\]\.y: .*found True"),
    "nan": (solution(bad(y=math.nan)), r"landmark\[3\]\.y: .*found nan"),
    "infinite": (solution(bad(y=-math.inf)), r"landmark\[3\]\.y: .*found -inf"),
    "pixels": (solution(bad(x=640)), r"landmark\[3\]\.x: .* from -100 to 100, found 640"),
    "huge": (solution(bad(x=-(10**400))), r"landmark\[3\]\.x: .*found -10000"),
    "visibility nan": (solution(bad(visibility=math.nan)), r"landmark\[3\]\.visibility: .*found nan"),
    "visibility text": (solution(bad(visibility="0.5")), r"landmark\[3\]\.visibility: expected .*found '0.5'"),
    "visibility logit": (solution(bad(visibility=-2.5)), r"landmark\[3\]\.visibility: .* 0 to 1, or none, found -2.5"),
    "visibility above 1": (solution(bad(visibility=1.01)), r"landmark\[3\]\.visibility: .*found 1.01"),
    "visibility percent": (solution(bad(visibility=99)), r"landmark\[3\]\.visibility: .*found 99"),
    "other fields": ({"pose": landmarks(), "time": 3}, "expected pose_landmarks or landmark, found 'pose, time'"),
    "surrogate": ({"\ud800": 1}, r"expected pose_landmarks or landmark, found '\\ud800'"),
    "list": (landmarks(), "expected a result or null, found list"),
    "number": (0, "expected a result or null, found 0"),
}


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_frame_is_refused_by_its_number(
    kind: str, name: str, write: Write, read_tree: Read, tmp_path: Path
) -> None:
    entry, word = BAD[kind]
    good = task(landmarks())
    root = write({name: text(name, [good, None, entry, good])}, **SIZE)
    with pytest.raises(BadInputError, match=rf"{name}: frame 2: {word}") as caught:
        read_tree(root)
    (fault,) = caught.value.faults
    assert len(fault) - len(str(root)) < 250


GOOD = json.dumps(solution(landmarks()))
TEXTS = {
    "cut": ("a.json", f"[{GOOD}, {GOOD[:500]}", r"frame 1: expected JSON with unique keys, found .*: line 1 column"),
    "cut at a comma": ("a.json", f"[{GOOD},", "frame 1: expected JSON .*Expecting value"),
    "cut behind a frame": ("a.json", f"[{GOOD}", "frame 1: expected JSON .*Expecting ',' delimiter"),
    "cut at once": ("a.json", "[", "frame 0: expected JSON .*Expecting value"),
    "no comma": ("a.json", f"[{GOOD} {GOOD}]", f"frame 1: .*Expecting ',' delimiter: line 1 column {len(GOOD) + 2} "),
    "comma at the end": ("a.json", f"[{GOOD},]", "frame 1: expected JSON .*Expecting value"),
    "more behind": ("a.json", f"[{GOOD}]\n{{}}", "frame 1: expected JSON .*Extra data: line 2 column 1"),
    "empty list and more": ("a.json", "[]]", "frame 0: expected JSON .*Extra data"),
    "empty list": ("a.json", "[]", "expected at least one pose, found none"),
    "key twice": ("a.json", '[{"landmark": [], "landmark": []}]', "frame 0: .*found key 'landmark' twice"),
    "deep": ("a.json", "[" * 100_000, "frame 0: expected JSON"),
    "endless number": ("a.json", f"[null, {'9' * 5000}]", "frame 1: expected JSON"),
    "a line": ("a.jsonl", f"{GOOD}\n{GOOD[:-1]}\n{GOOD}\n", "frame 1: expected JSON .*: line 2 column"),
    "an empty line": ("a.jsonl", f"{GOOD}\n\n{GOOD}\n", "frame 1: expected JSON .*Expecting value: line 2 column 1"),
    "empty lines before": ("a.jsonl", f"\n\n{GOOD}\n", "frame 0: expected JSON .*Expecting value: line 1 column 1"),
    "two in a line": ("a.jsonl", f"{GOOD} {GOOD}\n", "frame 0: expected JSON .*Extra data: line 1"),
    "a list in lines": ("a.jsonl", f"[{GOOD},\n{GOOD}]\n", "frame 0: expected JSON"),
    "no line": ("a.jsonl", "", "expected an entry a frame, found an empty file"),
    "empty lines": ("a.jsonl", "\n \n", "expected an entry a frame, found an empty file"),
    "no text": ("a.jsonl", "\x00", "frame 0: expected JSON"),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_text_that_is_no_json_is_told_with_its_frame(kind: str, write: Write, read_tree: Read) -> None:
    name, content, word = TEXTS[kind]
    with pytest.raises(BadInputError, match=rf"{name}: {word}"):
        read_tree(write({name: content}, **SIZE))


def test_all_faults_are_told_the_first_hundred_in_words(tmp_path: Path) -> None:
    path = save(tmp_path / "a.json", *[task(landmarks(), landmarks())] * 150)
    with pytest.raises(BadInputError) as caught:
        read_mediapipe(path, JointMap(**SIZE))
    assert len(caught.value.faults) == 101
    assert "frame 99: pose_landmarks" in caught.value.faults[99]
    assert caught.value.faults[100].endswith("a.json: and 50 faults more")


def test_more_poses_than_can_be_meant_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracks, "MOST_POSES", 2)
    path = save(tmp_path / "a.json", *[task(landmarks())] * 2, None)
    assert len(read_mediapipe(path, JointMap(**SIZE)).tracks[""].frame_number) == 2
    with pytest.raises(BadInputError) as caught:
        read_mediapipe(save(path, *[task(landmarks())] * 5), JointMap(**SIZE))
    assert caught.value.faults == (f"{path}: expected at most 2 poses, found more; split the file",)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_more_frames_than_can_be_meant_are_refused_without_their_other_faults(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mediapipe, "_MOST_FRAMES", 3)
    path = save(tmp_path / name, None, task(landmarks()), None)
    assert read_mediapipe(path, JointMap(**SIZE)).tracks[""].frame_number.tolist() == [1]
    with pytest.raises(BadInputError) as caught:
        read_mediapipe(save(path, 0, None, None, None), JointMap(**SIZE))
    assert caught.value.faults == (f"{path}: expected at most 3 frames, found more; split the file",)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_entries_take_no_memory_beside_their_text(name: str, tmp_path: Path) -> None:
    """Which is there twice while the file is read: as bytes, and as characters."""
    path = save(tmp_path / name, *[None] * 200_000, solution(landmarks()))
    tracemalloc.start()
    try:
        read_mediapipe(path, JointMap(**SIZE))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 3 * path.stat().st_size


def test_a_file_too_large_to_be_meant_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.json", solution(landmarks()))
    monkeypatch.setattr(mediapipe, "_MOST_FILE", path.stat().st_size - 1)
    with pytest.raises(BadInputError, match=r"a\.json: expected a file of at most"):
        read_mediapipe(path, JointMap(**SIZE))


@pytest.mark.parametrize("about", [{}, {"width": 200}, {"height": 100, "files": {"b.json": {"width": 200}}}])
def test_without_the_size_of_the_image_nothing_can_be_read(about: dict[str, Any], tmp_path: Path) -> None:
    path = save(tmp_path / "a.json", solution(landmarks()))
    with pytest.raises(BadInputError) as caught:
        read_mediapipe(path, JointMap.model_validate({"joints": {"nose": "nose"}, "files": {}} | about))
    (fault,) = caught.value.faults
    assert f"{path}: width, height: expected in {tmp_path / 'keypoints.json'}, found none" in fault
    assert '{"width": 1920, "height": 1080}' in fault


@pytest.mark.parametrize(
    ("entries", "word"),
    [
        ([{"image_id": 7, "keypoints": [1, 2, 0.5]}], "frame 0: expected pose_landmarks or landmark, found 'image_id"),
        ([1, 2, 3], "frame 0: expected a result or null, found 1"),
        ([], "expected at least one pose, found none"),
    ],
)
def test_a_list_of_something_else_is_not_asked_for_a_size(entries: list[Any], word: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=rf"a\.json: {word}") as caught:
        read_mediapipe(save(tmp_path / "a.json", *entries), JointMap())
    assert "width" not in str(caught.value)


def test_a_folder_needs_no_joints_for_it(write: Write, read_tree: Read) -> None:
    about = {"width": 200, "height": 1, "fps": 25, "files": {"b.jsonl": {"height": 100, "video": "camera 2"}}}
    files = {"keypoints.json": about, "a.json": [task(landmarks())], "b.jsonl": json.dumps(task(landmarks())) + "\n"}
    found = read_tree(write(files))
    assert {name: (s.video, s.fps) for name, s in found.items()} == {"a": ("a", 25.0), "b": ("camera 2", 25.0)}
    np.testing.assert_allclose(found["a"].points[0, INDEX["left_ear"]], [14, 0.21])
    np.testing.assert_allclose(found["b"].points[0, INDEX["left_ear"]], [14, 21])


def test_joints_of_the_map_are_of_the_other_files(write: Write, read_tree: Read) -> None:
    table = "frame,joint,x,y\n0,nose,10,20\n0,hip_r,30,40\n"
    found = read_tree(write({"a.jsonl": GOOD, "b.csv": table, "c.json": [task(landmarks())]}, **SIZE))
    assert {name: int((~np.isnan(s.points[0, :, 0])).sum()) for name, s in found.items()} == {"a": 25, "b": 2, "c": 25}


def test_landmarks_outside_the_image_or_unsure_are_missing(write: Write, read_tree: Read) -> None:
    one, other = landmarks(), landmarks()
    one[27] |= {"y": 1.25}
    one[28] |= {"x": -0.01}
    other[0] |= {"visibility": 0.29}
    sequence = read_tree(write({"a.json": [task(one), task(other)]}, confidence=0.3, **SIZE))["a"]
    assert np.argwhere(np.isnan(sequence.points[..., 0])).tolist() == [
        [0, INDEX["left_ankle"]],
        [0, INDEX["right_ankle"]],
        [1, INDEX["nose"]],
    ]
    assert tuple(map(str, sequence.notes)) == (
        "1 points below the least confidence: taken as not annotated",
        "2 points outside the image: taken as not annotated",
    )


def test_a_store_is_built_of_a_folder_without_joints(write: Write) -> None:
    results = [task(landmarks(n / 1000)) for n in range(8)]
    root = write({"keypoints.json": {**SIZE, "fps": 30}, "a.json": [*results, None], "b.jsonl": text("l", results)})
    recipe = Recipe(datasets=(Selection(dataset="keypoints"),), noise=Noise(torso=12.0))
    told = build_store(recipe, {"keypoints": root}, root.parent / "s.zarr")
    assert (told["sequences"], told["frames"], told["skipped"]) == (2, 16, [])
    assert FORMATS["keypoints"].open(root).files("b") == [root / "b.jsonl"]


@pytest.mark.parametrize("kind", KINDS)
def test_other_points_change_x_and_y_of_the_keypoints_alone(kind: str, tmp_path: Path) -> None:
    entries = [None, KINDS[kind](landmarks()), {}, KINDS[kind](landmarks())]
    path, about = save(tmp_path / "a.json", *entries), JointMap(**SIZE)
    track = read_mediapipe(path, about).tracks[""]
    points = track.points + np.asarray([4.000063, 0.5])  # 0.020000315 of the width: written with seven digits
    points[1, INDEX["nose"]] = np.nan
    found = [*mediapipe_with(path, about, {"": replace(track, points=points)})]
    for row, frame in enumerate((1, 3)):
        before, after = (
            entry["landmark"] if kind == "solutions" else entry["pose_landmarks"][0]
            for entry in (entries[frame], found[frame])
        )
        for i, name in enumerate(MEDIAPIPE_33):
            moved = name is not None and (row, name) != (1, "nose")
            assert after[i]["x"] == pytest.approx(before[i]["x"] + 0.0200003 * moved, abs=1e-9)
            assert after[i]["y"] == pytest.approx(before[i]["y"] + 0.005 * moved, abs=1e-9)
            after[i] |= {"x": before[i]["x"], "y": before[i]["y"]}
    assert found == entries
