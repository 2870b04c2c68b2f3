"""Frames of several stores in one row."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.derive.row import Row, open_parent
from posedata.errors import BadInputError

ARRAYS = ("target_points", "frame_number", "split", "input_heatmaps")


@pytest.mark.parametrize("seed", range(4))
def test_every_frame_is_read_from_its_parent(seed: int, stores: dict[str, Path]) -> None:
    random = np.random.default_rng(seed)
    parents = [open_parent(stores[name]) for name in ("speed21", "brace", "penn_action")]
    kept = [np.flatnonzero(random.random(len(p.keys)) < 0.6) for p in parents]
    row = Row(parents, kept)
    taken = [(p.keys[n], p, n) for p, numbers in zip(parents, kept, strict=True) for n in numbers.tolist()]
    taken.sort(key=lambda each: each[0])
    assert row.keys == tuple(key for key, _, _ in taken)
    for name in ARRAYS:
        parts = [p.store[name][p.starts[n] : p.starts[n] + p.store.lengths[n]] for _, p, n in taken]
        expected = np.concatenate(parts)
        assert len(row) == len(expected)
        start, stop = sorted(random.integers(0, len(row), 2).tolist())
        np.testing.assert_array_equal(row.read(name, start, stop + 1), expected[start : stop + 1])
    blocks = list(row.blocks("input_heatmaps", 3, 70))
    assert [len(block) for block in blocks] == [32, 32, 3]
    np.testing.assert_array_equal(np.concatenate(blocks), expected[3:70])


def test_the_table_is_that_of_the_parents_with_new_starts(stores: dict[str, Path]) -> None:
    parents = [open_parent(stores[name]) for name in ("penn_action", "brace")]
    row = Row(parents, [np.asarray([3, 1]), np.asarray([0])])
    assert row.table["sequence_dataset"].tolist() == ["brace", "penn_action", "penn_action"]
    assert row.table["sequence_name"].tolist()[1:] == ["0002", "0004"]
    assert row.origin.tolist() == [1, 0, 0]
    lengths = row.table["sequence_length"].tolist()
    assert row.table["sequence_start"].tolist() == [0, lengths[0], lengths[0] + lengths[1]]
    assert len(row) == sum(lengths)
    assert row.sequence(lengths[0] - 1, lengths[0] + 1).tolist() == [0, 1]


def test_sequences_stand_as_a_build_lays_them_down(tmp_path: Path) -> None:
    """So a store that is taken apart and merged again has its frames where they were."""
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "keypoints.json").write_text('{"joints": {"nose": "nose", "hip": "left_hip"}}')
    rows = "frame,person,joint,x,y\n0,a,nose,1,2\n0,a,hip,3,40\n0,b,nose,5,6\n0,b,hip,9,80\n"
    for name in ("walk", "walk-2", "walk2"):
        (raw / f"{name}.csv").write_text(rows)
    recipe = Recipe(datasets=(Selection(dataset="keypoints"),), noise=Noise(torso=12.0), split="train")
    build_store(recipe, {"keypoints": raw}, tmp_path / "a.zarr")
    parent = open_parent(tmp_path / "a.zarr")
    names = ["walk:a", "walk:b", "walk-2:a", "walk-2:b", "walk2:a", "walk2:b"]
    assert parent.keys == tuple(f"keypoints/{name}" for name in names)
    assert Row([parent, parent], [np.asarray([1, 2, 5]), np.asarray([0, 3, 4])]).keys == parent.keys


def test_splits_of_sequences(stores: dict[str, Path]) -> None:
    parent = open_parent(stores["climbalong"])
    for number, found in enumerate(parent.splits.tolist()):
        start = parent.starts[number]
        frames = parent.store["split"][start : start + parent.store.lengths[number]]
        assert [i for i, there in enumerate(found) if there] == sorted(set(frames.tolist()) - {255})
    assert parent.splits.sum(axis=1).max() > 1


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_sequence_is_there_once(stores: dict[str, Path], data: st.DataObject) -> None:
    parents = [open_parent(stores["speed21"])] * 2
    one, two = (data.draw(st.sets(st.integers(0, 11))) for _ in range(2))
    kept = [np.asarray(sorted(numbers), np.int64) for numbers in (one, two)]
    if one & two:
        with pytest.raises(BadInputError, match=f"found in {stores['speed21']} and {stores['speed21']}; leave it out"):
            Row(parents, kept)
    else:
        assert len(Row(parents, kept).keys) == len(one | two)
