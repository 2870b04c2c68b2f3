from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, ZstdCodec

from posedata.store import digest as digest_module
from posedata.store.digest import content_digest

RECIPE = {"seed": 0, "datasets": ["a"]}

RNG = np.random.default_rng(0)
ARRAYS = {
    "heatmaps": RNG.random((70, 2, 5, 5)).astype(np.float16),
    "cells": RNG.integers(-1, 56, (70, 2, 2)).astype(np.int8),
    "number": RNG.integers(0, 9999, 70).astype(np.int32),
    "annotated": RNG.random((70, 2)) < 0.5,
    "box": np.where(RNG.random((70, 4)) < 0.5, np.nan, 1.5).astype(np.float32),
    "name": np.asarray(["one", "two", "ü"], object),
}


def stored(arrays: Mapping[str, np.ndarray], chunk: int = 70, **options: Any) -> dict[str, Any]:
    """The arrays, written and opened again; texts are objects, as a store's are."""
    group, found = zarr.create_group({}, zarr_format=3), {}
    for name, values in arrays.items():
        array = group.create_array(
            name,
            shape=values.shape,
            chunks=(min(chunk, len(values)), *values.shape[1:]),
            dtype=str if values.dtype == object else values.dtype,
            **options,
        )
        array[...] = values
        found[name] = np.asarray(array[:], object) if values.dtype == object else array
    return found


def digest_of(arrays: Mapping[str, np.ndarray], **options: Any) -> str:
    return content_digest(stored(arrays, **options), RECIPE, ())


def changed(name: str) -> dict[str, np.ndarray]:
    """The arrays with one value of `name` another."""
    arrays = {key: values.copy() for key, values in ARRAYS.items()}
    flat = arrays[name].reshape(-1)
    flat[-1] = not flat[-1] if flat.dtype == bool else flat[-1] + flat[-1] if flat.dtype == object else flat[-2] + 1
    return arrays


GOLDEN = digest_of(ARRAYS)


@pytest.mark.parametrize(
    "options",
    [
        {"chunk": 1},
        {"chunk": 13},
        {"compressors": None},
        {"compressors": [ZstdCodec(level=9)]},
        {"chunk": 32, "compressors": [BloscCodec(cname="lz4", typesize=2)]},
        {"fill_value": 0, "config": {"write_empty_chunks": False}, "chunk": 7},
    ],
    ids=str,
)
def test_chunks_and_codecs_do_not_show(options: dict[str, Any]) -> None:
    arrays = {k: v for k, v in ARRAYS.items() if "fill_value" not in options or v.dtype != object}
    assert digest_of(arrays, **options) == digest_of(arrays)


def test_the_order_of_the_arrays_does_not_show() -> None:
    assert digest_of(dict(reversed(ARRAYS.items()))) == GOLDEN


def test_the_byte_order_of_the_values_does_not_show() -> None:
    swapped = {k: v if v.dtype == object else v.astype(v.dtype.newbyteorder(">")) for k, v in ARRAYS.items()}
    assert digest_of(swapped) == GOLDEN


@pytest.mark.parametrize("size", [1, 7, 64, 4096])
def test_the_size_of_the_pieces_read_does_not_show(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(digest_module, "SHARD_FRAMES", size)
    assert digest_of(ARRAYS) == GOLDEN


@pytest.mark.parametrize("name", ARRAYS)
def test_any_value_shows(name: str) -> None:
    assert digest_of(changed(name)) != GOLDEN


@pytest.mark.parametrize("name", ARRAYS)
def test_any_name_shows(name: str) -> None:
    renamed = {f"{key}_" if key == name else key: values for key, values in ARRAYS.items()}
    assert digest_of(renamed) != GOLDEN


def test_exchanged_names_show() -> None:
    rows = {"a": np.arange(5), "b": np.arange(5) + 1}
    assert digest_of(rows) != digest_of({"a": rows["b"], "b": rows["a"]})


def test_the_dtype_shows_though_the_bytes_are_the_same() -> None:
    values = np.arange(8, dtype=np.int32)
    found = {digest_of({"a": v}) for v in (values, values.view(np.uint32), values.view(np.float32))}
    assert len(found) == 3


def test_the_shape_shows_though_the_bytes_are_the_same() -> None:
    values = np.arange(24)
    found = {digest_of({"a": values.reshape(shape)}) for shape in ((24,), (6, 4), (4, 6), (2, 3, 4))}
    assert len(found) == 4


def test_a_frame_less_shows() -> None:
    assert digest_of({"a": np.arange(5)}) != digest_of({"a": np.arange(4)})


def test_nan_and_zero_signs_are_values() -> None:
    assert digest_of({"a": np.zeros(2)}) != digest_of({"a": -np.zeros(2)})
    assert digest_of({"a": np.zeros(2)}) != digest_of({"a": np.full(2, np.nan)})


def test_how_strings_are_cut_shows() -> None:
    first, second = (np.asarray(texts, object) for texts in (["ab", "c"], ["a", "bc"]))
    assert digest_of({"a": first}) != digest_of({"a": second})


@pytest.mark.parametrize("recipe", [{"seed": 1, "datasets": ["a"]}, {"seed": 0}, {"seed": 0, "datasets": ["b"]}])
def test_the_recipe_shows(recipe: dict[str, Any]) -> None:
    assert content_digest(stored(ARRAYS), recipe, ()) != GOLDEN


def test_the_order_of_the_recipe_does_not_show() -> None:
    assert content_digest(stored(ARRAYS), dict(reversed(RECIPE.items())), ()) == GOLDEN


def test_rendered_heatmaps_enter_by_definition() -> None:
    plain, other = (content_digest(stored(a), RECIPE, ["heatmaps"]) for a in (ARRAYS, changed("heatmaps")))
    assert plain == other != GOLDEN
    assert content_digest(stored(changed("cells")), RECIPE, ["heatmaps"]) != plain


def test_the_digest_follows_its_definition() -> None:
    # printf '{"k":1}["a","int32",[2]]\1\0\0\0\2\0\0\0["s","string",[2]]["x","y"]' | sha256sum
    arrays = {"a": np.asarray([1, 2], np.int32), "s": np.asarray(["x", "y"], object)}
    assert (
        content_digest(stored(arrays), {"k": 1}, ())
        == "e36c4538f22f86e3eb7afd6f5f980419b2934e0a388db51a202327328c10b4bf"
    )
