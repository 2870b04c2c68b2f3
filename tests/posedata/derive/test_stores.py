"""Stores from stores: what was in the parents is in them, to the bit, and nothing is half-made."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from posedata.derive import stores as deriving
from posedata.derive.recipe import Kept
from posedata.derive.stores import dry_run, make_store, merge, subset
from posedata.errors import BadInputError, ChoiceError, ConflictError, IntegrityError
from posedata.manifest import read_manifest
from posedata.store.opened import verify
from posedata.store.reader import open_store

Build = Callable[..., Path]
Same = Callable[[Path, Path], None]

NAMES = ("brace", "climbalong", "penn_action", "speed21")


def names_of(store: Path) -> list[str]:
    return open_store(store)["sequence_name"].tolist()


def halves(store: Path, folder: Path, chosen: list[str], workers: int = 1) -> tuple[Path, Path]:
    """A store of some sequences, and one of all others."""
    make_store(subset(store, Kept(sequences=chosen)), folder / "some.zarr", workers=workers)  # type: ignore[arg-type]
    make_store(subset(store, Kept(exclude=chosen)), folder / "rest.zarr", workers=workers)  # type: ignore[arg-type]
    return folder / "some.zarr", folder / "rest.zarr"


@pytest.mark.parametrize("name", ["brace", "speed21"])
def test_a_dataset_taken_out_of_a_merge_is_what_it_was(
    name: str, stores: dict[str, Path], tmp_path: Path, assert_same: Same
) -> None:
    make_store(merge([stores["speed21"], stores["brace"]]), tmp_path / "both.zarr")
    make_store(subset(tmp_path / "both.zarr", Kept(datasets=(name,))), tmp_path / "one.zarr")
    assert_same(tmp_path / "one.zarr", stores[name])
    for path in (tmp_path / "both.zarr", tmp_path / "one.zarr"):
        assert verify(path) == (len(read_manifest(path).files), [])


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("name", ["brace", "climbalong"])
def test_two_halves_make_the_whole_again(name: str, build: Build, tmp_path: Path) -> None:
    whole = build("whole.zarr", name)
    names = names_of(whole)
    make_store(merge(halves(whole, tmp_path, names[::2])), tmp_path / "again.zarr", workers=2)
    # Not only the values: the files.
    listed = {file.path: file for file in read_manifest(whole).files}
    again = {file.path: file for file in read_manifest(tmp_path / "again.zarr").files}
    own = {"zarr.json", "README.md"}
    assert listed.keys() == again.keys()
    assert {path for path in listed if listed[path] != again[path]} <= own
    assert len(listed) > 40
    assert names_of(tmp_path / "some.zarr") == names[::2]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=st.sets(st.integers(0, 11), min_size=1, max_size=11))
def test_any_two_halves_make_the_whole_again(
    chosen: set[int], stores: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, assert_same: Same
) -> None:
    folder = tmp_path_factory.mktemp("halves")
    names = names_of(stores["penn_action"])
    some, rest = halves(stores["penn_action"], folder, [names[i] for i in chosen])
    make_store(merge([rest, some]), folder / "again.zarr")
    assert_same(folder / "again.zarr", stores["penn_action"])
    ours, whole = (open_store(p).manifest for p in (folder / "again.zarr", stores["penn_action"]))
    assert ours.summary["counts"] == whole.summary["counts"]
    assert ours.skipped == whole.skipped
    shutil.rmtree(folder)


def test_a_merge_of_builds_is_a_build_of_all(build: Build, assert_same: Same, tmp_path: Path) -> None:
    # With the torso given, the noise does not depend on what is built together.
    one, two = build("a.zarr", "brace", torso=15.0), build("b.zarr", "penn_action", torso=15.0)
    both = build("both.zarr", "brace", "penn_action", torso=15.0)
    told = make_store(merge([two, one]), tmp_path / "merged.zarr")
    assert_same(tmp_path / "merged.zarr", both)
    merged, built = open_store(tmp_path / "merged.zarr"), open_store(both)
    differing = {"recipe", "measured"}
    assert {k: v for k, v in merged.attributes.items() if k not in differing} == {
        k: v for k, v in built.attributes.items() if k not in differing
    }
    # From points in float32, so not to the last digit.
    mean, shift = (built.attributes["measured"][key] for key in ("mean_torso_diameter", "shift_std"))
    assert told["mean_torso_diameter"] == pytest.approx(mean, rel=1e-6)
    assert told["shift_std"] == shift == pytest.approx(3.0)
    assert merged.manifest.skipped == built.manifest.skipped != ()
    assert (merged.path / "sources.csv").read_bytes() == (built.path / "sources.csv").read_bytes()


def test_jittered_boxes_stay_and_both_halves_make_the_whole(build: Build, assert_same: Same, tmp_path: Path) -> None:
    both = build("both.zarr", "brace", "speed21", box_jitter=0.05)
    for name in ("brace", "speed21"):
        make_store(subset(both, Kept(datasets=(name,))), tmp_path / f"{name}.zarr")
    told = make_store(merge([tmp_path / "brace.zarr", tmp_path / "speed21.zarr"]), tmp_path / "merged.zarr")
    assert_same(tmp_path / "merged.zarr", both)
    assert told["recipe"]["box_jitter"] == 0.05
    assert open_store(tmp_path / "merged.zarr").manifest.skipped == open_store(both).manifest.skipped
    with pytest.raises(BadInputError, match=r"usual\.zarr: recipe\.box_jitter: expected 0\.05 as in .*found 0"):
        merge([tmp_path / "brace.zarr", build("usual.zarr", "speed21")])


@pytest.mark.usefixtures("small_shards")
@pytest.mark.parametrize("name", ["brace", "climbalong"])
def test_the_number_of_workers_does_not_show(name: str, build: Build, tmp_path: Path) -> None:
    store = build("a.zarr", name)
    kept = Kept(exclude=(names_of(store)[1],))
    for workers in (1, 3):
        make_store(subset(store, kept), tmp_path / f"{workers}.zarr", workers=workers)
    assert (tmp_path / "1.zarr/manifest.json").read_bytes() == (tmp_path / "3.zarr/manifest.json").read_bytes()
    assert verify(tmp_path / "3.zarr")[1] == []


@pytest.mark.parametrize("name", NAMES)
def test_windows_inputs_and_targets_of_a_sequence_stay(name: str, stores: dict[str, Path], tmp_path: Path) -> None:
    parent = open_store(stores[name])
    names = names_of(stores[name])[1::2]
    make_store(subset(stores[name], Kept(sequences=tuple(names))), tmp_path / "a.zarr")
    child = open_store(tmp_path / "a.zarr")
    assert child["sequence_start"].tolist() == (np.cumsum(child.lengths) - child.lengths).tolist()
    inside = np.isin(parent.frame_sequence, np.arange(1, len(parent.lengths), 2))
    moved = np.cumsum(inside) - 1
    for split in ("train", "validation", "test", "held_out"):
        windows = parent.windows(split)
        np.testing.assert_array_equal(child.windows(split), moved[windows[inside[windows]]])
    for array in ("input_heatmaps", "target_heatmaps", "target_points", "split", "box", "frame_number"):
        np.testing.assert_array_equal(child[array], parent[array][inside])
    assert child.manifest.summary["counts"]["frames"] == inside.sum()


def test_parents_with_other_noise_keep_theirs(build: Build, tmp_path: Path, assert_same: Same) -> None:
    one = build("a.zarr", "brace", k=2, sigmas=(1.0, 4.0))
    two = build("b.zarr", "speed21", k=1, sigmas=(0.7, 1.0), seed=3, split="held-out")
    told = make_store(merge([one, two]), tmp_path / "m.zarr")
    store = open_store(tmp_path / "m.zarr")
    assert store.attributes["recipe"]["noise"] == {"k": None, "sigmas": [0.7, 1.0, 4.0], "sigma_per": "frame"}
    assert store.sigmas == (0.7, 1.0, 4.0)
    assert (told["recipe"]["split"], told["recipe"]["seed"], told["shift_std"]) == (None, None, None)
    for name, path in (("brace", one), ("speed21", two)):
        make_store(subset(tmp_path / "m.zarr", Kept(datasets=(name,))), tmp_path / f"{name}.zarr")
        assert_same(tmp_path / f"{name}.zarr", path)


def test_a_derived_store_names_its_parents(stores: dict[str, Path], tmp_path: Path) -> None:
    some, rest = halves(stores["brace"], tmp_path, names_of(stores["brace"])[:5])
    told = make_store(merge([some, rest]), tmp_path / "m.zarr")
    parents = told["recipe"]["parents"]
    assert [p["content_digest"] for p in parents] == [read_manifest(p).content_digest for p in (some, rest)]
    origin = {p["content_digest"] for half in parents for p in half["recipe"]["parents"]}
    assert origin == {read_manifest(stores["brace"]).content_digest}
    assert parents[0]["recipe"]["parents"][0]["recipe"] == open_store(stores["brace"]).attributes["recipe"]
    assert parents[0]["recipe"]["kept"]["sequences"] == names_of(stores["brace"])[:5]
    assert (told["recipe"]["operation"], told["recipe"]["kept"]) == ("merge", None)
    assert str(tmp_path) not in (tmp_path / "m.zarr/manifest.json").read_text()


@pytest.mark.parametrize("name", ["brace", "climbalong"])
def test_a_dry_run_writes_nothing_and_counts_the_same(name: str, stores: dict[str, Path], tmp_path: Path) -> None:
    derivation = subset(stores[name], Kept(exclude=(names_of(stores[name])[0],)))
    told = dry_run(derivation, tmp_path / "a.zarr")
    assert list(tmp_path.iterdir()) == []
    made = make_store(derivation, tmp_path / "a.zarr")
    unknown = {"bytes", "content_digest", "seconds"}
    assert {k: v for k, v in told.items() if k not in unknown} == {k: v for k, v in made.items() if k not in unknown}
    assert told["bytes"] is told["content_digest"] is None


def test_what_is_left_out_is_listed(stores: dict[str, Path], tmp_path: Path) -> None:
    parent = open_store(stores["brace"])
    videos, names = (parent[f"sequence_{c}"].tolist() for c in ("video", "name"))
    told = make_store(subset(stores["brace"], Kept(exclude=(videos[0],))), tmp_path / "a.zarr")
    gone = {f"brace/{name}" for name, video in zip(names, videos, strict=True) if video == videos[0]}
    found = {s["item"] for s in told["skipped"] if s["reason"] == "left out by subset: --exclude"}
    assert found == gone
    assert len(gone) == 2
    kept_notes = {(s.item, s.reason) for s in parent.manifest.skipped if s.item not in gone}
    assert {(s["item"], s["reason"]) for s in told["skipped"] if s["item"] not in gone} == kept_notes != set()
    assert told["sequences"] == len(names) - 2


def test_sequences_in_two_parents_are_refused(stores: dict[str, Path], tmp_path: Path) -> None:
    name = names_of(stores["brace"])[3]
    make_store(subset(stores["brace"], Kept(sequences=(name,))), tmp_path / "one.zarr")
    with pytest.raises(BadInputError, match=rf"brace/{name}: .* found in \S*one.zarr and \S*brace.zarr"):
        merge([tmp_path / "one.zarr", stores["brace"]])
    with pytest.raises(BadInputError) as told:
        merge([stores["brace"], stores["brace"]])
    assert len(told.value.faults) == 11
    assert told.value.faults[-1] == "2 sequences more are in several stores"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (("climbalong",), r"climbalong\.zarr: expected noisy input as in \S*brace\.zarr, found a detector's"),
        (("speed21", "keypoint"), r"b\.zarr: expected --sigma-per frame as in \S*brace\.zarr, found keypoint"),
        (("speed21", 1.0 + 1e-9), r"sigmas: expected sets whose sigmas are apart or the same"),
    ],
    ids=["detector", "sigma per keypoint", "sigmas that float32 cannot tell apart"],
)
def test_parents_of_another_kind_are_refused(
    other: tuple[Any, ...], words: str, stores: dict[str, Path], build: Build
) -> None:
    match other:
        case ("climbalong",):
            path = stores["climbalong"]
        case (name, str(unit)):
            path = build("b.zarr", name, sigma_per=unit)
        case (name, sigma):
            path = build("b.zarr", name, sigmas=(sigma,))
    with pytest.raises(BadInputError, match=words):
        merge([stores["brace"], path])


def test_a_merge_needs_two(stores: dict[str, Path]) -> None:
    with pytest.raises(ChoiceError, match="two stores or more, found 1"):
        merge([stores["brace"]])


def test_parents_that_render_otherwise_are_refused(stores: dict[str, Path], tmp_path: Path) -> None:
    derivation = merge([stores["brace"], stores["speed21"]])
    rendering = derivation.row.parents[1].store.attributes["rendering"]
    rendering["amplitude"] = 100.0
    with pytest.raises(BadInputError, match=r'speed21\.zarr: rendering: expected \{"amplitude":255.0'):
        make_store(derivation, tmp_path / "m.zarr")
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_not_put_in_the_place_of_its_parent(stores: dict[str, Path], tmp_path: Path) -> None:
    parent = Path(shutil.copytree(stores["brace"], tmp_path / "a.zarr"))
    before = (parent / "manifest.json").read_bytes()
    derivation = subset(parent, Kept(actions=("toprock",)))
    (tmp_path / "link.zarr").symlink_to(parent)
    for target in (parent, tmp_path / "link.zarr"):
        for overwrite in (False, True):
            with pytest.raises(ConflictError, match="expected a store that is not read for the new one"):
                make_store(derivation, target, overwrite=overwrite)
    (tmp_path / "link.zarr").unlink()
    assert (parent / "manifest.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.zarr"]


def test_overwrite_replaces_another_store(stores: dict[str, Path], tmp_path: Path) -> None:
    target = Path(shutil.copytree(stores["speed21"], tmp_path / "a.zarr"))
    make_store(subset(stores["brace"], Kept(actions=("toprock",))), target, overwrite=True)
    assert set(open_store(target)["sequence_action"]) == {"toprock"}


@pytest.mark.parametrize(
    ("name", "file"),
    [("brace", "input_cells/c/0/0/0"), ("climbalong", "input_heatmaps/c/0/0/0/0"), ("brace", "sources.csv")],
)
def test_damage_in_a_parent_makes_no_store(name: str, file: str, stores: dict[str, Path], tmp_path: Path) -> None:
    parent = Path(shutil.copytree(stores[name], tmp_path / "p.zarr"))
    content = bytearray((parent / file).read_bytes())
    content[len(content) // 3] ^= 1
    (parent / file).write_bytes(content)
    with pytest.raises(IntegrityError, match=rf"{file}: expected sha256"):
        make_store(subset(parent, Kept(exclude=(names_of(stores[name])[0],))), tmp_path / "a.zarr")
    assert [p.name for p in tmp_path.iterdir()] == ["p.zarr"]


@pytest.mark.parametrize(
    ("cell", "sigmas"),
    [(0, (1.0, 1.5)), (0, (0.5, 1.0)), (0, (3.0, 4.0)), (56, (1.0, 3.0)), (-2, (1.0, 3.0))],
    ids=["between", "below", "above", "beyond the grid", "below -1"],
)
def test_cells_and_sigmas_that_no_recipe_has_are_not_rendered(cell: int, sigmas: tuple[float, ...]) -> None:
    row = SimpleNamespace(parents=[SimpleNamespace(store=SimpleNamespace(path=f"{name}.zarr")) for name in "ab"])
    cells, good = np.zeros((2, 25, 2), np.int8), np.asarray([1.0, 3.0], np.float32)
    deriving._rendered(row, cells - 1, good, (1.0, 3.0))  # type: ignore[arg-type]
    cells[1, 4, 0] = cell
    with pytest.raises(
        IntegrityError, match=r"^a\.zarr or b\.zarr: expected cells of the grid and sigmas of the recipe"
    ):
        deriving._rendered(row, cells, np.asarray(sigmas, np.float32), (1.0, 3.0))  # type: ignore[arg-type]


class KilledError(Exception):
    """Stands for SIGKILL: what it leaves is kept by the test."""


@pytest.mark.usefixtures("small_shards")
def test_a_killed_derivation_goes_on_behind_its_finished_shards(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = build("p.zarr", "speed21")
    derivation = subset(store, Kept(exclude=(names_of(store)[2],)))
    whole = make_store(derivation, tmp_path / "whole.zarr")
    real, stage, seen = deriving._arrays, tmp_path / ".a.zarr.building", []

    def arrays(*arguments: Any) -> Any:
        seen.append(arguments[-1])
        if arguments[-1] == 4 and not (tmp_path / "kept").exists():
            shutil.copytree(stage, tmp_path / "kept")
            raise KilledError
        return real(*arguments)

    monkeypatch.setattr(deriving, "_arrays", arrays)
    with pytest.raises(KilledError):
        make_store(derivation, tmp_path / "a.zarr")
    assert not stage.exists()
    (tmp_path / "kept").rename(stage)
    (tmp_path / "kept").mkdir()
    seen.clear()
    told = make_store(derivation, tmp_path / "a.zarr")
    assert seen == [4, 5, 6, 7]
    assert told["content_digest"] == whole["content_digest"]
    assert (tmp_path / "a.zarr/manifest.json").read_bytes() == (tmp_path / "whole.zarr/manifest.json").read_bytes()


def test_videos_that_a_merge_puts_on_both_sides_are_warned_of(build: Build, tmp_path: Path) -> None:
    one = build("one.zarr", "brace")
    parent = open_store(one)
    first = dict(zip(parent["sequence_video"].tolist(), parent["sequence_name"].tolist(), strict=True))
    some, rest = halves(one, tmp_path, list(first.values()))
    assert make_store(merge([some, rest]), tmp_path / "same.zarr")["warnings"] == []
    make_store(
        subset(build("other.zarr", "brace", seed=4), Kept(exclude=tuple(first.values()))), tmp_path / "mixed.zarr"
    )
    told = make_store(merge([some, tmp_path / "mixed.zarr"]), tmp_path / "m.zarr")
    splits: dict[str, set[int]] = {}
    for path in (some, tmp_path / "mixed.zarr"):
        store = open_store(path)
        for video, start in zip(store["sequence_video"], store["sequence_start"], strict=True):
            splits.setdefault(video, set()).add(int(store["split"][start]))
    shared = sum(len(found) > 1 for found in splits.values())
    assert shared > 0
    assert f"{shared} videos have sequences in more than one split" in told["warnings"]


def test_sources_are_those_of_the_kept_datasets(stores: dict[str, Path], tmp_path: Path) -> None:
    make_store(merge([stores["brace"], stores["speed21"]]), tmp_path / "m.zarr")
    make_store(subset(tmp_path / "m.zarr", Kept(datasets=("speed21",))), tmp_path / "s.zarr")
    assert (tmp_path / "s.zarr/sources.csv").read_bytes() == (stores["speed21"] / "sources.csv").read_bytes()
    rows = list(csv.DictReader((tmp_path / "m.zarr/sources.csv").read_text().splitlines()))
    counts = [sum(row["dataset"] == name for row in rows) for name in ("brace", "speed21")]
    assert counts == [len((stores[n] / "sources.csv").read_text().splitlines()) - 1 for n in ("brace", "speed21")]
    summary = json.loads((tmp_path / "s.zarr/manifest.json").read_text())["summary"]
    assert list(summary["licences"]) == list(summary["samples"]) == ["speed21"]
    assert summary["synthetic"] is True
