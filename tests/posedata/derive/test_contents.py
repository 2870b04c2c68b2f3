"""What a derived store says of itself: of its parents only what is true of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from posedata.derive.contents import describe
from posedata.derive.recipe import Kept
from posedata.derive.stores import merge, subset
from posedata.manifest import Manifest, Skipped
from posedata.progress import silent
from posedata.store.reader import open_store


def told(derivation: Any, folder: Path) -> Any:
    return describe(derivation, folder / "sources.csv", silent)


def with_manifest(derivation: Any, number: int, **fields: Any) -> None:
    """Let a parent say something else."""
    store = derivation.row.parents[number].store
    object.__setattr__(store, "manifest", Manifest(**store.manifest.model_dump() | fields))


def test_entries_of_parents_that_are_still_true(stores: dict[str, Path], tmp_path: Path) -> None:
    names = open_store(stores["speed21"])["sequence_name"].tolist()
    derivation = subset(stores["speed21"], Kept(exclude=(names[0],)))
    entries = {
        "speed21/broken": True,  # was never in the parent
        f"speed21/{names[1]}": True,
        f"speed21/{names[0]}": False,  # told of as left out instead
        "brace/x": False,  # of a dataset that is not here
    }
    skipped = tuple(Skipped(item=item, reason="why") for item in entries)
    with_manifest(derivation, 0, skipped=skipped)
    found = [(s.item, s.reason) for s in told(derivation, tmp_path).skipped]
    expected = [(item, "why") for item, kept in entries.items() if kept]
    assert found == sorted([*expected, (f"speed21/{names[0]}", "left out by subset: --exclude")])


def test_what_came_back_is_not_told_of_as_left_out(stores: dict[str, Path], tmp_path: Path) -> None:
    derivation = merge([stores["speed21"], stores["brace"]])
    name = open_store(stores["brace"])["sequence_name"][0]
    gone = Skipped(item="brace/gone", reason="left out by subset: --video")
    back = Skipped(item=f"brace/{name}", reason="left out by subset: --video")
    with_manifest(derivation, 0, skipped=(back, gone))
    found = told(derivation, tmp_path).skipped
    assert gone in found
    assert back not in found


def test_warnings_name_the_parent_and_those_of_splits_are_made_anew(stores: dict[str, Path], tmp_path: Path) -> None:
    derivation = merge([stores["speed21"], stores["brace"]])
    digest = derivation.row.parents[1].store.manifest.content_digest[:8]
    splits = ("no test windows: --split video left none", "3 videos have sequences in more than one split")
    with_manifest(derivation, 1, warnings=("7 strange files", "parent 0123abcd: 2 strange files", *splits))
    warnings = told(derivation, tmp_path).warnings
    assert warnings == (f"parent {digest}: 7 strange files", "parent 0123abcd: 2 strange files")


def test_official_splits_warn_anew(build: Callable[..., Path], tmp_path: Path) -> None:
    store = build("a.zarr", "brace", split="official")
    was = open_store(store).manifest.warnings
    assert len(was) == 2
    name = open_store(store)["sequence_name"][0]
    warnings = told(subset(store, Kept(exclude=(name,))), tmp_path).warnings
    assert "no validation windows" in warnings
    assert [w for w in warnings if "parent" in w] == []


def test_sequences_that_are_in_several_splits_or_none_share_no_video(stores: dict[str, Path], tmp_path: Path) -> None:
    """As where windows are dealt: only what is in one split whole can part a video."""
    derivation = subset(stores["brace"], Kept(datasets=("brace",)))
    row = derivation.row
    row.table["sequence_video"][:] = "one"
    row.splits[:] = False
    row.splits[0, 1] = row.splits[1, :3] = True
    assert not any("more than one split" in warning for warning in told(derivation, tmp_path).warnings)
    row.splits[2, 2] = True
    assert "1 videos have sequences in more than one split" in told(derivation, tmp_path).warnings


@pytest.mark.parametrize("same", [True, False])
def test_licences_and_samples_of_two_parents(same: bool, stores: dict[str, Path], tmp_path: Path) -> None:
    derivation = merge([stores["speed21"], stores["penn_action"]])
    row = derivation.row
    object.__setattr__(row.parents[1].store, "attributes", dict(row.parents[1].store.attributes))
    attributes = row.parents[1].store.attributes
    attributes["licences"] = {"speed21": "another", "penn_action": "p"}  # type: ignore[index]
    command = row.parents[0].store.attributes["samples"]["speed21"]
    attributes["samples"] = {"speed21": command if same else "other"}  # type: ignore[index]
    found = told(derivation, tmp_path).attributes
    licence = row.parents[0].store.attributes["licences"]["speed21"]
    assert found["licences"] == {"penn_action": "p", "speed21": f"{licence}; another"}
    assert found["samples"] == {"speed21": command if same else None}


def test_a_store_is_synthetic_if_a_kept_dataset_is(stores: dict[str, Path], tmp_path: Path) -> None:
    derivation = subset(stores["brace"], Kept(actions=("toprock",)))
    store = derivation.row.parents[0].store
    for samples, expected in (({"brace": None}, True), ({"speed21": "x"}, False), ({}, False)):
        object.__setattr__(store, "attributes", {**store.attributes, "samples": samples})
        assert told(derivation, tmp_path).attributes["synthetic"] is expected
