"""The first pass: every frame laid down once, counted, and the bad ones left out whole."""

import csv
import math
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from posedata.config import Noise, Recipe, Selection
from posedata.errors import BadInputError
from posedata.files import sha256_file
from posedata.formats import climbalong
from posedata.gather import Gathered, gather
from posedata.geometry import jitter_boxes
from posedata.noise import standard_box_errors
from posedata.progress import silent

MPII = {"right_hip": 2, "left_hip": 3, "right_shoulder": 12, "left_shoulder": 13, "right_ankle": 0, "right_knee": 1}


def collect(
    scratch: Path,
    skip_bad: bool = False,
    fps: float | None = None,
    seed: int = 0,
    box_jitter: float = 0.0,
    **trees: Path,
) -> Gathered:
    names = sorted(trees)
    detected = names == ["climbalong"]
    recipe = Recipe(
        datasets=tuple(Selection(dataset=name) for name in names),
        noise=None if detected else Noise(),
        split="held-out" if detected else "video",
        fps=fps,
        seed=seed,
        box_jitter=box_jitter,
    )
    scratch.mkdir(exist_ok=True)
    return gather(recipe, trees, scratch, skip_bad, silent)


def source_rows(found: Gathered) -> list[dict[str, str]]:
    with found.sources.open(newline="") as file:
        return list(csv.DictReader(file))


def write_runs(root: Path, *runs: list[dict[str, tuple[float, float]]]) -> Path:
    """SPEED21 runs whose frames show only the joints named."""
    (root / "skeletons").mkdir(parents=True)
    rows = []
    for i, frames in enumerate(runs):
        lines = []
        for t, shown in enumerate(frames):
            joints = [(math.nan, math.nan)] * 16
            for name, xy in shown.items():
                joints[MPII[name]] = xy
            lines.append(f"{t}#" + ";".join(f"{x},{y}" for x, y in joints))
        (root / "skeletons" / f"run{i}.data").write_text("\n".join(lines))
        rows.append(f"run{i};1;2;3;url{i};5;6;7;8;9;l;25")
    (root / "metadata.txt").write_text("\n".join(rows))
    return root


# Square of 120 pixels in every frame: an extent of 100 and 10 on either side. One cell is 120/56 pixels.
LEFT_SIDE = {"left_shoulder": (100.0, 100.0), "left_hip": (100.0, 200.0)}  # 100 px: 46.667 cells
RIGHT_SIDE = {"right_shoulder": (0.0, 0.0), "right_hip": (0.0, 60.0), "right_ankle": (0.0, 100.0)}  # 60 px: 28 cells
BOTH_SIDES = LEFT_SIDE | {"right_shoulder": (150.0, 100.0), "right_hip": (150.0, 160.0)}  # 80 px: 37.333 cells
NO_SIDE = {"left_shoulder": (0.0, 0.0), "right_hip": (0.0, 60.0), "right_ankle": (0.0, 100.0)}
EMPTY = {"right_knee": (5.0, 5.0)}


def test_mean_torso_is_over_the_frames_that_have_a_side(tmp_path: Path) -> None:
    root = write_runs(tmp_path / "raw", [LEFT_SIDE, RIGHT_SIDE, NO_SIDE], [BOTH_SIDES, EMPTY])
    found = collect(tmp_path / "scratch", speed21=root)
    expected = (100 + 60 + (100 + 60) / 2) / 3 * 56 / 120
    assert found.mean_torso() == pytest.approx(expected, rel=1e-12)
    assert (found.frames, found.empty, found.annotated) == (5, 1, 2 + 3 + 3 + 4)


def test_mean_torso_is_unknown_without_a_side(tmp_path: Path) -> None:
    found = collect(tmp_path / "scratch", speed21=write_runs(tmp_path / "raw", [NO_SIDE]))
    assert math.isnan(found.mean_torso())


def test_boxes_are_padded_and_squared_by_hand(tmp_path: Path) -> None:
    found = collect(tmp_path / "scratch", speed21=write_runs(tmp_path / "raw", [LEFT_SIDE, EMPTY, BOTH_SIDES]))
    boxes = found.spool.read("boxes", 0, 3)
    np.testing.assert_allclose(boxes[0], [40, 90, 160, 210])
    assert np.isnan(boxes[1]).all()
    np.testing.assert_allclose(boxes[2], [65, 90, 185, 210])
    assert np.isnan(found.spool.read("points", 1, 2)).all()


def test_jittered_boxes_go_by_the_draws_of_their_own_sequence(tmp_path: Path) -> None:
    root = write_runs(tmp_path / "raw", [LEFT_SIDE, EMPTY, BOTH_SIDES], [LEFT_SIDE, RIGHT_SIDE])
    usual, found = (
        collect(tmp_path / str(share), seed=7, box_jitter=share, speed21=root).spool.read("boxes", 0, 5)
        for share in (0.0, 0.3)
    )
    for name, rows in (("run0", slice(0, 3)), ("run1", slice(3, 5))):
        errors = standard_box_errors(7, f"speed21/{name}", range(rows.stop - rows.start))
        np.testing.assert_array_equal(found[rows], jitter_boxes(usual[rows], errors, 0.3))


