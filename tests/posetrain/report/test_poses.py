"""Which split is scored, and which lines stand together; whole reports are tested by their kinds of store."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from posetrain.report import poses
from posetrain.report.curves import Curve
from posetrain.report.poses import Examined
from posetrain.report.posetables import Block, Line, Stored

STORE = Stored("a.zarr", "ab12", False, {"dataset": "coco"}, {"train": 5, "test": 2})
MEAN = Line("mean-pose", "", "the mean of what trains", None, None, None, {"all": 40.0})


def examined(name: str, store: Stored, split: str = "test") -> Examined:
    line = replace(MEAN, name=name)
    return Examined(line, Curve("hourglass", name, [], None), None, Block(store, split, "2 crops", [MEAN, line]))


@pytest.mark.parametrize(
    ("counts", "split"),
    [({"test": 2, "validation": 3}, "test"), ({"test": 0, "validation": 3}, "validation"), ({}, "validation")],
)
def test_the_first_split_that_has_samples_is_scored(counts: dict[str, int], split: str) -> None:
    store = SimpleNamespace(attributes={"counts": {"splits": {"test": 0, "validation": 0} | counts}})
    judge = SimpleNamespace(splits=("test", "validation"))
    assert poses._scored_split(judge, store) == split  # type: ignore[arg-type]


def test_lines_of_one_store_and_split_stand_together_whatever_it_is_called() -> None:
    moved, other = replace(STORE, name="b.zarr"), replace(STORE, digest="cd34")
    found = [
        examined("one", STORE),
        examined("two", other),
        examined("three", moved),
        examined("four", STORE, "validation"),
    ]
    blocks = poses._blocks(found)
    assert [[line.name for line in block.lines] for block in blocks] == [
        ["mean-pose", "one", "three"],
        ["mean-pose", "two"],
        ["mean-pose", "four"],
    ]
    assert [(block.store.digest, block.split) for block in blocks] == [
        ("ab12", "test"),
        ("cd34", "test"),
        ("ab12", "validation"),
    ]
