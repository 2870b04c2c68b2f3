"""Arrays read back: what zarr-python reads of the same files, and errors where it would invent."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from posedata.store import arrays, schema
from posedata.store.arrays import StoredArray, StoredArrays, stored_arrays
from posedata.store.codecs import with_crc
from posedata.store.reader import open_store


@pytest.fixture(params=["brace", "climbalong"])
def store(request: pytest.FixtureRequest, stores: dict[str, Path]) -> Path:
    return stores[request.param]


def opened(store: Path) -> StoredArrays:
    return stored_arrays(store, open_store(store).attributes)


def test_arrays_are_those_that_zarr_finds(store: Path) -> None:
    group = zarr.open_group(store, mode="r")
    found = opened(store)
    assert found.keys() == dict(group.arrays()).keys()
    for name, array in group.arrays():
        assert (found[name].shape, found[name].ndim) == (array.shape, array.ndim)
        if array.ndim < 4:
            np.testing.assert_array_equal(found[name][:], np.asarray(array[:]))
            assert found[name][:].dtype == found[name].dtype


@pytest.mark.parametrize("name", ["input_heatmaps", "target_heatmaps"])
def test_heatmaps_are_those_that_zarr_reads(store: Path, name: str) -> None:
    reference = np.asarray(zarr.open_group(store, mode="r")[name][:])
    array = opened(store)[name]
    for start in range(0, len(reference), 100):
        np.testing.assert_array_equal(array[start : start + 100], reference[start : start + 100])
    asked = np.random.default_rng(0).permutation(len(reference))[:50]
    np.testing.assert_array_equal(array.rows(asked), reference[asked])
    assert array.rows(np.empty(0, np.int64)).shape == (0, 25, 56, 56)


def test_rows_that_follow_each_other_come_together(store: Path) -> None:
    array = opened(store)["input_heatmaps"]
    asked = np.asarray([[40, 41, 42], [31, 32, 33], [42, 3, 4]])
    found = np.full((9, 25, 56, 56), np.nan, np.float32)
    runs = []
    for places, rows in array.pieces(asked):
        found[places] = rows
        runs.append((places.start, places.stop, len(rows)))
    np.testing.assert_array_equal(found, array.rows(asked.ravel()))
    assert sorted(runs) == [(0, 3, 3), (3, 4, 1), (4, 6, 2), (6, 7, 1), (7, 9, 2)]


def test_a_chunk_is_decoded_once_while_it_is_kept(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    real = arrays.decode
    monkeypatch.setattr(arrays, "decode", lambda data, out: (decoded.append(len(data)), real(data, out)))
    array = opened(store)["target_heatmaps"]
    for _ in range(3):
        array.rows(np.asarray([0, 5, 40, 3]))
    assert len(decoded) == 2


def test_as_many_chunks_are_kept_as_was_asked(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    real = arrays.decode
    monkeypatch.setattr(arrays, "decode", lambda data, out: (decoded.append(len(data)), real(data, out)))
    array = open_store(store, kept_chunks=1).arrays["target_heatmaps"]
    for frame in (0, 31, 32, 40, 0):
        array.rows(np.asarray([frame]))
    assert len(decoded) == 3


def test_the_chunk_that_was_not_asked_for_the_longest_goes(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[int] = []
    real = arrays.decode
    monkeypatch.setattr(arrays, "decode", lambda data, out: (decoded.append(len(data)), real(data, out)))
    array = open_store(store, kept_chunks=2).arrays["target_heatmaps"]
    told = []
    for frame in (0, 32, 0, 64, 0, 32):
        array.rows(np.asarray([frame]))
        told.append(len(decoded))
    assert told == [1, 2, 2, 3, 3, 4]


def shard_of_zeros(tmp_path: Path) -> tuple[StoredArray, Path]:
    spec = next(spec for spec in schema.frame_arrays(noisy=True) if spec.name == "target_heatmaps")
    path = tmp_path / spec.file(0)
    path.parent.mkdir(parents=True)
    return StoredArray(tmp_path, spec, 40), path


def test_a_chunk_that_was_never_written_is_an_error_and_no_zeros(tmp_path: Path) -> None:
    array, path = shard_of_zeros(tmp_path)
    index = np.full((schema.SHARD_FRAMES // schema.CHUNK_FRAMES, 2), -1, "<i8").tobytes()
    path.write_bytes(with_crc(index))
    with pytest.raises(ValueError, match="c/0/0/0/0: expected chunk 1, found none"):
        array.rows(np.asarray([35]))


def test_a_chunk_beyond_the_file_is_an_error(tmp_path: Path) -> None:
    array, path = shard_of_zeros(tmp_path)
    index = np.full((schema.SHARD_FRAMES // schema.CHUNK_FRAMES, 2), 5, "<i8")
    for place in ((1 << 40, 5), (5, 1 << 40), (2050, 100)):
        index[0] = place
        path.write_bytes(with_crc(index.tobytes()))
        with pytest.raises(ValueError, match=r"crc32c|found none"):
            StoredArray(tmp_path, array.spec, 40).rows(np.asarray([0]))


def test_a_chunk_before_the_file_is_an_error(tmp_path: Path) -> None:
    array, path = shard_of_zeros(tmp_path)
    index = np.full((schema.SHARD_FRAMES // schema.CHUNK_FRAMES, 2), (-8, 5), "<i8")
    path.write_bytes(with_crc(index.tobytes()))
    with pytest.raises(ValueError, match="c/0/0/0/0: expected chunk 0, found none"):
        array.rows(np.asarray([0]))


def test_a_file_that_is_too_short_for_its_index_is_an_error(tmp_path: Path) -> None:
    array, path = shard_of_zeros(tmp_path)
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match=r"expected an index of \d+ bytes, found fewer"):
        array.rows(np.asarray([0]))
