"""Clips to a store: what it holds, that the same comes again, and that nothing half-made is left."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from posedata.clips import build as building
from posedata.clips.build import build_clips
from posedata.clips.recipe import ClipRecipe
from posedata.clips.store import ClipStore, open_clips
from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.files import sha256_file
from posedata.store import schema
from posedata.store.opened import verify

RECIPE = ClipRecipe(dataset="human36m")

Edit = Callable[[str, Callable[[NDArray[Any]], NDArray[Any]]], Path]


def hashes(store: Path) -> dict[str, str]:
    return {path.relative_to(store).as_posix(): sha256_file(path) for path in store.rglob("*") if path.is_file()}


def raw(root: Path, kind: str) -> NDArray[Any]:
    """All clips of both files, those that train first."""
    return np.concatenate([np.load(root / f"{kind}_clips_{name}.npy") for name in ("train", "valid")])


@pytest.fixture
def opened(clips: Path) -> ClipStore:
    return open_clips(clips)


def test_clips_are_those_of_the_files(opened: ClipStore, films: Path) -> None:
    every = np.arange(8)
    assert len(opened) == 64
    np.testing.assert_array_equal(opened.images(every), raw(films, "videoframes"))
    np.testing.assert_array_equal(opened.joints(every), raw(films, "joint_3d"))
    assert (opened.images(every).dtype, opened.joints(every).dtype) == (np.uint8, np.float32)
    np.testing.assert_array_equal(opened["clip"], np.repeat([0, 1, 2, 3, 4, 5, 0, 1], 8))
    np.testing.assert_array_equal(opened["position"], np.tile(np.arange(8), 8))
    np.testing.assert_array_equal(opened.images(np.asarray([7, 2])), raw(films, "videoframes")[[7, 2]])


def test_the_valid_file_validates_and_nobody_tests(opened: ClipStore) -> None:
    assert opened.clips("train").tolist() == [0, 1, 2, 3, 4, 5]
    assert opened.clips("validation").tolist() == [6, 7]
    with pytest.raises(ChoiceError, match="split 'test': expected one of train, validation"):
        opened.clips("test")
    assert opened.attributes["counts"] == {
        "frames": 64,
        "clips": 8,
        "splits": {"train": 6, "validation": 2},
        "left_out": 0,
    }
    (warning,) = opened.manifest.warnings
    assert warning.startswith("no test clips")


def test_what_is_measured(opened: ClipStore, films: Path) -> None:
    joints = raw(films, "joint_3d").astype(np.float64)
    sizes = np.ptp(joints, axis=2).max(axis=-1)
    assert opened.attributes["measured"] == {
        "median_extent": np.median(sizes),
        "up": "-y",
        "pelvis_at_origin": True,
    }
    assert opened.up == "-y"


def test_another_zarr_reader_reads_the_same(opened: ClipStore) -> None:
    group = zarr.open_group(opened.path, mode="r")
    assert dict(group.attrs) == opened.attributes
    positions = np.arange(len(opened))
    for name, array in opened.arrays.items():
        expected = opened.frames(name, positions) if array.spec.along_frames else opened[name]
        np.testing.assert_array_equal(np.asarray(group[name][...]), expected, err_msg=name)
    assert group["image"].metadata.dimension_names == ("frame", "row", "column", "channel")
    assert group["joint"][0] == "pelvis"


@pytest.mark.parametrize("small", [False, True], ids=["one shard", "many shards"])
def test_the_number_of_workers_does_not_show(
    small: bool, films: Path, opened: ClipStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = {name: opened[name] for name in opened.arrays}
    if small:  # neither a shard nor a chunk holds a whole number of clips, and one holds the end of the training set
        monkeypatch.setattr(schema, "SHARD_FRAMES", 20)
        monkeypatch.setattr(schema, "CHUNK_FRAMES", 5)
    for workers in (1, 4):
        build_clips(RECIPE, films, tmp_path / f"{workers}.zarr", workers=workers)
    assert hashes(tmp_path / "1.zarr") == hashes(tmp_path / "4.zarr")
    store = open_clips(tmp_path / "4.zarr")
    for name, values in usual.items():
        np.testing.assert_array_equal(store[name], values, err_msg=name)
    assert len(list((tmp_path / "1.zarr/image/c").iterdir())) == (4 if small else 1)


def test_where_files_lie_does_not_show(clips: Path, tree: Path, tmp_path: Path) -> None:
    build_clips(RECIPE, tree, tmp_path / "a.zarr")
    assert hashes(tmp_path / "a.zarr") == hashes(clips)


def test_verify_sees_a_flipped_bit(clips: Path, tmp_path: Path) -> None:
    store = Path(shutil.copytree(clips, tmp_path / "a.zarr"))
    assert verify(store)[1] == []
    path = store / "image/c/0/0/0/0"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    assert [problem.file for problem in verify(store)[1]] == ["image/c/0/0/0/0"]


def test_clips_with_bad_joints_are_left_out_with_their_frames(tree: Path, edit: Edit, tmp_path: Path) -> None:
    def damaged(joints: NDArray[Any]) -> NDArray[Any]:
        joints[[0, 3], 5] = np.nan
        return joints

    edit("joint_3d_clips_train", damaged)
    with pytest.raises(BadInputError, match="clip 0, frame 5: pelvis: expected finite metres"):
        build_clips(RECIPE, tree, tmp_path / "a.zarr")
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]
    report = build_clips(RECIPE, tree, tmp_path / "a.zarr", skip_bad=True)
    assert (report["clips"], report["left_out"], len(report["skipped"])) == (6, 2, 2)
    store = open_clips(tmp_path / "a.zarr")
    assert store["clip"][::8].tolist() == [1, 2, 4, 5, 0, 1]
    np.testing.assert_array_equal(store.images(np.arange(6)), raw(tree, "videoframes")[[1, 2, 4, 5, 6, 7]])
    np.testing.assert_array_equal(store.joints(np.arange(6)), raw(tree, "joint_3d")[[1, 2, 4, 5, 6, 7]])


def test_frames_that_seem_to_go_on_in_the_other_file_do_not(tree: Path, edit: Edit, tmp_path: Path) -> None:
    """Of the first file clip 0 is left, of the second clip 1."""
    kept = {"train": 0, "valid": 1}
    for name, clip in kept.items():
        edit(
            f"joint_3d_clips_{name}",
            lambda a, clip=clip: np.where(np.arange(len(a))[:, None, None, None] == clip, a, np.nan),
        )
    build_clips(RECIPE, tree, tmp_path / "a.zarr", skip_bad=True)
    expected = np.stack([np.load(tree / f"videoframes_clips_{name}.npy")[clip] for name, clip in kept.items()])
    np.testing.assert_array_equal(open_clips(tmp_path / "a.zarr").images(np.arange(2)), expected)


class KilledError(BaseException):
    """Stands for SIGKILL."""


def test_a_killed_build_goes_on_behind_its_finished_shards(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "SHARD_FRAMES", 16)
    monkeypatch.setattr(schema, "CHUNK_FRAMES", 8)
    build_clips(RECIPE, films, tmp_path / "whole.zarr")
    real, made = building._arrays, []
    stage = tmp_path / ".a.zarr.building"

    def arrays(plan: Any, shard: int) -> Any:
        if len(made) == 2:
            # What a killed process leaves: a signal that can be caught would have it removed.
            shutil.copytree(stage, tmp_path / "kept")
            raise KilledError
        made.append(shard)
        return real(plan, shard)

    monkeypatch.setattr(building, "_arrays", arrays)
    with pytest.raises(KilledError):
        build_clips(RECIPE, films, tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()
    assert not stage.exists()
    (tmp_path / "kept").rename(stage)
    made.clear()
    monkeypatch.setattr(building, "_arrays", lambda plan, shard: made.append(shard) or real(plan, shard))
    build_clips(RECIPE, films, tmp_path / "a.zarr")
    assert made == [2, 3]
    assert hashes(tmp_path / "a.zarr") == hashes(tmp_path / "whole.zarr")


def test_a_file_that_changes_meanwhile_is_seen(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = building.make_plan

    def plan(*arguments: Any) -> Any:
        path = tree / "videoframes_clips_train.npy"
        path.write_bytes(path.read_bytes()[:-1] + b"\1")
        return real(*arguments)

    monkeypatch.setattr(building, "make_plan", plan)
    with pytest.raises(BadInputError, match="expected the file that was read before, found another"):
        build_clips(RECIPE, tree, tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()


def test_a_dry_run_tells_the_same_and_writes_nothing(films: Path, tmp_path: Path) -> None:
    told = build_clips(RECIPE, films, tmp_path / "a.zarr", dry_run=True)
    assert not list(tmp_path.iterdir())
    built = build_clips(RECIPE, films, tmp_path / "a.zarr")
    differing = {"bytes", "content_digest", "seconds"}
    assert {k: v for k, v in told.items() if k not in differing} == {
        k: v for k, v in built.items() if k not in differing
    }
    with pytest.raises(ConflictError):
        build_clips(RECIPE, films, tmp_path / "a.zarr", dry_run=True)