def test_keypoints_outside_a_jittered_box_go_to_its_border_and_are_counted(tmp_path: Path) -> None:
    root = write_runs(tmp_path / "raw", [LEFT_SIDE, EMPTY, BOTH_SIDES] * 4, [NO_SIDE])
    usual, found = (collect(tmp_path / str(share), box_jitter=share, speed21=root) for share in (0.0, 0.3))
    assert (found.annotated, found.empty) == (usual.annotated, usual.empty) == (4 * (2 + 4) + 3, 4)
    true, points = (np.reshape(x.spool.read("points", 0, 13), (-1, 25, 2)) for x in (usual, found))
    boxes = found.spool.read("boxes", 0, 13)
    inside = np.minimum(np.maximum(true, boxes[:, None, :2]), boxes[:, None, 2:])
    np.testing.assert_array_equal(points, inside)
    moved = (~np.isnan(true) & (true != points)).any(axis=-1).sum(axis=1)
    assert found.outside == moved.sum() > 0 == usual.outside
    told = [f"{s.item}: {s.reason}" for s in found.skipped if "box" in s.reason]
    words = "targets outside the box: moved to its border"
    counts = {"run0": moved[:12].sum(), "run1": moved[12:].sum()}
    assert told == [f"speed21/{name}: {count} {words}" for name, count in counts.items() if count]


