"""BRACE, quirk by quirk, on files that the tests write themselves."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata.errors import BadInputError
from posedata.formats.brace import Brace
from posedata.poses import NOT_FINITE, Note, PoseSequence
from posedata.windows import window_starts

VIDEO = "-a_1b2-C_3"
YEAR = "2011"

# COCO joint -> keypoint, written down from the two published lists; joints 1 and 2 are the eyes.
COCO = {0: 0, 3: 1, 4: 2, 5: 3, 6: 4, 7: 5, 8: 6, 9: 7, 10: 8, 11: 15, 12: 16, 13: 17, 14: 18, 15: 19, 16: 20}
LEFT_WRIST, LEFT_WRIST_COCO = 7, 9


def pose(shift: float = 0.0) -> list[list[float]]:
    """17 joints, each at a place of its own."""
    return [[100.0 + 10 * j + shift, 300.0 + 20 * j + shift, 0.5] for j in range(17)]


def frame(keypoints: Any) -> dict[str, Any]:
    return {"box": [1.0, 2.0, 3.0, 4.0, 0.9], "keypoints": keypoints}


def key(number: int, video: str = VIDEO) -> str:
    return f"{video}/img-{number:06d}.png"


def write(
    root: Path,
    frames: Mapping[str, Any] | str,
    start: int = 10,
    end: int = 29,
    *,
    video: str = VIDEO,
    action: str = "toprock",
    ending: str = ".json",
) -> str:
    """One segment file; returns its item's name."""
    name = f"{video}_{start}-{end}_{action}"
    path = root / "dataset" / YEAR / video / (name + ending)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(frames if isinstance(frames, str) else json.dumps(frames))
    return name


def write_numbers(root: Path, numbers: list[int], **where: Any) -> str:
    return write(root, {key(n, where.get("video", VIDEO)): frame(pose(n)) for n in numbers}, **where)


def write_manual(root: Path, number: int, joints: object, array: str = "coco_joints2d") -> Path:
    path = root / "manual_keypoints" / YEAR / VIDEO / f"img-{number:06d}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{array: np.asarray(joints)})
    return path


def annotate(root: Path, name: str, text: str) -> None:
    (root / "annotations").mkdir(exist_ok=True)
    (root / "annotations" / name).write_text(text)


def read(root: Path) -> PoseSequence:
    brace = Brace(root)
    (item,) = brace.items()
    return brace.read(item)


def windows(sequence: PoseSequence) -> list[list[int]]:
    """Frame numbers of every window of five."""
    starts = window_starts(np.zeros(len(sequence), np.int64), sequence.frame_number, sequence.shot)
    return [sequence.frame_number[s : s + 5].tolist() for s in starts]


@pytest.mark.parametrize("ending", [".json", ".json.json"])
def test_both_endings_are_read(ending: str, tmp_path: Path) -> None:
    name = write_numbers(tmp_path, [10, 11], ending=ending)
    assert Brace(tmp_path).items() == [name]
    sequence = read(tmp_path)
    assert (sequence.name, sequence.video, sequence.action) == (name, VIDEO, "toprock")
    assert sequence.frame_number.tolist() == [10, 11]


def test_coco_joints_go_to_their_keypoints_and_eyes_are_dropped(tmp_path: Path) -> None:
    write(tmp_path, {key(10): frame(pose())})
    expected = np.full((25, 2), np.nan)
    for joint, keypoint in COCO.items():
        expected[keypoint] = 100 + 10 * joint, 300 + 20 * joint
    np.testing.assert_array_equal(read(tmp_path).points, expected[None])


@pytest.mark.parametrize("action", ["toprock", "footwork", "powermove"])
def test_the_action_comes_from_the_file_name(action: str, tmp_path: Path) -> None:
    write_numbers(tmp_path, [10], action=action)
    assert read(tmp_path).action == action


@pytest.mark.parametrize("video", ["-mT5x-j_TpI", "A_KxOaDHi6o", "x_1-2_y", "_4-7_toprock"])
def test_video_ids_may_begin_with_a_dash_and_hold_underscores(video: str, tmp_path: Path) -> None:
    write_numbers(tmp_path, [10, 12], video=video)
    sequence = read(tmp_path)
    assert sequence.video == video
    assert sequence.frame_number.tolist() == [10, 12]


