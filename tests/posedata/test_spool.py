from pathlib import Path

import numpy as np
import pytest

from posedata import spool as spool_module
from posedata.spool import FIELDS, Spool

RNG = np.random.default_rng(5)


def frames_of(name: str, count: int) -> np.ndarray:
    dtype, shape = FIELDS[name]
    return RNG.integers(0, 1000, (count, *shape)).astype(dtype)


@pytest.mark.parametrize("name", FIELDS)
def test_what_was_appended_is_read_back_from_any_place(tmp_path: Path, name: str) -> None:
    values = frames_of(name, 7)
    spool = Spool(tmp_path)
    spool.append(name, [values[:3], values[3:4]])
    spool.append(name, iter([values[4:]]))
    for start, stop in ((0, 7), (2, 5), (6, 7), (3, 3)):
        found = spool.read(name, start, stop)
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found, values[start:stop])


def test_values_are_stored_in_the_dtype_of_the_field(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append("frame_number", [np.asarray([1, 2**31 - 1], ">i8")])
    found = spool.read("frame_number", 0, 2)
    assert found.dtype == np.dtype("<i4")
    assert found.tolist() == [1, 2**31 - 1]


def test_transposed_blocks_are_stored_by_their_indices(tmp_path: Path) -> None:
    values = np.asfortranarray(frames_of("boxes", 5))
    spool = Spool(tmp_path)
    spool.append("boxes", [values])
    np.testing.assert_array_equal(spool.read("boxes", 0, 5), values)


def test_nan_survives(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append("torso", [np.asarray([np.nan, 1.5])])
    np.testing.assert_array_equal(spool.read("torso", 0, 2), [np.nan, 1.5])


def test_rewind_forgets_later_frames_of_every_field(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    first = {name: frames_of(name, 4) for name in ("points", "torso", "shot")}
    for name, values in first.items():
        spool.append(name, [values, frames_of(name, 2)])
    spool.rewind(4)
    second = {name: frames_of(name, 3) for name in first}
    for name, values in second.items():
        spool.append(name, [values])
        np.testing.assert_array_equal(spool.read(name, 0, 7), np.concatenate([first[name], values]))


def test_rewind_to_nothing_before_the_first_frame(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.rewind(0)
    spool.append("shot", [frames_of("shot", 2)])
    spool.rewind(0)
    assert spool.read("shot", 0, 0).shape == (0,)
    assert (tmp_path / "shot").stat().st_size == 0


@pytest.mark.parametrize("count", [0, 1, 3, 4, 8, 9])
def test_blocks_cover_the_frames_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(spool_module, "_BLOCK", 4)
    values = frames_of("torso", 10)
    spool = Spool(tmp_path)
    spool.append("torso", [values])
    blocks = list(spool.blocks("torso", count))
    assert all(1 <= len(block) <= 4 for block in blocks)
    np.testing.assert_array_equal(np.concatenate([np.empty(0), *blocks]), values[:count])
