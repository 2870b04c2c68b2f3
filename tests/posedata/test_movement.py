import json
from pathlib import Path

import numpy as np
import pytest

from posedata.build import build_store
from posedata.config import Recipe, Selection
from posedata.errors import BadInputError
from posedata.formats import find_format
from posedata.movement import to_movement
from posedata.skeleton import INDEX, KEYPOINTS, K
from posedata.store.reader import Store, open_store
from posedata.store.views import input_peaks, sequence_frames, sequence_names


@pytest.fixture
def store(stores: dict[str, Path]) -> Store:
    return open_store(stores["brace"])


def test_positions_are_the_sources_own_pixels(store: Store, raw_trees: dict[str, Path]) -> None:
    name = sequence_names(store)[0]
    sequence = find_format("brace").open(raw_trees["brace"]).read(name.partition("/")[2])
    dataset = to_movement(store, name)
    assert dataset.position.dims == ("time", "space", "keypoints", "individuals")
    assert dataset.position.shape == (len(sequence), 2, K, 1)
    found = dataset.position.transpose("time", "keypoints", "space", "individuals").values[..., 0]
    boxed = ~np.isnan(store.frames("box", sequence_frames(store, name))[:, :1, None])
    np.testing.assert_allclose(found, np.where(boxed, sequence.points, np.nan), atol=1e-2)
    nose = dataset.position.sel(keypoints="nose", individuals=sequence.name)
    np.testing.assert_array_equal(nose.sel(space="y"), found[:, INDEX["nose"], 1])
    assert dataset.confidence.dims == ("time", "keypoints", "individuals")
    assert np.isnan(dataset.confidence).all()


def test_times_are_those_of_the_source(store: Store, stores: dict[str, Path]) -> None:
    name = sequence_names(store)[0]
    number, fps = store["frame_number"][sequence_frames(store, name)], float(store["sequence_fps"][0])
    dataset = to_movement(store, name)
    assert (dataset.attrs["time_unit"], dataset.attrs["fps"]) == ("seconds", fps)
    np.testing.assert_allclose(dataset.time * fps, number)
    penn = open_store(stores["penn_action"])
    unknown = to_movement(penn, sequence_names(penn)[1])
    assert unknown.attrs["time_unit"] == "frames"
    assert "fps" not in unknown.attrs
    assert unknown.time.values.tolist() == penn["frame_number"][sequence_frames(penn, sequence_names(penn)[1])].tolist()


def test_other_positions_are_handed_over_alike(store: Store) -> None:
    """A grid position of 28, 28 is the middle of every box."""
    name = sequence_names(store)[2]
    frames = sequence_frames(store, name)
    dataset = to_movement(store, name, np.full((len(frames), K, 2), 28.0))
    box = store.frames("box", frames).astype(np.float64)
    middle = (box[:, :2] + box[:, 2:]) / 2
    np.testing.assert_allclose(dataset.position.values[:, :, 4, 0], middle, atol=1e-9)
    peaks = to_movement(store, name, input_peaks(store, frames)).position.values[..., 0].transpose(0, 2, 1)
    off = np.abs(peaks - to_movement(store, name).position.values[..., 0].transpose(0, 2, 1))
    assert 1 < np.nanmean(off) < 0.5 * np.nanmean(box[:, 2] - box[:, 0])


def test_what_is_saved_is_read_again_as_annotations(store: Store, tmp_path: Path) -> None:
    names = sequence_names(store)[:3]
    (tmp_path / "raw").mkdir()
    for number, name in enumerate(names):
        to_movement(store, name).to_netcdf(tmp_path / "raw" / f"{number}.nc", engine="h5netcdf")
    (tmp_path / "raw" / "keypoints.json").write_text(json.dumps({"joints": {name: name for name in KEYPOINTS}}))
    recipe = Recipe(datasets=(Selection(dataset="keypoints"),))
    build_store(recipe, {"keypoints": tmp_path / "raw"}, tmp_path / "again.zarr")
    again = open_store(tmp_path / "again.zarr")
    for number, name in enumerate(names):
        ours = sequence_frames(store, name)
        ours = ours[store["annotated"][ours].any(axis=1)]
        theirs = sequence_frames(again, sequence_names(again)[number])
        theirs = theirs[again["annotated"][theirs].any(axis=1)]
        assert again["frame_number"][theirs].tolist() == store["frame_number"][ours].tolist()
        np.testing.assert_allclose(again["target_points"][theirs], store["target_points"][ours], atol=1e-3)


@pytest.mark.parametrize("shape", [(5, K, 2), (40, 24, 2), (40, K, 3), (K, 2)])
def test_points_of_another_shape_are_refused(shape: tuple[int, ...], store: Store) -> None:
    with pytest.raises(BadInputError, match=r"^points: expected \(\d+, 25, 2\), found \("):
        to_movement(store, sequence_names(store)[0], np.zeros(shape))


def test_an_unknown_sequence_is_told(store: Store) -> None:
    with pytest.raises(BadInputError, match=r"^sequence nobody: expected one of the store"):
        to_movement(store, "nobody")


def test_the_package_movement_takes_it(store: Store) -> None:
    validators = pytest.importorskip("movement.validators.datasets", reason="movement is not installed")
    from movement.filtering import rolling_filter

    dataset = to_movement(store, sequence_names(store)[0])
    validators.ValidPosesInputs.validate(dataset)
    smooth = rolling_filter(dataset.position, window=3, statistic="median")
    assert smooth.shape == dataset.position.shape
