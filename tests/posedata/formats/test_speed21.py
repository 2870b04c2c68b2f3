"""SPEED21, quirk by quirk, on files that the tests write themselves."""

from pathlib import Path

import numpy as np
import pytest

from posedata.build import dry_run
from posedata.config import Recipe, Selection
from posedata.errors import BadInputError
from posedata.formats.speed21 import Speed21
from posedata.poses import NOT_FINITE, Note, PoseSequence

RUN = "52_2018-07-28_1"
URL = "https://example.org/watch?v=a-b_c"

# MPII joint -> keypoint, written down from the two published lists; 6 to 9 are pelvis, thorax, neck and head top.
MPII = {0: 20, 1: 18, 2: 16, 3: 15, 4: 17, 5: 19, 10: 8, 11: 6, 12: 4, 13: 3, 14: 5, 15: 7}


def pose(shift: float = 0.0) -> str:
    """16 joints, joint j at (100 + 10 j, 500 - 7 j)."""
    return ";".join(f"{100 + 10 * j + shift},{500 - 7 * j + shift}" for j in range(16))


def metadata(run: str = RUN, fps: str = "25", url: str = URL) -> str:
    return f"{run};52;2018-07-28;1;{url};1625.81;1631.72;5.91;148;1;l;{fps}"


def write(root: Path, lines: list[str], rows: list[str] | None = None, run: str = RUN) -> Path:
    path = root / "skeletons" / f"{run}.data"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    (root / "metadata.txt").write_text("\n".join([metadata()] if rows is None else rows) + "\n")
    return path


def read(root: Path) -> PoseSequence:
    return Speed21(root).read(RUN)


def test_mpii_joints_go_to_twelve_keypoints_and_the_spine_is_dropped(tmp_path: Path) -> None:
    write(tmp_path, [f"7#{pose()}"])
    expected = np.full((25, 2), np.nan)
    for joint, keypoint in MPII.items():
        expected[keypoint] = 100 + 10 * joint, 500 - 7 * joint
    np.testing.assert_array_equal(read(tmp_path).points, expected[None])


def test_the_url_is_the_video_and_fps_comes_from_the_metadata(tmp_path: Path) -> None:
    write(tmp_path, [f"7#{pose()}"], rows=[metadata("other", "30", "x"), metadata(fps="29.97")])
    sequence = read(tmp_path)
    assert (sequence.name, sequence.video, sequence.fps) == (RUN, URL, 29.97)


def test_null_is_trimmed_and_counted_at_the_ends_and_an_empty_frame_inside(tmp_path: Path) -> None:
    null, posed = "NULL", pose()
    texts = [null, null, posed, null, posed, posed, null, null, null]
    write(tmp_path, [f"{t}#{text}" for t, text in enumerate(texts, start=1)])
    sequence = read(tmp_path)
    assert sequence.frame_number.tolist() == [3, 4, 5, 6]
    assert np.isnan(sequence.points).all(axis=(1, 2)).tolist() == [False, True, False, False]
    assert sequence.notes == (Note(5, "frames without a pose at the ends: trimmed"),)
    found = dry_run(Recipe(datasets=(Selection(dataset="speed21"),)), {"speed21": tmp_path}, tmp_path / "none.zarr")
    assert (found["frames"], found["empty_frames"], found["annotated_keypoints"]) == (4, 1, 36)
    assert found["skipped"] == [{"item": f"speed21/{RUN}", "reason": str(sequence.notes[0])}]


def test_nothing_trimmed_leaves_no_note(tmp_path: Path) -> None:
    write(tmp_path, [f"1#{pose()}", "2#NULL", f"3#{pose()}"])
    assert read(tmp_path).notes == ()


def test_a_gap_in_the_frame_numbers_is_kept(tmp_path: Path) -> None:
    write(tmp_path, [f"1#{pose()}", f"5#{pose()}"])
    assert read(tmp_path).frame_number.tolist() == [1, 5]


@pytest.mark.parametrize("bad", ["nan", "inf", "-inf"])
def test_a_joint_that_is_not_finite_is_not_annotated(bad: str, tmp_path: Path) -> None:
    write(tmp_path, [f"1#{pose()}".replace("100.0,", f"{bad},")])
    sequence = read(tmp_path)
    points = sequence.points[0]
    assert np.isnan(points[MPII[0]]).all()
    assert (~np.isnan(points[:, 0])).sum() == 11
    assert sequence.notes == (Note(1, NOT_FINITE),)