def test_keys_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    write_numbers(tmp_path, [12, 9, 11, 10])
    sequence = read(tmp_path)
    assert sequence.frame_number.tolist() == [9, 10, 11, 12]
    assert sequence.points[:, 0, 0].tolist() == [109, 110, 111, 112]


def test_a_gap_leaves_one_sequence_and_no_window_crosses_it(tmp_path: Path) -> None:
    write_numbers(tmp_path, [*range(10, 16), *range(19, 24)])
    sequence = read(tmp_path)
    assert sequence.frame_number.tolist() == [10, 11, 12, 13, 14, 15, 19, 20, 21, 22, 23]
    assert windows(sequence) == [[10, 11, 12, 13, 14], [11, 12, 13, 14, 15], [19, 20, 21, 22, 23]]


def test_an_all_zero_frame_stays_without_annotation(tmp_path: Path) -> None:
    write(tmp_path, {key(10): frame(pose()), key(11): frame([[0, 0, 0]] * 17), key(12): frame(pose())})
    sequence = read(tmp_path)
    assert sequence.frame_number.tolist() == [10, 11, 12]
    assert np.isnan(sequence.points[1]).all()
    assert (~np.isnan(sequence.points[[0, 2], :, 0])).sum() == 30


@pytest.mark.parametrize(
    "xy", [(0, 500), (500, 0), (1920, 500), (500, 1080), (1920, 1080), (0, 1080), (1920, 0), (0.0, 0.001)]
)
def test_points_on_the_edges_are_inside(xy: tuple[float, float], tmp_path: Path) -> None:
    joints = pose()
    joints[LEFT_WRIST_COCO] = [*xy, 1]
    write(tmp_path, {key(10): frame(joints)})
    sequence = read(tmp_path)
    assert sequence.points[0, LEFT_WRIST].tolist() == list(xy)
    assert sequence.notes == ()


@pytest.mark.parametrize(
    "xy",
    [(1920.01, 500), (500, 1080.01), (-0.01, 500), (500, -0.01), (-3, -3), (1e308, 500), (500, -1e308), (10**400, 5)],
    ids=lambda xy: f"{xy[0]:.3g},{xy[1]:.3g}" if xy[0] < 1e300 else f"huge,{xy[1]}",
)
def test_points_outside_the_image_are_not_annotated_and_counted(xy: tuple[float, float], tmp_path: Path) -> None:
    joints = pose()
    joints[LEFT_WRIST_COCO] = [*xy, 1]
    write(tmp_path, {key(10): frame(joints)})
    sequence = read(tmp_path)
    assert np.isnan(sequence.points[0, LEFT_WRIST]).all()
    assert (~np.isnan(sequence.points[0, :, 0])).sum() == 14
    assert [note.count for note in sequence.notes] == [1]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_point_with_nan_or_infinity_is_not_annotated(value: float, axis: int, tmp_path: Path) -> None:
    joints = pose()
    joints[LEFT_WRIST_COCO][axis] = value
    write(tmp_path, {key(10): frame(joints)})
    sequence = read(tmp_path)
    points = sequence.points[0]
    assert np.isnan(points[LEFT_WRIST]).all()
    assert (~np.isnan(points)).sum() == 2 * 14
    assert sequence.notes == (Note(1, NOT_FINITE),)


def test_scores_mean_nothing(tmp_path: Path) -> None:
    joints = [[x, y, score] for (x, y, _), score in zip(pose(), [0, -1, 1e9, float("nan")] * 5, strict=False)]
    write(tmp_path, {key(10): frame(joints)})
    assert (~np.isnan(read(tmp_path).points[0, :, 0])).sum() == 15


def test_hand_made_keypoints_win_and_their_third_column_is_ignored(tmp_path: Path) -> None:
    write_numbers(tmp_path, [10, 11, 12])
    hand_made = np.asarray(pose(400))
    hand_made[:, 2] = [0, -7, np.nan, np.inf, 1e308] * 3 + [0, 0]
    path = write_manual(tmp_path, 11, hand_made)
    sequence = read(tmp_path)
    assert sequence.points[:, 0, 0].tolist() == [110, 500, 112]
    assert sequence.points[1, 20].tolist() == [100 + 160 + 400, 300 + 320 + 400]
    assert path in Brace(tmp_path).files(sequence.name)


