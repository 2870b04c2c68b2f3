from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec

from posedata import files
from posedata.store import schema
from posedata.store.schema import TABLE, ArraySpec, frame_arrays
from posedata.store.writer import create, encode_frames, write_file

SHARD, CHUNK = 16, 4
SPECS = {spec.name: spec for spec in frame_arrays(noisy=True, sigma_per_keypoint=True)}
NAMES = ["one", "two", "an ü"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of 16 frames with chunks of 4; power cuts are not at issue."""
    monkeypatch.setattr(files.os, "fsync", lambda handle: None)
    monkeypatch.setattr(schema, "SHARD_FRAMES", SHARD)
    monkeypatch.setattr(schema, "CHUNK_FRAMES", CHUNK)


def some_values(spec: ArraySpec, frames: int) -> np.ndarray:
    rng = np.random.default_rng(frames)
    values = rng.integers(0, 100, (frames, *spec.inner)).astype(spec.dtype)
    if spec.sharded:
        values *= rng.random(values.shape) < 0.05
    elif spec.dtype == "float32":
        values[rng.random(values.shape) < 0.3] = np.nan
    return values


def table(sequences: int = 3) -> dict[str, np.ndarray]:
    made: dict[str, np.ndarray] = {}
    for spec in TABLE:
        count = 25 if spec.name == "keypoint" else sequences
        if spec.dtype == "string":
            made[spec.name] = np.asarray([NAMES[i % 3] for i in range(count)], object)
        else:
            made[spec.name] = np.arange(count).astype(spec.dtype)
    return made


def blocks_of(spec: ArraySpec, values: np.ndarray) -> Iterator[np.ndarray]:
    """As the writer wants them: heatmaps chunk by chunk, in one buffer that is used again."""
    if not spec.sharded:
        yield values
        return
    buffer = np.empty((CHUNK, *spec.inner), spec.dtype)
    for start in range(0, len(values), CHUNK):
        block = values[start : start + CHUNK]
        buffer[: len(block)] = block
        yield buffer[: len(block)]
        buffer[:] = 77


def write_all(folder: Path, values: dict[str, np.ndarray], frames: int) -> None:
    specs = [SPECS[name] for name in values]
    lengths = schema.lengths(frames, len(NAMES))
    create(folder, [*TABLE, *specs], lengths, table(), {"title": "made", "nothing": None})
    for spec in specs:
        for shard in range(-(-frames // SHARD)):
            part = values[spec.name][shard * SHARD : (shard + 1) * SHARD]
            write_file(folder, spec, shard, encode_frames(spec, blocks_of(spec, part)))


def write_with_zarr(folder: Path, spec: ArraySpec, values: np.ndarray) -> None:
    array = zarr.create_array(
        folder / spec.name,
        shape=values.shape,
        chunks=(CHUNK if spec.sharded else SHARD, *spec.inner),
        shards=(SHARD, *spec.inner) if spec.sharded else None,
        dtype=spec.dtype,
        compressors=[ZstdCodec(level=3, checksum=False), Crc32cCodec()],
        fill_value=spec.fill,
        dimension_names=spec.dims,
        config={"write_empty_chunks": not spec.sharded},
    )
    array[...] = values


def files_below(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("frames", [16, 37, 40, 3], ids=lambda n: f"{n} frames")
@pytest.mark.parametrize("name", SPECS)
def test_files_are_byte_for_byte_those_of_zarr_python(tmp_path: Path, name: str, frames: int) -> None:
    spec = SPECS[name]
    values = some_values(spec, frames)
    write_all(tmp_path / "ours", {name: values}, frames)
    write_with_zarr(tmp_path / "theirs", spec, values)
    ours, theirs = (files_below(tmp_path / who / name) for who in ("ours", "theirs"))
    assert len(theirs) == 1 + -(-frames // SHARD)
    assert ours.keys() == theirs.keys()
    assert [key for key in ours if ours[key] != theirs[key]] == []


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("frames", [32, 37])
def test_zarr_reads_back_what_was_written(tmp_path: Path, frames: int) -> None:
    values = {name: some_values(spec, frames) for name, spec in SPECS.items()}
    write_all(tmp_path / "store", values, frames)
    group = zarr.open_group(tmp_path / "store", mode="r")
    assert dict(group.attrs) == {"title": "made", "nothing": None}
    assert set(group.array_keys()) == {*SPECS, *table()}
    for name, expected in (values | table()).items():
        np.testing.assert_array_equal(np.asarray(group[name][...]), expected, err_msg=name)
        spec = (SPECS | {s.name: s for s in TABLE})[name]
        assert group[name].metadata.dimension_names == spec.dims


@pytest.mark.usefixtures("small")
def test_big_endian_values_are_stored_as_they_are(tmp_path: Path) -> None:
    spec = SPECS["frame_number"]
    values = np.arange(16, dtype=">i4") * 1000
    write_all(tmp_path / "store", {spec.name: values}, 16)
    assert np.asarray(zarr.open_group(tmp_path / "store", mode="r")[spec.name][...]).tolist() == values.tolist()


@pytest.mark.usefixtures("small")
def test_metadata_is_consolidated(tmp_path: Path) -> None:
    write_all(tmp_path / "store", {"shot": some_values(SPECS["shot"], 16)}, 16)
    metadata = zarr.open_group(tmp_path / "store", mode="r").metadata.consolidated_metadata
    assert metadata is not None
    assert set(metadata.metadata) == {"shot", *table()}


@pytest.mark.usefixtures("small")
def test_no_temporary_file_is_left(tmp_path: Path) -> None:
    write_all(tmp_path / "store", {"shot": some_values(SPECS["shot"], 37)}, 37)
    assert [name for name in files_below(tmp_path / "store") if ".part" in name] == []


@pytest.mark.parametrize(("name", "path"), [("shot", "shot/c/2"), ("input_heatmaps", "input_heatmaps/c/2/0/0/0")])
def test_a_file_is_named_by_its_shard(name: str, path: str) -> None:
    assert SPECS[name].file(2) == path


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["shot", "annotated", "target_heatmaps"])
def test_a_flipped_bit_in_the_values_never_reads_as_values(tmp_path: Path, name: str) -> None:
    write_all(tmp_path / "store", {name: some_values(SPECS[name], 16)}, 16)
    path = tmp_path / "store" / SPECS[name].file(0)
    whole = path.read_bytes()
    for at in range(0, len(whole), max(len(whole) // 40, 1)):
        broken = bytearray(whole)
        broken[at] ^= 4
        path.write_bytes(broken)
        with pytest.raises((ValueError, RuntimeError)):
            zarr.open_group(tmp_path / "store", mode="r")[name][...]


@pytest.mark.parametrize("name", ["brace", "climbalong", "penn_action", "speed21"])
def test_a_store_is_one_xarray_dataset(stores: dict[str, Path], name: str) -> None:
    group = zarr.open_group(stores[name], mode="r")
    with xarray.open_zarr(stores[name]) as dataset:
        sizes: dict[Any, int] = dict(dataset.sizes)
        frames, sequences = group["shot"].shape[0], group["sequence_name"].shape[0]
        inner = {"keypoint": 25, "y": 56, "x": 56, "xy": 2, "corner": 4}
        assert sizes == {"frame": frames, "sequence": sequences, **inner}
        assert set(dataset.variables) == set(group.array_keys())
        assert set(dataset.coords) == {"keypoint"}
        assert set(dataset.indexes) == {"keypoint"}
        for key, array in group.arrays():
            assert dataset[key].dims == array.metadata.dimension_names
            some = slice(None, None, 9 if "heatmaps" in key else 1)
            np.testing.assert_array_equal(dataset[key][some].values, np.asarray(array[some]), err_msg=key)


def test_xarray_selects_by_keypoint_name(stores: dict[str, Path]) -> None:
    with xarray.open_zarr(stores["brace"]) as dataset:
        group = zarr.open_group(stores["brace"], mode="r")
        found = dataset["target_points"].sel(keypoint="left_knee").values
        np.testing.assert_array_equal(found, np.asarray(group["target_points"][:, 17]))
