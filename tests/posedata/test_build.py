"""Raw files to stores: the same bytes from every way of working, and nothing half-made."""

import csv
import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import zarr

from posedata import assemble, shards
from posedata.assemble import report
from posedata.build import build_store, dry_run
from posedata.config import Noise, Recipe, Selection
from posedata.errors import BadInputError, ChoiceError, ConflictError, IntegrityError, ResourceError
from posedata.geometry import to_grid, to_pixels
from posedata.manifest import Manifest, read_manifest
from posedata.store import digest, schema
from posedata.store.opened import verify
from posedata.store.reader import Store, open_store

NAMES = ("brace", "climbalong", "keypoints", "penn_action", "speed21")
NOISY = ("brace", "keypoints", "penn_action", "speed21")
INFO_KEYS = {
    "store",
    "kind",
    "frames",
    "sequences",
    "windows_total",
    "windows",
    "annotated_keypoints",
    "empty_frames",
    "skipped",
    "mean_torso_diameter",
    "shift_std",
    "bytes",
    "content_digest",
}


def recipe(*names: str, **other: Any) -> Recipe:
    detected = names == ("climbalong",)
    usual: dict[str, Any] = {"noise": None, "split": "held-out"} if detected else {}
    return Recipe(datasets=tuple(Selection(dataset=name) for name in names), **(usual | other))


def make(raw: dict[str, Path], out: Path, *names: str, workers: int = 1, **other: Any) -> Store:
    build_store(recipe(*names, **other), raw, out, workers=workers)
    return open_store(out)


def arrays(group: zarr.Group) -> dict[str, np.ndarray[Any, Any]]:
    return {name: np.asarray(array[...]) for name, array in group.arrays()}


def assert_same_arrays(one: zarr.Group, two: zarr.Group) -> None:
    first, second = arrays(one), arrays(two)
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> int:
    """64 frames a shard, so that a sample has many and its sequences of 37 or 40 frames lie across their borders."""
    for module in (schema, digest):
        monkeypatch.setattr(module, "SHARD_FRAMES", 64)
    return 64


def damage(root: Path) -> str:
    """Spoil one raw file of a SPEED21 tree; returns its item."""
    path = sorted((root / "skeletons").iterdir())[3]
    path.write_text("not a pose\n")
    return f"speed21/{path.stem}"