def test_hand_made_frames_of_other_segments_are_left_alone(tmp_path: Path) -> None:
    write_numbers(tmp_path, [9, 10, 11, 29, 30], start=10, end=29)
    for number in (9, 10, 29, 30):
        write_manual(tmp_path, number, pose(500))
    assert read(tmp_path).points[:, 0, 0].tolist() == [109, 600, 111, 600, 130]


def test_a_hand_made_frame_that_the_segment_lacks_is_told_not_added(tmp_path: Path) -> None:
    write_numbers(tmp_path, [10, 12])
    write_manual(tmp_path, 11, pose())
    sequence = read(tmp_path)
    assert sequence.frame_number.tolist() == [10, 12]
    assert [(note.count, note.which) for note in sequence.notes] == [(1, "[11]")]


@pytest.mark.parametrize(
    ("joints", "array", "word"),
    [
        (pose()[:16], "coco_joints2d", r"\(17, 3\)"),
        (np.zeros((17, 2)), "coco_joints2d", r"\(17, 3\)"),
        ([["a"] * 3] * 17, "coco_joints2d", r"\(17, 3\)"),
        (pose(), "joints", "coco_joints2d"),
        (np.asarray([[None] * 3] * 17), "coco_joints2d", "pickle"),
    ],
    ids=["16", "two-columns", "text", "other-name", "pickled"],
)
def test_a_bad_hand_made_frame_is_refused_with_its_name(joints: object, array: str, word: str, tmp_path: Path) -> None:
    write_numbers(tmp_path, [10, 11])
    path = write_manual(tmp_path, 10, joints, array)
    with pytest.raises(BadInputError, match=word) as caught:
        read(tmp_path)
    assert str(path) in str(caught.value)


def test_a_hand_made_file_without_a_number_is_refused(tmp_path: Path) -> None:
    write_numbers(tmp_path, [10])
    path = write_manual(tmp_path, 10, pose())
    path.rename(path.with_name("img-abc.npz"))
    with pytest.raises(BadInputError, match=r"img-NUMBER\.npz"):
        read(tmp_path)


@pytest.mark.parametrize("folder", ["annotations", "."])
def test_fps_comes_from_videos_info_in_either_place(folder: str, tmp_path: Path) -> None:
    write_numbers(tmp_path, [10])
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "videos_info.csv").write_text(f"video_id,fps\nother,25\n{VIDEO},29.97002997\n")
    assert read(tmp_path).fps == 29.97002997


def test_fps_is_unknown_without_videos_info(tmp_path: Path) -> None:
    write_numbers(tmp_path, [10])
    assert np.isnan(read(tmp_path).fps)


@pytest.mark.parametrize("cuts", [[20], [20, 21], [20, 20, 3, 500]])
def test_no_window_crosses_a_cut_under_either_reading(cuts: list[int], tmp_path: Path) -> None:
    write_numbers(tmp_path, list(range(10, 30)))
    annotate(tmp_path, "shot_boundaries.json", json.dumps({VIDEO: cuts, "other": [12]}))
    found = windows(read(tmp_path))
    for cut in cuts:
        for window in found:
            assert all(n < cut for n in window) or all(n >= cut for n in window), "the cut opens the new shot"
            assert all(n <= cut for n in window) or all(n > cut for n in window), "the cut closes the old shot"
    # 10..19 hold six windows; 21..29 hold five, 22..29 four.
    assert len(found) == (10 if 21 in cuts else 11)


@pytest.mark.parametrize("cut", [10, 29])
def test_a_cut_on_the_first_or_last_frame_takes_only_that_frame(cut: int, tmp_path: Path) -> None:
    write_numbers(tmp_path, list(range(10, 30)))
    annotate(tmp_path, "shot_boundaries.json", json.dumps({VIDEO: [cut]}))
    assert len(windows(read(tmp_path))) == 15


