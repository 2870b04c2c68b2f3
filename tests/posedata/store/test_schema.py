import math
from pathlib import Path

import numpy as np
import pytest
import zarr

from posedata.store.schema import CHUNK_FRAMES, SHARD_FRAMES, TABLE, frame_arrays

HEATMAPS, CELLS = ("frame", "keypoint", "y", "x"), ("frame", "keypoint", "xy")

SPECIFIED = {
    "input_heatmaps": (HEATMAPS, "float16"),
    "target_heatmaps": (HEATMAPS, "float16"),
    "input_cells": (CELLS, "int8"),
    "target_cells": (CELLS, "int8"),
    "target_points": (CELLS, "float32"),
    "input_sigma": (("frame",), "float32"),
    "annotated": (("frame", "keypoint"), "bool"),
    "box": (("frame", "corner"), "float32"),
    "frame_number": (("frame",), "int32"),
    "shot": (("frame",), "int32"),
    "split": (("frame",), "uint8"),
}

NEVER_NAN = ("input_heatmaps", "target_heatmaps", "input_sigma")
"""Floats in which NaN means nothing."""


def test_the_arrays_along_frames_are_those_of_the_specification() -> None:
    assert {s.name: (s.dims, s.dtype) for s in frame_arrays(noisy=True)} == SPECIFIED


def test_detector_input_has_neither_cells_nor_sigma() -> None:
    found = {s.name for s in frame_arrays(noisy=False)}
    assert found == SPECIFIED.keys() - {"input_cells", "input_sigma"}


def test_sigma_may_be_given_for_every_keypoint() -> None:
    (sigma,) = [s for s in frame_arrays(noisy=True, sigma_per_keypoint=True) if s.name == "input_sigma"]
    assert sigma.dims == ("frame", "keypoint")
    assert sigma.inner == (25,)


def test_the_table_runs_along_sequences() -> None:
    assert {s.name: s.dtype for s in TABLE if s.dims == ("sequence",)} == {
        "sequence_name": "string",
        "sequence_dataset": "string",
        "sequence_video": "string",
        "sequence_action": "string",
        "sequence_start": "int64",
        "sequence_length": "int64",
        "sequence_fps": "float64",
    }
    assert [s.dims for s in TABLE if s.name == "keypoint"] == [("keypoint",)]


def test_only_heatmaps_are_sharded_and_shards_hold_whole_chunks() -> None:
    assert [s.name for s in frame_arrays(noisy=True) if s.sharded] == ["input_heatmaps", "target_heatmaps"]
    assert SHARD_FRAMES % CHUNK_FRAMES == 0


def test_inner_sizes_follow_the_dimensions() -> None:
    inner = {s.name: s.inner for s in frame_arrays(noisy=True)}
    assert inner["input_heatmaps"] == (25, 56, 56)
    assert inner["target_points"] == (25, 2)
    assert inner["box"] == (4,)
    assert inner["shot"] == ()


@pytest.mark.parametrize("name", ["brace", "climbalong", "penn_action", "speed21"])
def test_no_array_holds_its_fill_value(stores: dict[str, Path], name: str) -> None:
    group = zarr.open_group(stores[name], mode="r")
    checked = []
    for key, array in group.arrays():
        if array.dtype.kind in "iu":
            assert not (np.asarray(array[...]) == array.fill_value).any(), key
        elif key in NEVER_NAN:
            assert math.isnan(float(array.fill_value)), key
            assert np.isfinite(np.asarray(array[...])).all(), key
        else:
            continue
        checked.append(key)
    # bool and string have no room, and NaN is what a missing point, box or frame rate is.
    assert set(group.array_keys()) - set(checked) == {
        *("annotated", "box", "target_points", "keypoint", "sequence_fps"),
        *("sequence_name", "sequence_dataset", "sequence_video", "sequence_action"),
    }
