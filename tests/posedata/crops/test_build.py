"""Photographs to a store: what it holds, that the same comes again, and that nothing half-made is left."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import zarr

from posedata.crops import build as building
from posedata.crops.build import build_crops
from posedata.crops.geometry import Square
from posedata.crops.images import cut
from posedata.crops.recipe import CropRecipe
from posedata.crops.store import CropStore, open_crops
from posedata.errors import BadInputError, ConflictError
from posedata.files import sha256_file
from posedata.manifest import read_manifest
from posedata.splits import SPLITS
from posedata.store import schema
from posedata.store.opened import verify

RECIPE = CropRecipe(dataset="coco")

Edit = Callable[[Callable[[dict[str, Any]], object]], Path]


def hashes(store: Path) -> dict[str, str]:
    return {path.relative_to(store).as_posix(): sha256_file(path) for path in store.rglob("*") if path.is_file()}


@pytest.fixture
def opened(crops: Path) -> CropStore:
    return open_crops(crops)


def test_crops_are_cut_around_their_people(opened: CropStore, photographs: Path) -> None:
    crops = opened.frames("crop", np.arange(len(opened)))
    assert crops.shape == (len(opened), 256, 256, 3)
    names, sets, of = opened["image_name"], opened["image_set"], opened["image"]
    for position in range(len(opened)):
        number = of[position]
        shown = cv2.imread(str(photographs / sets[number] / names[number]))[:, :, ::-1]
        left, top, right, bottom = opened["box"][position].astype(int).tolist()
        assert right - left == bottom - top
        np.testing.assert_array_equal(crops[position], cut(shown, Square(left, top, right - left)))


def test_keypoints_are_those_of_the_annotations(opened: CropStore, photographs: Path) -> None:
    told = {}
    for path in (photographs / "annotations").iterdir():
        told |= {each["id"]: each for each in json.loads(path.read_text())["annotations"]}
    for position, key in enumerate(opened["annotation_id"].tolist()):
        given = np.asarray(told[key]["keypoints"]).reshape(17, 3)
        left, top, right, _ = opened["box"][position]
        seen = opened["visibility"][position]
        np.testing.assert_array_equal(seen, given[:, 2])
        points = opened["points"][position][seen > 0] * (right - left) / 64 + (left, top)
        np.testing.assert_allclose(points, given[seen > 0, :2], atol=1e-4)
        assert np.isnan(opened["points"][position][seen == 0]).all()
        assert told[key]["image_id"] == opened["image_id"][opened["image"][position]]


def test_another_zarr_reader_reads_the_same(opened: CropStore) -> None:
    group = zarr.open_group(opened.path, mode="r")
    assert dict(group.attrs) == opened.attributes
    positions = np.arange(len(opened))
    for name, array in opened.arrays.items():
        expected = opened.frames(name, positions) if array.spec.along_frames else opened[name]
        np.testing.assert_array_equal(np.asarray(group[name][...]), expected, err_msg=name)


def test_counts_and_what_is_left_out(opened: CropStore) -> None:
    counts, skipped = opened.attributes["counts"], read_manifest(opened.path).skipped
    assert counts["frames"] == len(opened) == sum(counts["splits"].values())
    assert counts["visible_keypoints"] == (opened["visibility"] == 2).sum()
    assert counts["occluded_keypoints"] == (opened["visibility"] == 1).sum()
    assert counts["left_out"] == {"crowds, not people": 4, "people without a labelled keypoint": 8}
    assert [entry.reason for entry in skipped if entry.item == "coco/val2017"] == [
        "2 people without a labelled keypoint: 402, 1601",
        "1 crowds, not people: 1602",
    ]


def test_splits_go_by_image(opened: CropStore) -> None:
    val = opened["image_set"][opened["image"]] == "val2017"
    assert (opened["split"][val] == SPLITS["validation"]).all()
    assert set(opened["split"][~val]) == {SPLITS["train"], SPLITS["test"]}
    by_image = {tuple(pair) for pair in np.column_stack([opened["image"], opened["split"]]).tolist()}
    assert len(by_image) == opened.attributes["counts"]["images"]


def test_people_of_one_image_stand_side_by_side_whatever_their_ids(edit: Edit, tree: Path, tmp_path: Path) -> None:
    def shuffle(told: dict[str, Any]) -> None:
        for annotation in told["annotations"]:
            annotation["id"] = 7919 * annotation["id"] % 100_003

    edit(shuffle)
    build_crops(RECIPE, tree, tmp_path / "a.zarr")
    store = open_crops(tmp_path / "a.zarr")
    assert (np.diff(store["image"]) >= 0).all()
    assert len(set(zip(store["image_set"], store["image_id"].tolist(), strict=True))) == len(store["image_id"])
    for image in np.unique(store["image"]):
        assert (np.diff(store["annotation_id"][store["image"] == image]) > 0).all()


def test_the_mean_is_that_of_the_training_set(opened: CropStore) -> None:
    training = opened.positions("train")
    crops = opened.frames("crop", training)
    np.testing.assert_allclose(opened.mean_rgb, crops.mean(axis=(0, 1, 2)), rtol=1e-12)
    centred = opened.centred(training)
    assert centred.dtype == np.float32
    np.testing.assert_allclose(centred.mean(axis=(0, 1, 2), dtype=np.float64), 0, atol=1e-4)


def test_heatmaps_peak_in_the_cells_of_the_keypoints(opened: CropStore) -> None:
    positions = np.asarray([3, 0])
    heatmaps, points = opened.heatmaps(positions), opened.frames("points", positions)
    assert heatmaps.shape == (2, 17, 64, 64)
    flat = heatmaps.reshape(2, 17, -1)
    labelled = ~np.isnan(points[..., 0])
    np.testing.assert_array_equal(flat.any(axis=-1), labelled)
    y, x = np.divmod(flat.argmax(axis=-1), 64)
    np.testing.assert_array_equal(np.stack([x, y], axis=-1)[labelled], np.floor(points[labelled]))


@pytest.mark.parametrize("small", [False, True], ids=["one shard", "many shards"])
def test_the_number_of_workers_does_not_show(
    small: bool, photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if small:
        monkeypatch.setattr(schema, "SHARD_FRAMES", 8)
        monkeypatch.setattr(schema, "CHUNK_FRAMES", 4)
    for workers in (1, 4):
        build_crops(RECIPE, photographs, tmp_path / f"{workers}.zarr", workers=workers)
    assert hashes(tmp_path / "1.zarr") == hashes(tmp_path / "4.zarr")
    assert len(list((tmp_path / "1.zarr/crop/c").iterdir())) > 3 or not small


def test_verify_sees_a_flipped_bit(photographs: Path, tmp_path: Path) -> None:
    store = tmp_path / "a.zarr"
    build_crops(RECIPE, photographs, store)
    assert verify(store)[1] == []
    path = store / "crop/c/0/0/0/0"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    assert [problem.file for problem in verify(store)[1]] == ["crop/c/0/0/0/0"]


def test_sigmas_and_seed_are_the_recipe_s(photographs: Path, tmp_path: Path, crops: Path) -> None:
    build_crops(CropRecipe(dataset="coco", sigma_visible=1.0, sigma_occluded=0.5), photographs, tmp_path / "a.zarr")
    one, other = open_crops(crops), open_crops(tmp_path / "a.zarr")
    assert one.manifest.content_digest != other.manifest.content_digest
    positions = np.arange(len(one))
    seen = one["visibility"] == 2
    assert (one.heatmaps(positions)[seen].max() > other.heatmaps(positions)[seen].max()).all()


class KilledError(BaseException):
    """Stands for SIGKILL."""


def test_a_killed_build_goes_on_behind_its_finished_shards(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "SHARD_FRAMES", 8)
    monkeypatch.setattr(schema, "CHUNK_FRAMES", 4)
    build_crops(RECIPE, photographs, tmp_path / "whole.zarr")
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
        build_crops(RECIPE, photographs, tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()
    assert not stage.exists()
    (tmp_path / "kept").rename(stage)
    made.clear()
    monkeypatch.setattr(building, "_arrays", lambda plan, shard: made.append(shard) or real(plan, shard))
    build_crops(RECIPE, photographs, tmp_path / "a.zarr")
    assert made[:1] == [2]
    assert hashes(tmp_path / "a.zarr") == hashes(tmp_path / "whole.zarr")


def test_a_photograph_that_changes_meanwhile_is_seen(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = building.make_plan

    def plan(*arguments: Any) -> Any:
        path = tree / "train2017/000000000001.jpg"
        path.write_bytes(path.read_bytes() + b"\xff\xd9")
        return real(*arguments)

    monkeypatch.setattr(building, "make_plan", plan)
    with pytest.raises(BadInputError, match="expected the file that was read before, found another"):
        build_crops(RECIPE, tree, tmp_path / "a.zarr")
    assert not (tmp_path / "a.zarr").exists()


def test_a_bad_photograph_ends_the_build_or_is_listed(tree: Path, tmp_path: Path, crops: Path) -> None:
    (tree / "train2017/000000000001.jpg").unlink()
    with pytest.raises(BadInputError, match=r"train2017/000000000001\.jpg: image 1: expected an image"):
        build_crops(RECIPE, tree, tmp_path / "a.zarr")
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]
    report = build_crops(RECIPE, tree, tmp_path / "a.zarr", skip_bad=True)
    assert report["images"] == open_crops(crops).attributes["counts"]["images"] - 1
    listed = [entry["reason"] for entry in report["skipped"]]
    assert "train2017/000000000001.jpg: image 1: expected an image, found No such file or directory" in listed


def test_a_bad_annotation_ends_the_build_or_is_listed(edit: Edit, tree: Path, tmp_path: Path) -> None:
    edit(lambda told: told["annotations"][0].update(bbox=[0, 0, 9999, 1]))
    with pytest.raises(BadInputError, match="annotation 100: bbox: expected"):
        build_crops(RECIPE, tree, tmp_path / "a.zarr")
    report = build_crops(RECIPE, tree, tmp_path / "a.zarr", skip_bad=True)
    assert any("annotation 100: bbox" in entry["reason"] for entry in report["skipped"])
    assert 100 not in open_crops(tmp_path / "a.zarr")["annotation_id"]


def test_keypoints_outside_their_crop_are_counted_and_not_labelled(edit: Edit, tree: Path, tmp_path: Path) -> None:
    def far(told: dict[str, Any]) -> None:
        keypoints = told["annotations"][0]["keypoints"]
        keypoints[:] = [0] * 51
        # 480 x 360: a square of 360 about x = 240 reaches from 60 to 420.
        keypoints[0:3], keypoints[3:6], keypoints[6:9] = (1, 100, 2), (479, 100, 1), (240, 100, 2)
        told["annotations"][0]["bbox"] = [0, 0, 480, 360]

    edit(far)
    report = build_crops(RECIPE, tree, tmp_path / "a.zarr")
    store = open_crops(tmp_path / "a.zarr")
    position = store["annotation_id"].tolist().index(100)
    assert report["keypoints_outside"] == 2
    assert store["visibility"][position].nonzero()[0].tolist() == [2]


def test_a_person_whose_keypoints_all_lie_outside_is_left_out(edit: Edit, tree: Path, tmp_path: Path) -> None:
    def far(told: dict[str, Any]) -> None:
        keypoints = told["annotations"][0]["keypoints"]
        keypoints[:] = [0] * 51
        keypoints[0:3], keypoints[3:6] = (1, 100, 2), (479, 100, 1)
        told["annotations"][0]["bbox"] = [0, 0, 480, 360]

    edit(far)
    report = build_crops(RECIPE, tree, tmp_path / "a.zarr")
    assert report["left_out"]["people without a labelled keypoint in their crop"] == 1
    assert 100 not in open_crops(tmp_path / "a.zarr")["annotation_id"]


def test_photographs_beside_their_annotations_with_another_folder_beside_them(tree: Path, tmp_path: Path) -> None:
    raw = tree / "train2017"
    (tree / "annotations" / "person_keypoints_train2017.json").rename(raw / "mine.json")
    (raw / "masks").mkdir()
    build_crops(RECIPE, raw, tmp_path / "a.zarr")
    assert len(open_crops(tmp_path / "a.zarr")) > 0


def test_nobody_at_all_is_an_error(edit: Edit, tree: Path, tmp_path: Path) -> None:
    edit(lambda told: told["annotations"].clear())
    (tree / "annotations/person_keypoints_val2017.json").unlink()
    with pytest.raises(BadInputError, match="expected at least one person with labelled keypoints"):
        build_crops(RECIPE, tree, tmp_path / "a.zarr")


def test_without_a_training_set_there_is_no_mean(tree: Path, tmp_path: Path) -> None:
    (tree / "annotations/person_keypoints_train2017.json").unlink()
    report = build_crops(RECIPE, tree, tmp_path / "a.zarr")
    assert report["mean_rgb"] is None
    assert report["warnings"] == ["no train crops", "no test crops"]
    with pytest.raises(BadInputError, match="expected crops that train"):
        _ = open_crops(tmp_path / "a.zarr").mean_rgb


def test_a_dry_run_tells_the_same_and_writes_nothing(photographs: Path, tmp_path: Path) -> None:
    told = build_crops(RECIPE, photographs, tmp_path / "a.zarr", dry_run=True)
    assert not list(tmp_path.iterdir())
    built = build_crops(RECIPE, photographs, tmp_path / "a.zarr")
    differing = {"bytes", "content_digest", "seconds"}
    assert {k: v for k, v in told.items() if k not in differing} == {
        k: v for k, v in built.items() if k not in differing
    }
    with pytest.raises(ConflictError):
        build_crops(RECIPE, photographs, tmp_path / "a.zarr", dry_run=True)