def test_a_cut_within_a_gap_still_cuts(tmp_path: Path) -> None:
    write_numbers(tmp_path, [10, 11, 13, 14])
    annotate(tmp_path, "shot_boundaries.json", json.dumps({VIDEO: [12]}))
    first, second, third, fourth = read(tmp_path).shot.tolist()
    assert first == second < third == fourth


def test_absent_shot_boundaries_are_warned_of(tmp_path: Path) -> None:
    write_numbers(tmp_path, [10])
    (tmp_path / "manual_keypoints").mkdir(exist_ok=True)
    (warning,) = Brace(tmp_path).warnings
    assert "shot_boundaries.json" in warning
    annotate(tmp_path, "shot_boundaries.json", "{}")
    assert Brace(tmp_path).warnings == ()


def test_absent_hand_made_frames_and_those_of_other_videos_are_warned_of(tmp_path: Path) -> None:
    write_numbers(tmp_path, [10])
    annotate(tmp_path, "shot_boundaries.json", "{}")
    assert "manual_keypoints" in Brace(tmp_path).warnings[0]
    (tmp_path / "manual_keypoints" / YEAR / "stranger").mkdir(parents=True)
    np.savez(tmp_path / "manual_keypoints" / YEAR / "stranger" / "img-000010.npz", coco_joints2d=np.ones((17, 3)))
    assert "stranger" in Brace(tmp_path).warnings[0]


@pytest.mark.parametrize("path", [f"{VIDEO}/img-000010.npz", f"{YEAR}/{VIDEO}/x/img-000010.npz"])
def test_a_hand_made_frame_in_the_wrong_place_is_refused(path: str, tmp_path: Path) -> None:
    write_numbers(tmp_path, [10])
    (tmp_path / "manual_keypoints" / path).parent.mkdir(parents=True)
    np.savez(tmp_path / "manual_keypoints" / path, coco_joints2d=np.ones((17, 3)))
    with pytest.raises(BadInputError, match="YEAR/VIDEO"):
        read(tmp_path)


def test_a_hand_made_frame_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    write_numbers(tmp_path, [10])
    (tmp_path / "manual_keypoints" / YEAR / VIDEO).mkdir(parents=True)
    for name in ("img-10.npz", "img-000010.npz"):
        np.savez(tmp_path / "manual_keypoints" / YEAR / VIDEO / name, coco_joints2d=np.ones((17, 3)))
    with pytest.raises(BadInputError, match="each frame once"):
        read(tmp_path)


def test_a_segment_at_another_depth_is_told(tmp_path: Path) -> None:
    name = write_numbers(tmp_path, [10])
    path = next((tmp_path / "dataset").rglob(f"{name}*"))
    path.rename(tmp_path / "dataset" / path.name)
    with pytest.raises(BadInputError, match="YEAR/VIDEO"):
        Brace(tmp_path).read(name)


@pytest.mark.parametrize(
    "text",
    ["[]", '{"v": 3}', '{"v": [1.5]}', '{"v": ["1"]}', '{"v": [true]}', '{"v": ["1"', f'{{"{VIDEO}": [{10**30}]}}'],
    ids=["list", "no-list", "fraction", "text", "bool", "truncated", "huge"],
)
def test_bad_shot_boundaries_are_refused(text: str, tmp_path: Path) -> None:
    write_numbers(tmp_path, [10])
    annotate(tmp_path, "shot_boundaries.json", text)
    with pytest.raises(BadInputError, match=r"shot_boundaries\.json"):
        read(tmp_path)


def write_official(root: Path, segments: str) -> None:
    annotate(root, "segments.csv", "video_id,seq_idx,start_frame,end_frame\n" + segments)
    annotate(root, "sequences_train.csv", f"video_id,seq_idx,uid\n{VIDEO},0,a\n")
    annotate(root, "sequences_test.csv", f"video_id,seq_idx,uid\n{VIDEO},1,b\n")


@pytest.mark.parametrize(("start", "end", "split"), [(10, 29, "train"), (40, 59, "test"), (70, 89, None)])
def test_the_official_split_comes_by_the_sequence_of_the_segment(
    start: int, end: int, split: str | None, tmp_path: Path
) -> None:
    write_numbers(tmp_path, [start, end], start=start, end=end)
    write_official(tmp_path, f"{VIDEO},0,10,29\n{VIDEO},1,40,59\n{VIDEO},2,70,89\nother,1,10,29\n")
    assert read(tmp_path).official_split == split


