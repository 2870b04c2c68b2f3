"""Figures of the real files, counted here by other means than the package's own."""

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata.build import build_store, dry_run
from posedata.config import Recipe, Selection
from posedata.formats import brace as brace_format
from posedata.formats.brace import Brace
from posedata.formats.speed21 import Speed21
from posedata.samples import write_sample
from posedata.samples.brace import read_segments
from posedata.store.reader import Store, open_store
from posedata.windows import window_starts

pytestmark = pytest.mark.real


def penn_recipe(*actions: str) -> Recipe:
    return Recipe(datasets=(Selection(dataset="penn_action", actions=actions),))


@pytest.fixture(scope="module")
def penn(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, dict[str, Any]]:
    """The published subset, built, and its report."""
    out = tmp_path_factory.mktemp("real") / "penn.zarr"
    told = build_store(
        penn_recipe("baseball_pitch", "bench_press"), {"penn_action": shared / "penn_action"}, out, workers=2
    )
    return open_store(out), told


def test_penn_action_pitches_and_presses(penn: tuple[Store, dict[str, Any]]) -> None:
    _, told = penn
    assert told["sequences"] == 246
    assert told["frames"] == 20_857
    assert told["annotated_keypoints"] == 200_566
    assert told["empty_frames"] == 13
    assert round(told["mean_torso_diameter"], 4) == 16.2713
    assert told["shift_std"] == pytest.approx(0.2 * told["mean_torso_diameter"])
    assert told["windows_total"] == 19_873
    assert told["synthetic"] is False


@pytest.mark.parametrize(("step", "windows"), [(1, 19_873), (2, 18_889)])
def test_penn_action_windows(step: int, windows: int, penn: tuple[Store, dict[str, Any]]) -> None:
    store, _ = penn
    starts = window_starts(store.frame_sequence, store["frame_number"], store["shot"], 5, step)
    assert len(starts) == windows
    # No video has a gap, so each gives its length less the reach.
    assert windows == sum(max(n - 4 * step, 0) for n in store["sequence_length"].tolist())


def test_penn_action_splits_are_60_20_20_of_the_frames(penn: tuple[Store, dict[str, Any]]) -> None:
    share = np.bincount(penn[0]["split"], minlength=3) / 20_857
    assert share == pytest.approx([0.6, 0.2, 0.2], abs=0.005)


def test_penn_action_with_situps(shared: Path, tmp_path: Path) -> None:
    recipe = penn_recipe("baseball_pitch", "bench_press", "situp")
    told = dry_run(recipe, {"penn_action": shared / "penn_action"}, tmp_path / "none.zarr")
    assert (told["sequences"], told["frames"], told["annotated_keypoints"]) == (326, 27_664, 264_270)


def null_ends(lines: list[str]) -> int:
    """Lines without a pose before the first and after the last that has one."""
    posed = [not line.rstrip().endswith("#NULL") for line in lines]
    return posed.index(True) + posed[::-1].index(True)


def test_speed21_reads_every_run_and_trims_what_the_files_say(shared: Path) -> None:
    dataset = Speed21(shared / "speed21")
    items = dataset.items()
    assert len(items) == 271
    frames = trimmed = inner = 0
    for item in items:
        lines = (shared / "speed21" / "skeletons" / f"{item}.data").read_text().splitlines()
        ends = null_ends(lines)
        empty = sum(line.rstrip().endswith("#NULL") for line in lines) - ends
        sequence = dataset.read(item)
        assert len(sequence) == len(lines) - ends
        assert int(np.isnan(sequence.points).all(axis=(1, 2)).sum()) == empty
        assert [note.count for note in sequence.notes] == ([ends] if ends else [])
        frames, trimmed, inner = frames + len(lines), trimmed + ends, inner + empty
    assert trimmed > 0
    told = dry_run(Recipe(datasets=(Selection(dataset="speed21"),)), {"speed21": shared / "speed21"}, Path("none.zarr"))
    assert (told["sequences"], told["frames"], told["empty_frames"]) == (271, frames - trimmed, inner)
    assert sum(int(s["reason"].split()[0]) for s in told["skipped"]) == trimmed