def listing(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_two_builds_with_one_and_two_workers_are_the_same_bytes(
    name: str, raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    again = make(raw_trees, tmp_path / "again.zarr", name, workers=2)
    assert again.manifest.content_digest == open_store(stores[name]).manifest.content_digest
    assert (again.path / "manifest.json").read_bytes() == (stores[name] / "manifest.json").read_bytes()


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("name", ["brace", "climbalong"])
def test_many_shards_hold_the_same_arrays_as_one(
    name: str, raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    one = make(raw_trees, tmp_path / "one.zarr", name, workers=1)
    two = make(raw_trees, tmp_path / "two.zarr", name, workers=2)
    shards = [p for p in (one.path / "target_heatmaps" / "c").iterdir() if p.name.isdecimal()]
    assert len(shards) == -(-len(one) // 64) > 1
    assert (one.path / "manifest.json").read_bytes() == (two.path / "manifest.json").read_bytes()
    assert verify(two.path) == (len(two.manifest.files), [])
    # A reader that expects small shards would refuse it.
    assert_same_arrays(zarr.open_group(one.path, mode="r"), zarr.open_group(stores[name], mode="r"))
    assert one.manifest.content_digest == read_manifest(stores[name]).content_digest


def test_other_seeds_give_other_noise_and_the_same_targets(
    raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    one, other = open_store(stores["brace"]), make(raw_trees, tmp_path / "a.zarr", "brace", seed=1)
    assert one.manifest.content_digest != other.manifest.content_digest
    np.testing.assert_array_equal(one["target_points"], other["target_points"])
    assert (one["input_cells"] != other["input_cells"]).mean() > 0.2
    assert (one["input_sigma"] != other["input_sigma"]).mean() > 0.5


def test_k_1_and_2_share_their_draws(raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path) -> None:
    one, two = open_store(stores["brace"]), make(raw_trees, tmp_path / "a.zarr", "brace", noise=Noise(k=2))
    np.testing.assert_array_equal(one["input_sigma"], two["input_sigma"])
    np.testing.assert_array_equal(one["target_points"], two["target_points"])
    u, c1, c2 = (a.astype(np.float64) for a in (one["target_points"], one["input_cells"], two["input_cells"]))
    free = (c1 > 0) & (c1 < 55) & (c2 > 0) & (c2 < 55)
    assert free.sum() > 5000
    # The shift of k = 1 lies in [c1 - u, c1 - u + 1), so twice that puts u + 2 s in [2 c1 - u, 2 c1 - u + 2).
    assert (c2 >= np.floor(2 * c1 - u - 1e-3))[free].all()
    assert (c2 <= 2 * c1 - u + 2 + 1e-3)[free].all()


def test_k_0_shifts_nothing(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    store = make(raw_trees, tmp_path / "a.zarr", "brace", noise=Noise(k=0))
    np.testing.assert_array_equal(store["input_cells"], store["target_cells"])


def test_shifts_have_the_standard_deviation_of_the_report(stores: dict[str, Path]) -> None:
    store = open_store(stores["brace"])
    measured = store.manifest.summary["measured"]
    assert measured["shift_std"] == pytest.approx(0.2 * measured["mean_torso_diameter"], rel=1e-12)
    centres = store["target_points"]
    central = ((centres > 20) & (centres < 36)).all(axis=-1)
    shift = (store["input_cells"] + 0.5 - centres)[central]
    assert len(shift) > 1000
    # Rounding to cells adds 1/12 to the variance.
    assert shift.std() == pytest.approx(np.hypot(measured["shift_std"], 12**-0.5), rel=0.05)
    assert abs(shift.mean()) < 0.2


@pytest.mark.parametrize("name", NAMES)
def test_missing_keypoints_are_missing_everywhere_alike(name: str, stores: dict[str, Path]) -> None:
    store = open_store(stores[name])
    annotated = store["annotated"]
    assert 0 < annotated.sum() < annotated.size
    assert annotated.sum() == store.manifest.summary["counts"]["annotated_keypoints"]
    np.testing.assert_array_equal(annotated, (store["target_cells"] >= 0).all(axis=-1))
    np.testing.assert_array_equal(~annotated, (store["target_cells"] == -1).all(axis=-1))
    np.testing.assert_array_equal(~annotated, np.isnan(store["target_points"]).all(axis=-1))
    np.testing.assert_array_equal(~annotated, np.isnan(store["target_points"]).any(axis=-1))
    np.testing.assert_array_equal(annotated, store["target_heatmaps"].any(axis=(2, 3)))
    if name in NOISY:
        np.testing.assert_array_equal(annotated, (store["input_cells"] >= 0).all(axis=-1))
        np.testing.assert_array_equal(~annotated, (store["input_cells"] == -1).all(axis=-1))
        np.testing.assert_array_equal(annotated, store["input_heatmaps"].any(axis=(2, 3)))
    empty = np.isnan(store["box"]).any(axis=1)
    assert empty.sum() == store.manifest.summary["counts"]["empty_frames"] > 0
    assert not annotated[empty].any()
    assert not store["input_heatmaps"][empty].any()


@pytest.mark.parametrize("name", NAMES)
def test_annotated_points_lie_in_their_cells(name: str, stores: dict[str, Path]) -> None:
    store = open_store(stores[name])
    points, cells = store["target_points"][store["annotated"]], store["target_cells"][store["annotated"]]
    assert (points >= 0).all()
    assert (points <= 56).all()
    # Points are stored in float32, so one just below a border may be told to lie on it.
    assert (points >= cells - 1e-4).all()
    assert (points <= cells + 1 + 1e-4).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_report_has_the_keys_that_scripts_rely_on(name: str, raw_trees: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "a.zarr"
    built = build_store(recipe(name), raw_trees, out)
    told = report(out, open_store(out).manifest)
    assert told.keys() >= INFO_KEYS
    assert built.keys() == told.keys() | {"seconds"}
    assert {k: v for k, v in built.items() if k != "seconds"} == told
    assert json.loads(json.dumps(built, allow_nan=False)) == built
    assert built["kind"] == "temporal-heatmaps"
    assert built["windows"].keys() == {"train", "validation", "test", "held_out"}
    assert built["bytes"] == sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    assert all(item.keys() == {"item", "reason"} for item in built["skipped"])
    store = open_store(out)
    assert (built["frames"], built["sequences"]) == (len(store), len(store["sequence_name"]))
    assert built["windows"] == {split: len(store.windows(split)) for split in built["windows"]}
    if name == "climbalong":
        assert built["shift_std"] is None


def test_windows_total_is_all_windows_at_step_1(raw_trees: dict[str, Path]) -> None:
    # Six runs of 40 frames, and six whose ends lose three.
    assert dry_run(recipe("speed21"), raw_trees, Path("a"))["windows_total"] == 6 * 36 + 6 * 33


def test_a_synthetic_source_marks_the_store(copy_tree: Callable[[str], Path], tmp_path: Path) -> None:
    root = copy_tree("speed21")
    for mark in (True, False):
        if not mark:
            (root / "SYNTHETIC.txt").unlink()
        store = make({"speed21": root}, tmp_path / f"{mark}.zarr", "speed21")
        assert store.attributes["synthetic"] is mark
        assert store.manifest.summary["synthetic"] is mark


def test_one_synthetic_source_of_two_marks_the_store(
    copy_tree: Callable[[str], Path], raw_trees: dict[str, Path], tmp_path: Path
) -> None:
    root = copy_tree("speed21")
    (root / "SYNTHETIC.txt").unlink()
    trees = {"penn_action": raw_trees["penn_action"], "speed21": root}
    assert make(trees, tmp_path / "a.zarr", "penn_action", "speed21").attributes["synthetic"] is True


def test_a_bad_file_stops_the_build_and_leaves_nothing(copy_tree: Callable[[str], Path], tmp_path: Path) -> None:
    root = copy_tree("speed21")
    item = damage(root)
    folder = tmp_path / "stores"
    folder.mkdir()
    with pytest.raises(BadInputError, match=item.partition("/")[2]):
        build_store(recipe("speed21"), {"speed21": root}, folder / "a.zarr")
    assert listing(folder) == set()


def test_skip_bad_lists_what_it_left_out_and_builds_the_rest(copy_tree: Callable[[str], Path], tmp_path: Path) -> None:
    root = copy_tree("speed21")
    item = damage(root)
    told = build_store(recipe("speed21"), {"speed21": root}, tmp_path / "a.zarr", skip_bad=True)
    store = open_store(tmp_path / "a.zarr")
    for skipped in (told["skipped"], [s.model_dump() for s in store.manifest.skipped]):
        (reason,) = [s["reason"] for s in skipped if s["item"] == item]
        assert "line 1" in reason
    assert told["sequences"] == 11
    assert item.partition("/")[2] not in store["sequence_name"]
    # The rest is what a tree without the file gives.
    (root / "skeletons" / f"{item.partition('/')[2]}.data").unlink()
    rest = make({"speed21": root}, tmp_path / "b.zarr", "speed21")
    assert rest.manifest.content_digest == store.manifest.content_digest


def damage_heatmap(root: Path, name: str, frame: int) -> None:
    path = root / "input" / f"{name}.npz"
    with np.load(path) as archive:
        members = dict(archive)
    members["heatmaps"][frame, 3, 4, 5] = np.inf
    np.savez(path, **members)


def test_a_heatmap_fault_in_mid_file_is_skipped_whole(copy_tree: Callable[[str], Path], tmp_path: Path) -> None:
    root = copy_tree("climbalong")
    damage_heatmap(root, "climb_03", 15)
    with pytest.raises(BadInputError, match=r"climb_03.*frame 15"):
        build_store(recipe("climbalong"), {"climbalong": root}, tmp_path / "a.zarr")
    assert listing(tmp_path) == {"raw"}
    told = build_store(recipe("climbalong"), {"climbalong": root}, tmp_path / "a.zarr", skip_bad=True)
    assert [(s["item"], "frame 15" in s["reason"]) for s in told["skipped"]] == [("climbalong/climb_03", True)]
    assert told["frames"] == 36 + 24 + 24
    for folder in ("input", "target"):
        (root / folder / "climb_03.npz").unlink()
    rest = make({"climbalong": root}, tmp_path / "b.zarr", "climbalong")
    assert rest.manifest.content_digest == told["content_digest"]


def test_too_few_heatmaps_in_the_last_video_are_bad_input(copy_tree: Callable[[str], Path], tmp_path: Path) -> None:
    root = copy_tree("climbalong")
    path = root / "input" / "climb_04.npz"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["heatmaps.npy"] = members["heatmaps.npy"][: -2 * 25 * 56 * 56 * 4]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(BadInputError, match=r"climb_04.*heatmaps"):
        build_store(recipe("climbalong"), {"climbalong": root}, tmp_path / "a.zarr")


def test_two_datasets_share_a_store(raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path) -> None:
    store = make(raw_trees, tmp_path / "a.zarr", "brace", "speed21")
    brace, speed21 = open_store(stores["brace"]), open_store(stores["speed21"])
    assert store["sequence_dataset"].tolist() == ["brace"] * 12 + ["speed21"] * 12
    for name in ("target_points", "frame_number", "input_sigma", "shot"):
        np.testing.assert_array_equal(store[name], np.concatenate([brace[name], speed21[name]]), err_msg=name)
    # Splits are dealt per dataset, so company changes nothing.
    np.testing.assert_array_equal(store["split"], np.concatenate([brace["split"], speed21["split"]]))
    assert store.attributes["licences"].keys() == {"brace", "speed21"}


def test_a_detector_and_noise_do_not_mix(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=r"climbalong.*two stores"):
        build_store(recipe("brace", "climbalong"), raw_trees, tmp_path / "a.zarr")
    assert listing(tmp_path) == set()


def test_a_detectors_heatmaps_cannot_be_resampled(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    for run in (build_store, dry_run):
        with pytest.raises(ChoiceError, match=r"--fps: .*climbalong.* cannot be resampled"):
            run(recipe("climbalong", fps=25.0), raw_trees, tmp_path / "a.zarr")
    assert listing(tmp_path) == set()


def test_a_resampled_store_says_so_and_lies_on_the_lines_of_the_other(
    raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    store, usual = make(raw_trees, tmp_path / "a.zarr", "speed21", fps=10.0), open_store(stores["speed21"])
    assert store.attributes["recipe"]["fps"] == 10.0
    assert "fps" not in usual.attributes["recipe"]
    assert set(store["sequence_fps"].tolist()) == {10.0}
    assert verify(store.path) == (len(store.manifest.files), [])
    # Sources at 30 and 50 frames a second have a frame at every time k / 10: its row is the source's.
    for s in np.flatnonzero(usual["sequence_fps"] != 25):
        step = int(usual["sequence_fps"][s]) // 10
        rows, own = (
            slice(x["sequence_start"][s], x["sequence_start"][s] + x["sequence_length"][s]) for x in (usual, store)
        )
        taken = usual["frame_number"][rows] % step == 0
        assert taken.sum() > 5
        np.testing.assert_array_equal(store["frame_number"][own] * step, usual["frame_number"][rows][taken])
        np.testing.assert_array_equal(store["target_points"][own], usual["target_points"][rows][taken])


def test_a_detectors_boxes_are_not_jittered(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    for run in (build_store, dry_run):
        with pytest.raises(ChoiceError, match=r"--box-jitter: .*climbalong are a detector's"):
            run(recipe("climbalong", box_jitter=0.05), raw_trees, tmp_path / "a.zarr")
    assert listing(tmp_path) == set()


@pytest.mark.parametrize("name", NOISY)
def test_a_box_jitter_of_zero_is_none(
    name: str, raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    store = make(raw_trees, tmp_path / "a.zarr", name, box_jitter=0.0)
    assert "box_jitter" not in store.attributes["recipe"]
    assert (store.path / "manifest.json").read_bytes() == (stores[name] / "manifest.json").read_bytes()


def test_a_jittered_store_shows_the_same_people_in_other_boxes(
    raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    store, usual = make(raw_trees, tmp_path / "a.zarr", "brace", box_jitter=0.1), open_store(stores["brace"])
    boxes, true = (s["box"].astype(np.float64) for s in (store, usual))
    np.testing.assert_array_equal(np.isnan(boxes), np.isnan(true))
    np.testing.assert_array_equal(store["annotated"], usual["annotated"])

    # Where the true position is in the new box, or the border point that is next to it.
    expected = to_grid(to_pixels(usual["target_points"].astype(np.float64), true), boxes)
    np.testing.assert_allclose(store["target_points"], np.clip(expected, 0, 56), atol=1e-3)
    outside = int(((expected < 0) | (expected > 56)).any(axis=-1).sum())
    moved = re.compile(r"(\d+) targets outside the box: moved to its border")
    counts = [int(found[1]) for s in store.manifest.skipped if (found := moved.fullmatch(s.reason))]
    assert sum(counts) == outside > 100
    (warning,) = (w for w in store.manifest.warnings if "jitter" in w)
    assert warning.startswith(f"--box-jitter 0.1 moved {outside:,} of {int(store['annotated'].sum()):,} keypoints")

    off = np.concatenate([((boxes[:, i] + boxes[:, i + 2]) / 2 - (true[:, i] + true[:, i + 2]) / 2) for i in (0, 1)])
    shares = off / np.tile(true[:, 2] - true[:, 0], 2)
    assert np.nanstd(shares) == pytest.approx(0.1, rel=0.15)
    assert verify(store.path) == (len(store.manifest.files), [])


@pytest.mark.usefixtures("small_shards")
def test_a_jittered_store_depends_neither_on_workers_nor_on_other_datasets(
    raw_trees: dict[str, Path], tmp_path: Path
) -> None:
    one = make(raw_trees, tmp_path / "one.zarr", "brace", "speed21", box_jitter=0.05)
    two = make(raw_trees, tmp_path / "two.zarr", "brace", "speed21", box_jitter=0.05, workers=2)
    assert (one.path / "manifest.json").read_bytes() == (two.path / "manifest.json").read_bytes()
    alone = make(raw_trees, tmp_path / "alone.zarr", "speed21", box_jitter=0.05)
    for name in ("box", "target_points"):
        np.testing.assert_array_equal(one[name][-len(alone) :], alone[name])


def test_one_box_a_sequence_shows_the_same_people_smaller(
    raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    store = make(raw_trees, tmp_path / "a.zarr", "speed21", box_span="sequence")
    usual = open_store(stores["speed21"])
    boxes = store["box"].astype(np.float64)
    shots = store.frame_sequence * 1000 + store["shot"]
    for shot in np.unique(shots):
        there = boxes[(shots == shot) & ~np.isnan(boxes[:, 0])]
        assert (there == there[0]).all()
    there, own = (to_pixels(s["target_points"].astype(np.float64), s["box"].astype(np.float64)) for s in (store, usual))
    np.testing.assert_allclose(there, own, atol=0.02)
    sizes = [s.attributes["measured"]["mean_torso_diameter"] for s in (store, usual)]
    assert sizes[0] < 0.9 * sizes[1]
    assert store.attributes["rendering"]["box"].startswith("one for all frames of a shot, squared")


@pytest.mark.parametrize(("name", "noise"), [("brace", None), ("climbalong", Noise())])
def test_noise_is_for_annotations_and_only_for_them(
    name: str, noise: Noise | None, raw_trees: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(ChoiceError, match="noise"):
        build_store(recipe(name, noise=noise), raw_trees, tmp_path / "a.zarr")


def test_the_official_split_warns_of_shared_videos(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    told = build_store(recipe("brace", split="official"), raw_trees, tmp_path / "a.zarr")
    # Twelve sequences, two a video, the last three test: one video has one on either side.
    assert any("1 videos" in warning for warning in told["warnings"])
    store = open_store(tmp_path / "a.zarr")
    assert set(np.unique(store["split"])) == {0, 2}
    assert told["windows"]["validation"] == 0


def test_the_official_split_of_penn_action_is_the_train_field(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    store = make(raw_trees, tmp_path / "a.zarr", "penn_action", split="official")
    # The sample's videos 0001, 0005 and 0009 have train = -1.
    starts = dict(zip(store["sequence_name"], store["sequence_start"], strict=True))
    assert sorted(n for n, start in starts.items() if store["split"][start] == 2) == ["0001", "0005", "0009"]
    assert store.manifest.warnings == ("no validation windows: --split official left none",)


def test_the_official_split_of_a_dataset_without_one_is_refused(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="speed21"):
        build_store(recipe("speed21", split="official"), raw_trees, tmp_path / "a.zarr")
    assert listing(tmp_path) == set()


@pytest.mark.parametrize("name", NOISY)
def test_no_video_is_in_two_splits(name: str, stores: dict[str, Path]) -> None:
    store = open_store(stores[name])
    seen: dict[str, set[int]] = {}
    for video, start, length in zip(
        store["sequence_video"], store["sequence_start"], store["sequence_length"], strict=True
    ):
        seen.setdefault(video, set()).update(store["split"][start : start + length].tolist())
    assert {len(splits) for splits in seen.values()} == {1}
    assert set.union(*seen.values()) == {0, 1, 2}


def test_the_longest_climb_is_held_out_whole(stores: dict[str, Path]) -> None:
    store = open_store(stores["climbalong"])
    assert store["sequence_length"].tolist() == [36, 24, 24, 24]
    assert (store["split"][:36] == 3).all()
    assert not (store["split"][36:] == 3).any()


def test_torso_sets_the_shift(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    told = build_store(recipe("brace", noise=Noise(k=3, torso=10)), raw_trees, tmp_path / "a.zarr")
    assert told["shift_std"] == pytest.approx(0.2 * 3 * 10)
    # What was measured is told all the same.
    assert told["mean_torso_diameter"] == dry_run(recipe("brace"), raw_trees, Path("x"))["mean_torso_diameter"] != 10


def test_a_tree_without_torsos_needs_one_given(tmp_path: Path) -> None:
    root = tmp_path / "raw"
    (root / "skeletons").mkdir(parents=True)
    joints = ";".join(["10,20", "30,90"] + ["nan,nan"] * 14)
    (root / "skeletons" / "r.data").write_text("\n".join(f"{t}#{joints}" for t in range(8)))
    (root / "metadata.txt").write_text("r;1;2;3;url;5;6;7;8;9;l;25\n")
    with pytest.raises(BadInputError, match="--torso"):
        build_store(recipe("speed21"), {"speed21": root}, tmp_path / "a.zarr")
    told = build_store(recipe("speed21", noise=Noise(torso=15)), {"speed21": root}, tmp_path / "a.zarr")
    assert (told["mean_torso_diameter"], told["shift_std"]) == (None, 3.0)


def test_sigma_per_frame_keypoint_and_sequence(
    raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    frame = open_store(stores["speed21"])
    keypoint = make(raw_trees, tmp_path / "k.zarr", "speed21", noise=Noise(sigma_per="keypoint"))
    sequence = make(raw_trees, tmp_path / "s.zarr", "speed21", noise=Noise(sigma_per="sequence"))
    everything = {1.0, 1.5, 2.0, 2.5, 3.0}
    assert set(frame["input_sigma"].tolist()) == set(keypoint["input_sigma"].ravel().tolist()) == everything
    assert frame["input_sigma"].shape == sequence["input_sigma"].shape == (len(frame),)
    assert keypoint["input_sigma"].shape == (len(frame), 25)
    assert len({len(set(row)) for row in keypoint["input_sigma"].tolist()} - {1}) > 0
    for start, length in zip(sequence["sequence_start"], sequence["sequence_length"], strict=True):
        assert len(set(sequence["input_sigma"][start : start + length].tolist())) == 1
        assert len(set(frame["input_sigma"][start : start + length].tolist())) > 1
    assert len(set(sequence["input_sigma"].tolist())) > 1
    np.testing.assert_array_equal(frame["input_cells"], keypoint["input_cells"])


def test_a_sigma_set_of_ones_own(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    store = make(raw_trees, tmp_path / "a.zarr", "speed21", noise=Noise(sigmas=(0.5, 4.0)))
    assert set(store["input_sigma"].tolist()) == {0.5, 4.0}


@pytest.mark.parametrize("name", NAMES)
def test_a_dry_run_writes_nothing_and_counts_the_same(
    name: str, raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    before = sorted(raw_trees[name].rglob("*"))
    told = dry_run(recipe(name), raw_trees, tmp_path / "a.zarr")
    assert listing(tmp_path) == set()
    assert sorted(raw_trees[name].rglob("*")) == before
    built = report(stores[name], open_store(stores[name]).manifest)
    differing = {"store", "bytes", "content_digest"}
    assert {k: v for k, v in told.items() if k not in differing | {"seconds"}} == {
        k: v for k, v in built.items() if k not in differing
    }
    assert told["bytes"] is told["content_digest"] is None


def test_what_stands_at_the_target_is_kept(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    first = make(raw_trees, tmp_path / "a.zarr", "speed21")
    before = (first.path / "manifest.json").read_bytes()
    with pytest.raises(ConflictError, match="overwrite"):
        build_store(recipe("speed21", seed=5), raw_trees, first.path)
    assert (first.path / "manifest.json").read_bytes() == before
    assert verify(first.path)[1] == []


def test_overwrite_replaces_a_store_but_nothing_else(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    first = make(raw_trees, path, "speed21").manifest
    told = build_store(recipe("speed21", seed=5), raw_trees, path, overwrite=True)
    assert told["content_digest"] != first.content_digest
    assert open_store(path).manifest.content_digest == told["content_digest"]
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter1").touch()
    with pytest.raises(ConflictError, match="thesis"):
        build_store(recipe("speed21"), raw_trees, tmp_path / "thesis", overwrite=True)
    assert listing(tmp_path) == {"a.zarr", "thesis"}
    assert listing(tmp_path / "thesis") == {"chapter1"}


def test_a_failed_overwrite_leaves_the_old_store(copy_tree: Callable[[str], Path], tmp_path: Path) -> None:
    root = copy_tree("speed21")
    path = tmp_path / "a.zarr"
    make({"speed21": root}, path, "speed21")
    damage(root)
    with pytest.raises(BadInputError):
        build_store(recipe("speed21"), {"speed21": root}, path, overwrite=True)
    assert listing(tmp_path) == {"a.zarr", "raw"}
    assert verify(path)[1] == []


def test_a_store_that_would_not_open_is_not_published(
    raw_trees: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = assemble.seal

    def sealed(folder: Path, *about: Any) -> Manifest:
        manifest = real(folder, *about)
        (folder / "box" / "zarr.json").write_bytes(b"{}")
        return manifest

    monkeypatch.setattr(assemble, "seal", sealed)
    with pytest.raises(IntegrityError, match=r"box/zarr\.json"):
        make(raw_trees, tmp_path / "a.zarr", "speed21")
    assert listing(tmp_path) == set()


def test_what_came_to_the_target_meanwhile_is_kept(
    raw_trees: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, path = assemble.seal, tmp_path / "a.zarr"

    def sealed(folder: Path, *about: Any) -> Manifest:
        path.mkdir()
        return real(folder, *about)

    monkeypatch.setattr(assemble, "seal", sealed)
    with pytest.raises(ConflictError, match=r"a\.zarr: expected no such path"):
        make(raw_trees, path, "speed21")
    assert listing(tmp_path) == {"a.zarr"}
    assert listing(path) == set()


@pytest.mark.parametrize("name", ["brace", "climbalong"])
def test_a_disk_without_room_is_told_before_frames_are_written(
    name: str, raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = len(open_store(stores[name]))
    least = 400 * frames
    assert least < report(stores[name], read_manifest(stores[name]))["bytes"]
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=least - 1))
    with pytest.raises(ResourceError, match=rf"expected {least:,} bytes of free space at least, found {least - 1:,}"):
        make(raw_trees, tmp_path / "a.zarr", name)
    assert listing(tmp_path) == set()


def test_what_a_killed_build_left_is_cleared(
    raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    left = tmp_path / ".a.zarr.building"
    (left / "spool").mkdir(parents=True)
    (left / "spool" / "points").write_bytes(b"left over")
    (left / "store").mkdir()
    (left / "store" / "manifest.json").write_text("{}")
    store = make(raw_trees, tmp_path / "a.zarr", "speed21")
    assert store.manifest == open_store(stores["speed21"]).manifest
    assert listing(tmp_path) == {"a.zarr"}


@pytest.mark.usefixtures("small_shards")
def test_folders_of_another_build_are_not_kept(cut: Path, raw_trees: dict[str, Path]) -> None:
    stray = cut.parent / ".a.zarr.building" / "store" / "input_sigma" / "c" / "0" / "0"
    (stray.parent.parent / "0").unlink(missing_ok=True)
    stray.mkdir(parents=True)
    make(raw_trees, cut, "brace", workers=1)
    assert verify(cut)[1] == []
    assert all(any(folder.iterdir()) for folder in cut.rglob("*") if folder.is_dir())


class Killed(BaseException):
    """Nobody catches it, and nobody cleans up."""


@pytest.fixture
def cut(raw_trees: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build of eight shards that was killed when four were finished; the target."""
    path = tmp_path / "a.zarr"
    with monkeypatch.context() as patch:
        real, stage = shards.Shards.frames, tmp_path / ".a.zarr.building"

        def frames(self: shards.Shards, shard: int) -> Any:
            if shard == 4:
                shutil.copytree(stage, tmp_path / "kept")
                raise Killed
            return real(self, shard)

        patch.setattr(shards.Shards, "frames", frames)
        with pytest.raises(Killed):
            build_store(recipe("brace"), {"brace": raw_trees["brace"]}, path, workers=1)
    (tmp_path / "kept").rename(stage)
    return path


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The shards that are written."""
    real, seen = shards.Shards.frames, []

    def frames(self: shards.Shards, shard: int) -> Any:
        seen.append(shard)
        return real(self, shard)

    monkeypatch.setattr(shards.Shards, "frames", frames)
    return seen


@pytest.mark.usefixtures("small_shards")
def test_a_killed_build_goes_on_behind_its_finished_shards(
    cut: Path, raw_trees: dict[str, Path], tmp_path: Path, written: list[int]
) -> None:
    store = make(raw_trees, cut, "brace", workers=1)
    assert written == [4, 5, 6, 7]
    whole = make(raw_trees, tmp_path / "whole.zarr", "brace")
    assert (cut / "manifest.json").read_bytes() == (whole.path / "manifest.json").read_bytes()
    assert verify(cut) == (len(store.manifest.files), [])
    assert listing(tmp_path) == {"a.zarr", "whole.zarr"}


@pytest.mark.usefixtures("small_shards")
def test_a_shard_that_was_damaged_since_is_written_again(
    cut: Path, raw_trees: dict[str, Path], tmp_path: Path, written: list[int]
) -> None:
    path = tmp_path / ".a.zarr.building" / "store" / "target_cells" / "c" / "2" / "0" / "0"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    make(raw_trees, cut, "brace", workers=1)
    assert written == [2, 4, 5, 6, 7]
    assert verify(cut)[1] == []


@pytest.mark.usefixtures("small_shards")
def test_nothing_of_another_recipe_is_kept(cut: Path, raw_trees: dict[str, Path], written: list[int]) -> None:
    make(raw_trees, cut, "brace", seed=1)
    assert written == list(range(8))
    assert verify(cut)[1] == []


@pytest.mark.usefixtures("small_shards")
def test_nothing_of_other_code_or_libraries_is_kept(
    cut: Path, raw_trees: dict[str, Path], written: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assemble, "versions", lambda: {"numpy": "0"})
    make(raw_trees, cut, "brace")
    assert written == list(range(8))


@pytest.mark.usefixtures("small_shards")
def test_nothing_of_other_raw_data_is_kept(cut: Path, copy_tree: Callable[[str], Path], written: list[int]) -> None:
    tree = copy_tree("brace")
    path = max(tree.rglob("*.json"))
    path.write_text(path.read_text() + " ")  # the same poses, other bytes
    build_store(recipe("brace"), {"brace": tree}, cut, workers=1)
    assert written == list(range(8))
    assert verify(cut)[1] == []


@pytest.mark.parametrize("name", NAMES)
def test_sources_are_in_the_store_and_paths_of_this_machine_are_not(name: str, stores: dict[str, Path]) -> None:
    text = (stores[name] / "sources.csv").read_text()
    paths = [row["path"] for row in csv.DictReader(text.splitlines())]
    assert len(set(paths)) == len(paths) >= 8
    text += (stores[name] / "manifest.json").read_text()
    assert str(stores[name].parent) not in text
    assert str(Path.home()) not in text
