"""Every rule finds what was put there, where it was put, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.derive.stores import make_store, merge
from posedata.stats import doubts, tables
from posedata.stats.doubts import _percent
from posedata.stats.report import describe
from posedata.store.reader import Store, open_store

from .conftest import Runs, walking

Build = Callable[..., Store]

LEFT_WRIST, HIPS, SHOULDERS = 15, [2, 3], [12, 13]
SWAPPED = [5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10]
ALWAYS = {"never_annotated"}
"""SPEED21 has no nose."""


def minded(store: Store) -> dict[str, dict[str, Any]]:
    found = describe(store)["mind"]
    assert all(set(doubt) == {"name", "what", "count", "which", "rule", "why"} for doubt in found)
    return {doubt["name"]: doubt for doubt in found}


def test_people_who_walk_raise_no_doubt(build: Build) -> None:
    found = minded(build(walking()))
    assert set(found) == ALWAYS
    never = found["never_annotated"]
    assert (never["count"], never["which"][0]) == (13, "nose")


def freeze(runs: Runs) -> None:
    runs["run07"][2:7] = runs["run07"][2]


def jump(runs: Runs) -> None:
    runs["run07"][4, LEFT_WRIST, 0] += 80


def swap(runs: Runs) -> None:
    runs["run07"][4:] = runs["run07"][4:, SWAPPED]


def grow(runs: Runs) -> None:
    """Frames 4 on show only an arm."""
    runs["run07"][4:, :13] = np.nan


def shrink(runs: Runs) -> None:
    runs["run07"] *= 0.2


def hide_shoulders(runs: Runs) -> None:
    runs["run07"][4:6, SHOULDERS] = np.nan


def hide_all(runs: Runs) -> None:
    runs["run07"][4:6] = np.nan


def hide_often(runs: Runs) -> None:
    for run in runs.values():
        run[3:, LEFT_WRIST] = np.nan


def bend(runs: Runs) -> None:
    """A torso of 2 px in a box of 240."""
    runs["run07"][:, SHOULDERS] = runs["run07"][:, HIPS] + (2, 0)


def copy(runs: Runs) -> None:
    runs["run08"] = runs["run07"].copy()


def cut_short(runs: Runs) -> None:
    runs["run07"] = runs["run07"][:4]


@pytest.mark.parametrize(
    ("damage", "name", "count", "which"),
    [
        (freeze, "frozen", 5, "speed21/run07 (5)"),
        (jump, "jumps", 2, "speed21/run07 (2)"),  # there and back
        (swap, "swaps", 1, "speed21/run07 (1)"),
        (grow, "box_jumps", 1, "speed21/run07 (1)"),
        (shrink, "small_box", 10, "speed21/run07 (10)"),
        (hide_shoulders, "no_torso", 2, "speed21/run07 (2)"),
        (hide_all, "empty", 2, "speed21/run07 (2)"),
        (hide_often, "rarely_annotated", 1, "left_wrist (30.0 %)"),
        (bend, "short_torso", 10, "speed21/run07 (10)"),
        (copy, "duplicates", 1, "speed21/run07 = speed21/run08"),
        (cut_short, "no_window", 1, "speed21/run07"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_a_rule_finds_what_it_is_for(
    damage: Callable[[Runs], None], name: str, count: int, which: str, build: Build
) -> None:
    runs = walking()
    damage(runs)
    found = minded(build(runs))
    assert found[name]["count"] == count
    assert found[name]["which"] == (which,)
    # An arm alone has no torso, and its box is small; all else is found by one rule alone.
    assert set(found) - ALWAYS - {name} <= ({"no_torso", "small_box"} if damage is grow else set())


@pytest.mark.parametrize(
    ("part", "share"), [(1, "0.17 %"), (200, "33 %"), (594, "99 %"), (599, "over 99 %"), (600, "100 %")]
)
def test_shares_are_rounded_but_never_to_all(part: int, share: str) -> None:
    assert _percent(part, 600) == share


def test_steps_are_told_as_a_share_of_steps(build: Build) -> None:
    """10 frames have 9 steps."""
    runs = walking()
    jump(runs)
    share = f"{100 * 2 / (9 * len(runs)):.2g} %"
    assert f"steps in which a keypoint jumps: 2 ({share}), in 1 of" in minded(build(runs))["jumps"]["what"]


def test_a_detector_s_box_in_which_nobody_was_annotated(
    copy_tree: Callable[[str], Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    """Such a frame has keypoints in none, and is no frame without a torso."""
    raw = copy_tree("climbalong")
    path = raw / "target" / "climb_01.npz"
    keypoints = np.load(path)["keypoints"]
    boxed = np.flatnonzero(~np.isnan(np.load(raw / "input" / path.name)["bboxes"][:, 0]))[:5]
    keypoints[boxed] = np.nan
    np.savez(path, keypoints=keypoints)
    recipe = Recipe(datasets=(Selection(dataset="climbalong"),), noise=None, split="held-out")
    build_store(recipe, {"climbalong": raw}, tmp_path / "c.zarr")
    before, after = (minded(open_store(store)) for store in (stores["climbalong"], tmp_path / "c.zarr"))
    assert "unannotated" not in before
    assert after["unannotated"]["which"] == ("climbalong/climb_01 (5)",)
    assert before.get("no_torso") == after.get("no_torso")


def test_who_begins_as_another_ended_is_not_frozen(build: Build) -> None:
    """Three frames of the one and three of the other, in which nothing moves."""
    runs = walking()
    runs["run07"][7:] = runs["run08"][:3] = runs["run08"][0]
    assert set(minded(build(runs))) == ALWAYS


def test_duplicates_across_splits_are_told_apart(build: Build) -> None:
    store = build({name: poses for name, poses in walking(12).items() for name in (name, f"{name}again")})
    found = minded(store)["duplicates"]
    by_sequence = store["split"][store["sequence_start"]]
    across = int((by_sequence[::2] != by_sequence[1::2]).sum())
    assert 0 < across < 12
    assert found["what"] == f"12 groups of sequences with the same points, {across} of them across splits"


def test_sequences_that_show_nobody_are_no_duplicates(build: Build) -> None:
    """One keypoint makes no box."""
    runs = walking()
    for name in ("run07", "run08"):
        runs[name][:, 1:] = np.nan
    found = minded(build(runs))
    assert set(found) == ALWAYS | {"empty"}
    assert found["empty"]["which"] == ("speed21/run07 (10)", "speed21/run08 (10)")


def test_one_video_leaves_splits_empty(build: Build) -> None:
    found = minded(build(walking(), videos=lambda name: "one"))
    assert set(found) == ALWAYS | {"empty_splits"}
    assert found["empty_splits"]["which"] == ("validation", "test")


def test_few_videos_are_told(build: Build) -> None:
    found = minded(build(walking(), videos=lambda name: name[-1]))
    assert set(found) == ALWAYS | {"few_videos"}
    assert found["few_videos"]["which"] == ("speed21: test (2)", "speed21: validation (2)")


def test_synthetic_data_and_shared_videos(stores: dict[str, Path]) -> None:
    """The held-out split deals windows of one video to all three splits."""
    found = minded(open_store(stores["climbalong"]))
    assert found["synthetic"]["count"] == 4
    assert found["shared_videos"]["which"]
    assert found["empty_splits"]["which"] == ("validation at frame step 2", "test at frame step 2")
    assert "shared_videos" not in minded(open_store(stores["brace"]))


@pytest.mark.parametrize("k", [0.25, 1.0, 3.0])
def test_k_is_measured(k: float, build: Build) -> None:
    store = build(walking(), k=k)
    noise = describe(store)["noise"]
    assert noise["k_measured"] == pytest.approx(k, rel=0.05)
    assert noise["shift_std_measured"] == pytest.approx(noise["shift_std"], rel=0.05)


def test_keypoints_that_make_their_box_do_not_count_for_k(build: Build) -> None:
    """Where three are shown, most do, at one place in a cell; all together would tell of a tenth more."""
    runs = walking()
    for run in runs.values():
        run[:, [joint for joint in range(16) if joint not in (HIPS[0], *SHOULDERS)]] = np.nan
    assert describe(build(runs, k=0.1))["noise"]["k_measured"] == pytest.approx(0.1, rel=0.05)


def test_another_k_than_the_recipes_is_minded(build: Build) -> None:
    store = build(walking())
    measured = store.attributes["measured"] | {"shift_std": store.attributes["measured"]["shift_std"] * 0.8}
    found = minded(replace(store, attributes={**store.attributes, "measured": measured}))
    assert set(found) == ALWAYS | {"noise"}
    assert "as with k 1.2" in found["noise"]["what"]


def test_no_k_is_measured_without_shifts(build: Build) -> None:
    noise = describe(build(walking(), k=0.0))["noise"]
    assert noise == {"k": 0.0, "k_measured": None, "shift_std": 0.0, "shift_std_measured": None}


def test_no_k_is_measured_of_stores_that_were_shifted_differently(
    raw_trees: dict[str, Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    recipe = Recipe(datasets=(Selection(dataset="penn_action"),), noise=Noise(k=2))
    build_store(recipe, raw_trees, tmp_path / "penn.zarr")
    make_store(merge([stores["brace"], tmp_path / "penn.zarr"]), tmp_path / "s.zarr")
    told = describe(open_store(tmp_path / "s.zarr"))
    assert told["noise"] == {"k": None, "k_measured": None, "shift_std": None, "shift_std_measured": None}
    assert tables.noise(told) == "k mixed: shift std mixed"
    assert "noise" not in {doubt["name"] for doubt in told["mind"]}


def test_stores_of_different_k_may_be_shifted_alike(build: Build) -> None:
    store = build(walking())
    recipe = store.attributes["recipe"] | {"noise": store.attributes["recipe"]["noise"] | {"k": None}}
    measured = store.attributes["measured"] | {"shift_std": store.attributes["measured"]["shift_std"] * 0.8}
    told = describe(replace(store, attributes={**store.attributes, "recipe": recipe, "measured": measured}))
    assert told["noise"]["k_measured"] is None
    assert tables.noise(told).endswith(f"; measured {told['noise']['shift_std_measured']:.4f}")
    (doubt,) = (doubt for doubt in told["mind"] if doubt["name"] == "noise")
    assert doubt["what"].endswith(f" px, not by {measured['shift_std']:.3f}")


def test_datasets_are_told_apart(raw_trees: dict[str, Path], tmp_path: Path) -> None:
    """Both synthetic trees have frames that show nobody, each its own."""
    names = ("brace", "penn_action")
    recipe = Recipe(datasets=tuple(Selection(dataset=name) for name in names))
    build_store(recipe, {name: raw_trees[name] for name in names}, tmp_path / "s.zarr")
    store = open_store(tmp_path / "s.zarr")
    empty = np.isnan(store["box"][:, 0])
    of_frame = store["sequence_dataset"].astype(str)[store.frame_sequence]
    told = {doubt["what"].partition(":")[0]: doubt for doubt in describe(store)["mind"] if doubt["name"] == "empty"}
    assert {name: doubt["count"] for name, doubt in told.items()} == {
        name: count for name in names if (count := int(empty[of_frame == name].sum()))
    }
    for name, doubt in told.items():
        assert all(which.startswith(f"{name}/") for which in doubt["which"])


def test_names_come_worst_first_and_are_few() -> None:
    names = [f"n{i}" for i in range(9)]
    found = doubts._worst(names, np.asarray([0, 3, 3, 9, 1, 1, 1, 1, 0]))
    assert found == ("n3 (9)", "n1 (3)", "n2 (3)", "n4 (1)", "n5 (1)")