def test_speed21_climbers_stand_upright_and_face_the_wall(shared: Path) -> None:
    """Left and right, top and bottom are not exchanged on the way to the keypoints."""
    dataset = Speed21(shared / "speed21")
    points = np.concatenate([dataset.read(item).points for item in dataset.items()[::10]])
    left_shoulder, right_shoulder, left_hip, right_hip = (points[:, k] for k in (3, 4, 15, 16))
    below = (left_hip + right_hip)[:, 1] > (left_shoulder + right_shoulder)[:, 1]
    known = ~np.isnan(left_shoulder[:, 0])
    assert below[known].mean() > 0.99
    assert (right_shoulder[known, 0] > left_shoulder[known, 0]).mean() > 0.8


@pytest.fixture(scope="module")
def brace_tree(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """BRACE's real tables beside six of its segments filled with synthetic motion."""
    root = tmp_path_factory.mktemp("real") / "brace"
    lines = (shared / "brace_meta" / "segments.csv").read_text().splitlines()
    with_cut = [line for line in lines if line.startswith("-mT5x-j_TpI,")]
    table = root.parent / "some.csv"
    table.write_text("\n".join([*lines[:4], *with_cut[:3]]) + "\n")
    write_sample("brace", root, segments=table)
    (root / "annotations").rename(root.parent / "synthetic")
    (root / "annotations").symlink_to(shared / "brace_meta")
    return root


def test_brace_tables_have_their_segments_and_frames(shared: Path) -> None:
    segments = read_segments(shared / "brace_meta" / "segments.csv")
    assert len(segments) == 1_352
    assert sum(s.end - s.start + 1 for s in segments) == 334_538


def test_brace_cuts_fall_inside_segments_and_part_their_shots(shared: Path, brace_tree: Path) -> None:
    cuts = Brace(brace_tree)._cuts
    inside = cut_segments = 0
    for segment in read_segments(shared / "brace_meta" / "segments.csv"):
        numbers = np.arange(segment.start, segment.end + 1)
        shots = brace_format._shots(numbers, cuts.get(segment.video, []))
        found = [cut - segment.start for cut in cuts.get(segment.video, []) if segment.start < cut < segment.end]
        for at in found:
            assert shots[at - 1] < shots[at] < shots[at + 1]
        inside += len(found)
        cut_segments += bool(found)
        # Shots change at the cuts and nowhere else.
        borders = {at + side for at in found for side in (0, 1)}
        free = set(np.flatnonzero(np.diff(shots)) + 1) - borders
        assert free <= {1, len(numbers) - 1}
    assert (inside, cut_segments) == (237, 168)


def test_brace_reads_fps_and_official_split_from_the_real_tables(shared: Path, brace_tree: Path) -> None:
    meta = shared / "brace_meta"
    with (meta / "videos_info.csv").open(newline="") as file:
        fps = {row["video_id"]: float(row["fps"]) for row in csv.DictReader(file)}
    with (meta / "sequences_test.csv").open(newline="") as file:
        test = {(row["video_id"], row["seq_idx"]) for row in csv.DictReader(file)}
    with (meta / "segments.csv").open(newline="") as file:
        rows = {(r["video_id"], r["start_frame"], r["end_frame"]): r["seq_idx"] for r in csv.DictReader(file)}
    assert set(fps.values()) == {25.0, 29.97002997}
    dataset = Brace(brace_tree)
    items = dataset.items()
    assert len(items) == 6
    for item in items:
        sequence = dataset.read(item)
        start, _, end = item.removeprefix(f"{sequence.video}_").partition("_")[0].partition("-")
        expected = "test" if (sequence.video, rows[sequence.video, start, end]) in test else "train"
        assert (sequence.fps, sequence.official_split) == (fps[sequence.video], expected)
    assert dataset.warnings == ()
    assert not math.isnan(sum(fps.values()))