@pytest.mark.parametrize("number", ["nan", "inf", "ten", ""])
def test_a_segments_table_with_a_bad_number_is_refused(number: str, tmp_path: Path) -> None:
    write_numbers(tmp_path, [10])
    write_official(tmp_path, f"{VIDEO},0,{number},29\n")
    with pytest.raises(BadInputError, match=r"segments\.csv: start_frame"):
        read(tmp_path)


FAULTS: dict[str, tuple[Mapping[str, Any] | str, str]] = {
    "duplicate key": ('{"A": {"keypoints": []}, "A": {"keypoints": []}}', "'A' twice"),
    "foreign video": ({key(10): frame(pose()), key(11, "other"): frame(pose())}, "other/img-000011.png"),
    "no frame key": ({"000010": frame(pose())}, "'000010'"),
    "16 keypoints": ({key(10): frame(pose()[:16])}, "17 of .*found 16"),
    "18 keypoints": ({key(10): frame([*pose(), [1, 2, 3]])}, "17 of .*found 18"),
    "no keypoints": ({key(10): {"box": [1, 2, 3, 4, 5]}}, "keypoints"),
    "no frame object": ({key(10): pose()}, "keypoints"),
    "two numbers a keypoint": ({key(10): frame([j[:2] for j in pose()])}, "keypoints"),
    "text for a number": ({key(10): frame([["1", 2, 3], *pose()[1:]])}, "keypoints"),
    "null for a number": ({key(10): frame([[None, 2, 3], *pose()[1:]])}, "keypoints"),
    "truth for a number": ({key(10): frame([[True, 2, 3], *pose()[1:]])}, "keypoints"),
    "one frame spelt twice": ({key(10): frame(pose()), f"{VIDEO}/img-0000010.png": frame(pose())}, "once"),
    "no frames": ({}, "at least one frame"),
    "truncated": ('{"' + key(10) + '": {"box": [1, 2', "JSON"),
    "empty file": ("", "JSON"),
    "not an object": ("[]", "object"),
    "deep nesting": ("[" * 200_000, "JSON"),
    "all outside": ({key(10): frame([[x + 5000, y, s] for x, y, s in pose()])}, "1920x1080"),
    "relative": ({key(10): frame([[j / 20, j / 30 + 0.1, 1] for j in range(17)])}, "relative"),
    "axes exchanged": ({key(10): frame([[y, 1500 + x, s] for x, y, s in pose()])}, "axes"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_segment_is_refused(fault: str, tmp_path: Path) -> None:
    frames, word = FAULTS[fault]
    name = write(tmp_path, frames)
    with pytest.raises(BadInputError, match=word) as caught:
        read(tmp_path)
    assert name in str(caught.value)


def test_all_faults_of_a_segment_are_listed(tmp_path: Path) -> None:
    write(tmp_path, {key(10): frame(pose()[:16]), "x": 1, key(11): frame(pose()), key(12): 3})
    with pytest.raises(BadInputError) as caught:
        read(tmp_path)
    assert len(caught.value.faults) == 3


def test_a_segment_that_is_there_twice_is_refused_with_both_names(tmp_path: Path) -> None:
    write_numbers(tmp_path, [10], ending=".json")
    name = write_numbers(tmp_path, [10], ending=".json.json")
    with pytest.raises(BadInputError) as caught:
        Brace(tmp_path).read(name)
    assert f"{name}.json:" in str(caught.value) or f"{name}.json too" in str(caught.value)
    assert f"{name}.json.json" in str(caught.value)


@pytest.mark.parametrize("name", ["notes.json", f"{VIDEO}_10-29_waltz.json", "other_10-29_toprock.json"])
def test_a_file_of_another_name_is_refused(name: str, tmp_path: Path) -> None:
    write_numbers(tmp_path, [10])
    (tmp_path / "dataset" / YEAR / VIDEO / name).write_text("{}")
    item = name.removesuffix(".json")
    assert item in Brace(tmp_path).items()
    with pytest.raises(BadInputError, match=name):
        Brace(tmp_path).read(item)