def test_datasets_lie_one_after_the_other_without_a_hole(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    found = collect(tmp_path / "scratch", brace=raw_trees["brace"], speed21=raw_trees["speed21"])
    keys = [(e.dataset, e.name) for e in found.entries]
    assert keys == sorted(keys)
    assert len(keys) == 24
    starts = np.cumsum([0] + [e.length for e in found.entries])
    assert [e.start for e in found.entries] == starts[:-1].tolist()
    assert found.frames == starts[-1]
    np.testing.assert_array_equal(np.bincount(found.sequence()), [e.length for e in found.entries])
    assert found.entries[0].key.startswith("brace/")
    assert found.synthetic


@pytest.mark.parametrize("name", ["brace", "climbalong", "keypoints", "penn_action", "speed21"])
def test_every_raw_file_is_a_source_with_its_hash(name: str, raw_trees: dict[str, Path], tmp_path: Path) -> None:
    root = raw_trees[name]
    found = collect(tmp_path / "scratch", **{name: root})
    rows = source_rows(found)
    listed = {row["path"]: row["sha256"] for row in rows}
    assert len(listed) == len(rows)  # once, however many people it shows
    data = [p for p in root.rglob("*") if p.is_file() and p.suffix in (".json", ".npz", ".mat", ".data", ".csv")]
    data += root.glob("metadata.txt")
    assert listed == {p.relative_to(root).as_posix(): sha256_file(p) for p in data}


def test_a_real_tree_is_not_marked_synthetic(copy_tree: Callable[[str], Path], tmp_path: Path) -> None:
    root = copy_tree("speed21")
    (root / "SYNTHETIC.txt").unlink()
    assert not collect(tmp_path / "scratch", speed21=root).synthetic


def test_the_first_bad_file_stops_it_unless_skipped(copy_tree: Callable[[str], Path], tmp_path: Path) -> None:
    root = copy_tree("speed21")
    first, second, *_ = sorted((root / "skeletons").iterdir())
    first.write_text("x\ny\n")
    second.write_text("z")
    with pytest.raises(BadInputError) as caught:
        collect(tmp_path / "a", speed21=root)
    assert [fault.split(": ")[0] for fault in caught.value.faults] == [str(first), str(first)]

    found = collect(tmp_path / "b", skip_bad=True, speed21=root)
    assert len(found.entries) == 10
    lost = [s for s in found.skipped if "trimmed" not in s.reason]
    assert [s.item for s in lost] == [f"speed21/{first.stem}", f"speed21/{second.stem}"]
    assert "line 1" in lost[0].reason
    assert "line 2" in lost[0].reason
    assert str(root) not in lost[0].reason
    assert first.name not in {Path(row["path"]).name for row in source_rows(found)}


def test_warnings_are_the_same_wherever_the_raw_tree_lies(copy_tree: Callable[[str], Path], tmp_path: Path) -> None:
    brace, keypoints = copy_tree("brace"), copy_tree("keypoints")
    (brace / "annotations" / "shot_boundaries.json").unlink()
    (keypoints / "deeper").mkdir()
    (keypoints / "deeper" / "a.csv").touch()
    assert collect(tmp_path / "scratch", brace=brace, keypoints=keypoints).warnings == [
        "annotations/shot_boundaries.json: not found; windows may cross shot cuts",
        "1 files in folders further down are not read; move them up",
    ]


def test_a_bad_file_whose_name_is_not_utf8_is_left_out(copy_tree: Callable[[str], Path], tmp_path: Path) -> None:
    root = copy_tree("speed21")
    (root / "skeletons" / os.fsdecode(b"run\xff.data")).write_text("x")
    (left,) = [s for s in collect(tmp_path, skip_bad=True, speed21=root).skipped if "trimmed" not in s.reason]
    assert left.item == "speed21/run\\udcff"
    assert left.reason.startswith("skeletons/run\\udcff.data: expected a line for run\\udcff in metadata.txt")


@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_dataset_without_a_good_file_is_refused(skip_bad: bool, tmp_path: Path) -> None:
    root = write_runs(tmp_path / "raw", [LEFT_SIDE])
    (root / "skeletons" / "run0.data").write_text("1#NULL\n")
    with pytest.raises(BadInputError):
        collect(tmp_path / "scratch", skip_bad=skip_bad, speed21=root)


def test_a_bad_file_leaves_no_trace_in_the_frames(
    copy_tree: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A heatmap fault shows only after the first frames of the video have been laid down."""
    monkeypatch.setattr(climbalong, "_BLOCK", 8)
    root = copy_tree("climbalong")
    damage_heatmap(root, "climb_02", 20)
    skipping = collect(tmp_path / "a", skip_bad=True, climbalong=root)
    assert [(s.item, "at frame 20" in s.reason) for s in skipping.skipped] == [("climbalong/climb_02", True)]
    for folder in ("input", "target"):
        (root / folder / "climb_02.npz").unlink()
    without = collect(tmp_path / "b", climbalong=root)
    assert skipping.entries == without.entries
    assert (skipping.annotated, skipping.empty) == (without.annotated, without.empty)
    for name in ("points", "boxes", "torso", "frame_number", "shot", "heatmaps"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def damage_heatmap(root: Path, name: str, frame: int) -> None:
    path = root / "input" / f"{name}.npz"
    with np.load(path) as archive:
        arrays = dict(archive)
    arrays["heatmaps"][frame, 3, 4, 5] = np.nan
    np.savez(path, **arrays)


def test_too_few_heatmaps_never_become_zeros(
    copy_tree: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first video claims more heatmaps than it has; the second is bad and takes its own frames back."""
    monkeypatch.setattr(climbalong, "_BLOCK", 8)
    root = copy_tree("climbalong")
    path = root / "input" / "climb_01.npz"
    cut_member(path, "heatmaps.npy", 2 * 25 * 56 * 56 * 4)
    damage_heatmap(root, "climb_02", 0)
    found = collect(tmp_path / "scratch", skip_bad=True, climbalong=root)
    assert {s.item for s in found.skipped} == {"climbalong/climb_01", "climbalong/climb_02"}


def cut_member(path: Path, member: str, count: int) -> None:
    """Write the archive again, whole, with the last bytes of one array gone."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members[member] = members[member][:-count]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((36, 25, 64, 64), r"expected blocks \(n, 25, 56, 56\), found \(36, 25, 64, 64\)"),
        ((36, 17, 56, 56), r"expected blocks \(n, 25, 56, 56\), found \(36, 17, 56, 56\)"),
        ((35, 25, 56, 56), "expected 36 frames, found 35"),
        ((37, 25, 56, 56), "expected 36 frames, found more"),
    ],
)
def test_heatmaps_of_another_shape_are_refused(
    shape: tuple[int, ...], words: str, raw_trees: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a format of another package may give them."""
    monkeypatch.setattr(climbalong, "_heatmap_blocks", lambda path: iter([np.zeros(shape, np.float32)]))
    with pytest.raises(BadInputError, match=rf"^climbalong/climb_01: heatmaps: {words}$"):
        collect(tmp_path, climbalong=raw_trees["climbalong"])


def test_sources_of_several_rates_are_laid_down_at_one(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    usual = collect(tmp_path / "a", speed21=raw_trees["speed21"])
    made = collect(tmp_path / "b", fps=20, speed21=raw_trees["speed21"])
    assert len({e.fps for e in usual.entries}) > 1
    assert {e.fps for e in made.entries} == {20.0}
    for one, other in zip(usual.entries, made.entries, strict=True):
        assert one.key == other.key
        assert other.length == pytest.approx(one.length * 20 / one.fps, abs=1)


def test_sources_of_unknown_rate_are_refused_or_left_out_one_by_one(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"penn_action/0001: fps: expected a known frame rate"):
        collect(tmp_path / "a", fps=20, penn_action=raw_trees["penn_action"])
    with pytest.raises(BadInputError, match="at least one good sequence"):
        collect(tmp_path / "b", skip_bad=True, fps=20, penn_action=raw_trees["penn_action"])