def test_lines_without_a_finite_joint_are_trimmed_as_null_is_and_their_joints_counted(tmp_path: Path) -> None:
    nothing = ";".join(["nan,nan"] * 16)
    write(tmp_path, [f"1#{nothing}", f"2#{pose()}", "3#NULL"])
    sequence = read(tmp_path)
    assert sequence.frame_number.tolist() == [2]
    assert [note.count for note in sequence.notes] == [16, 2]


def test_a_run_without_a_line_in_the_metadata_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, [f"1#{pose()}"], rows=[metadata("other")])
    with pytest.raises(BadInputError, match=rf"{path}: .*{RUN}"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (metadata() + ";extra;25", "line 2: .*12 fields"),
        (metadata().rpartition(";")[0], "line 2: .*12 fields"),
        (metadata(fps="fast"), "line 2"),
        (metadata(fps=""), "line 2"),
        ("", "line 2"),
        ("a;b", "line 2"),
        (metadata("other"), "line 2: expected each run once"),
    ],
    ids=["more", "fewer", "no-number", "no-fps", "blank", "two", "twice"],
)
def test_metadata_with_a_bad_line_is_refused(row: str, word: str, tmp_path: Path) -> None:
    write(tmp_path, [f"1#{pose()}"], rows=[metadata("other"), row, metadata()])
    with pytest.raises(BadInputError, match=word) as caught:
        read(tmp_path)
    assert str(tmp_path / "metadata.txt") in str(caught.value)
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize("fps", ["inf", "0", "-25", "1e9"])
def test_an_impossible_fps_is_refused(fps: str, tmp_path: Path) -> None:
    write(tmp_path, [f"1#{pose()}"], rows=[metadata(fps=fps)])
    with pytest.raises(BadInputError, match="fps"):
        read(tmp_path)


def test_absent_metadata_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [f"1#{pose()}"])
    (tmp_path / "metadata.txt").unlink()
    with pytest.raises(BadInputError, match=r"metadata\.txt"):
        read(tmp_path)


BAD_LINES = {
    "15 joints": "2#" + pose().rpartition(";")[0],
    "17 joints": f"2#{pose()};1,2",
    "three numbers": "2#" + pose().replace(",", ",1,", 1),
    "text": "2#" + pose().replace("100.0", "ten"),
    "no frame": f"#{pose()}",
    "frame no number": f"two#{pose()}",
    "frame negative": f"-2#{pose()}",
    "frame huge": f"{10**12}#{pose()}",
    "no mark": pose(),
    "blank": "",
    "null lower": "2#null",
    "nothing": "2#",
}


@pytest.mark.parametrize("kind", BAD_LINES)
def test_a_bad_line_is_refused_by_its_number(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path, [f"1#{pose()}", BAD_LINES[kind], f"3#{pose()}"])
    with pytest.raises(BadInputError) as caught:
        read(tmp_path)
    (fault,) = caught.value.faults
    assert fault.startswith(f"{path}: line 2: ")


def test_all_bad_lines_are_listed(tmp_path: Path) -> None:
    write(tmp_path, ["x", f"1#{pose()}", "2#1,2", f"3#{pose()}", "NULL"])
    with pytest.raises(BadInputError) as caught:
        read(tmp_path)
    assert [fault.split(": ")[1] for fault in caught.value.faults] == ["line 1", "line 3", "line 5"]


@pytest.mark.parametrize("numbers", [[2, 1], [1, 1]])
def test_frames_out_of_order_or_twice_are_refused(numbers: list[int], tmp_path: Path) -> None:
    write(tmp_path, [f"{n}#{pose()}" for n in numbers])
    with pytest.raises(BadInputError, match=f"line 2: frame: expected above {numbers[0]}, found 1"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("lines", "word"),
    [
        (["1#NULL", "2#NULL"], "only NULL"),
        (["1#" + ";".join(f"{j / 20},{j / 16}" for j in range(16))], "relative"),
        (["1#" + pose().replace("100.0", "1e308")], "pixels"),
    ],
    ids=["only-null", "relative", "huge"],
)
def test_a_run_that_shows_nobody_is_refused(lines: list[str], word: str, tmp_path: Path) -> None:
    write(tmp_path, lines)
    with pytest.raises(BadInputError, match=word) as caught:
        read(tmp_path)
    assert RUN in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"1#\xff\xfe"])
def test_an_empty_or_binary_run_is_refused(content: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, [])
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=str(path)):
        read(tmp_path)
