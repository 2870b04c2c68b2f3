import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.codecs import Crc32cCodec, ZstdCodec

from posedata.store import schema
from posedata.store.metadata import group_metadata
from posedata.store.schema import ArraySpec
from posedata.store.writer import create

FRAMES, NAMES = 5000, ["one", "two", "an ü"]
ATTRIBUTES = {"title": "made", "an ü": None, "nested": {"z": [1, 2.5], "a": True}}


def zarr_python(folder: Path, specs: tuple[ArraySpec, ...], table: dict[str, np.ndarray]) -> None:
    """The same arrays, made by the library."""
    group = zarr.create_group(folder, zarr_format=3, attributes=ATTRIBUTES)
    for spec in specs:
        length = schema.lengths(FRAMES, len(NAMES))[spec.dims[0]]
        along_frames = spec.dims[0] == "frame"
        whole = schema.SHARD_FRAMES if along_frames else length
        array = group.create_array(
            spec.name,
            shape=(length, *spec.inner),
            chunks=(schema.CHUNK_FRAMES if spec.sharded else whole, *spec.inner),
            shards=(whole, *spec.inner) if spec.sharded else None,
            dtype=str if spec.dtype == "string" else spec.dtype,
            compressors=[ZstdCodec(level=schema.ZSTD_LEVEL, checksum=False), Crc32cCodec()],
            fill_value=spec.fill,
            dimension_names=spec.dims,
            config={"write_empty_chunks": True},
        )
        if not along_frames:
            array[:] = table[spec.name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        zarr.consolidate_metadata(folder)


@pytest.mark.parametrize(("noisy", "per_keypoint"), [(True, False), (True, True), (False, False)])
def test_documents_and_tables_are_byte_for_byte_those_of_zarr_python(
    tmp_path: Path, noisy: bool, per_keypoint: bool
) -> None:
    table = {
        spec.name: np.resize(np.asarray(NAMES, object), 25 if spec.name == "keypoint" else 3)
        if spec.dtype == "string"
        else np.arange(3).astype(spec.dtype)
        for spec in schema.TABLE
    }
    specs, lengths = schema.all_arrays(noisy, per_keypoint), schema.lengths(FRAMES, len(NAMES))
    create(tmp_path / "ours", specs, lengths, table, ATTRIBUTES)
    zarr_python(tmp_path / "theirs", specs, table)
    ours, theirs = (
        {path.relative_to(tmp_path / who): path.read_bytes() for path in (tmp_path / who).rglob("*") if path.is_file()}
        for who in ("ours", "theirs")
    )
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []


def test_a_nan_to_fill_with_is_a_word() -> None:
    document = group_metadata({}, schema.all_arrays(noisy=True), schema.lengths(9, 1))
    assert document["consolidated_metadata"]["metadata"]["target_points"]["fill_value"] == "NaN"
    json.dumps(document, allow_nan=False)
