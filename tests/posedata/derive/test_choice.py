"""Which sequences a subset keeps: by hand, and as a property."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posedata.derive.choice import choose
from posedata.derive.recipe import Kept
from posedata.derive.row import Parent
from posedata.errors import BadInputError, ChoiceError

SEQUENCES = [
    # dataset, name, video, action, frames, splits
    ("brace", "a1", "va", "toprock", 10, (0,)),
    ("brace", "a2", "va", "footwork", 11, (0,)),
    ("brace", "b1", "vb", "toprock", 12, (2,)),
    ("climbalong", "c1", "c1", "", 13, (0, 1)),
    ("climbalong", "c2", "c2", "", 14, (3,)),
    ("penn_action", "0001", "0001", "situp", 15, (1,)),
    ("speed21", "0001", "url", "", 16, ()),
]
KEYS = [f"{row[0]}/{row[1]}" for row in SEQUENCES]


def parent() -> Parent:
    columns = ("dataset", "name", "video", "action")
    table: dict[str, Any] = {
        f"sequence_{column}": np.asarray([row[i] for row in SEQUENCES], object) for i, column in enumerate(columns)
    }
    splits = np.asarray([[number in row[5] for number in range(4)] for row in SEQUENCES])
    store = SimpleNamespace(path=Path("p.zarr"), lengths=np.asarray([row[4] for row in SEQUENCES]))
    return Parent(store, table, tuple(KEYS), splits)  # type: ignore[arg-type]


def kept(**options: Any) -> list[str]:
    return [KEYS[i] for i in np.flatnonzero(choose(parent(), Kept(**options)).kept)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"datasets": ("brace",)}, ["brace/a1", "brace/a2", "brace/b1"]),
        ({"datasets": ("brace", "speed21"), "actions": ("toprock", "")}, ["brace/a1", "brace/b1", "speed21/0001"]),
        ({"sequences": ("0001",)}, ["penn_action/0001", "speed21/0001"]),
        ({"sequences": ("speed21/0001", "a2")}, ["brace/a2", "speed21/0001"]),
        ({"videos": ("va",)}, ["brace/a1", "brace/a2"]),
        ({"videos": ("brace/vb", "climbalong/c2")}, ["brace/b1", "climbalong/c2"]),
        ({"videos": ("va",), "exclude": ("a1",)}, ["brace/a2"]),
        ({"datasets": ("brace",), "exclude": ("va",)}, ["brace/b1"]),
        ({"datasets": ("brace",), "exclude": ("brace/va", "speed21/0001")}, ["brace/b1"]),
        ({"splits": ("train",)}, ["brace/a1", "brace/a2"]),
        ({"splits": ("validation", "train")}, ["brace/a1", "brace/a2", "climbalong/c1", "penn_action/0001"]),
        ({"splits": ("held_out",)}, ["climbalong/c2"]),
        ({"exclude": ("brace/a1", "c1", "url", "0001")}, ["brace/a2", "brace/b1", "climbalong/c2"]),
    ],
)
def test_what_is_kept(options: dict[str, Any], expected: list[str]) -> None:
    assert kept(**options) == expected


def test_why_the_others_are_left_out() -> None:
    found = choose(parent(), Kept(splits=("train",), exclude=("a1",)))
    assert found.left_out == {
        "brace/a1": "--exclude",
        "brace/b1": "--split train; it is in test",
        "climbalong/c1": "--split train; it is in train, validation",
        "climbalong/c2": "--split train; it is in held_out",
        "penn_action/0001": "--split train; it is in validation",
        "speed21/0001": "--split train; it is in none",
    }
    assert found.warnings == ("--split train left out 1 sequences, 13 frames, that are in other splits, too",)
    assert choose(parent(), Kept(datasets=("brace",), actions=("toprock",))).left_out["climbalong/c1"] == "--dataset"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"exclude": ("va", "a12")},
            r"p\.zarr: --exclude 'a12': expected a name that is in the store, found none; .*a2",
        ),
        ({"datasets": ("penn-action",)}, r"--dataset 'penn-action': .*; there are penn_action"),
        ({"actions": ("toprok",)}, r"--action 'toprok': .*; there are toprock"),
        ({"sequences": ("brace/0001",)}, r"--sequence 'brace/0001': .*; there are brace/b1, brace/a"),
        ({"videos": ("zzzzzz",)}, r"--video 'zzzzzz': .*; there are 0001, brace/va, brace/vb"),
        ({"datasets": ("brace",), "actions": ("situp",)}, r"a sequence that fits all options, found none$"),
        (
            {"datasets": ("climbalong",), "splits": ("train",)},
            r"found none; --split keeps sequences that are in no other",
        ),
    ],
)
def test_what_is_not_there_is_an_error(options: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        kept(**options)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadInputError) as told:
        kept(datasets=("x",), exclude=("y", "va", "z"))
    assert [fault.split()[1:3] for fault in told.value.faults] == [
        ["--dataset", "'x':"],
        ["--exclude", "'y':"],
        ["--exclude", "'z':"],
    ]


def test_something_must_be_asked_for() -> None:
    with pytest.raises(ChoiceError, match="an option that says what to keep"):
        kept()
    with pytest.raises(ChoiceError, match=r"--split tset: expected one of train, validation, test, held_out"):
        kept(splits=("tset", "train"))


@given(st.sets(st.sampled_from(KEYS), min_size=1, max_size=6))
def test_keeping_and_excluding_are_two_sides_of_one_choice(chosen: set[str]) -> None:
    names = tuple(sorted(chosen))
    assert set(kept(sequences=names)) == chosen
    assert set(kept(exclude=names)) == set(KEYS) - chosen
    found = choose(parent(), Kept(exclude=names))
    assert set(found.left_out) == chosen
