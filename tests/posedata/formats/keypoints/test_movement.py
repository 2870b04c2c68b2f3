"""netCDF files of the package `movement`: its own, and damaged ones."""

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5netcdf
import h5py
import numpy as np
import pytest
import xarray
from one_child import one_child

from posedata.errors import BadInputError
from posedata.formats import FORMATS, keypoints
from posedata.formats.keypoints import movement
from posedata.isolated.netcdf import load_netcdf
from posedata.poses import PoseSequence
from posedata.skeleton import INDEX

Write = Callable[..., Path]
Read = Callable[[Path], dict[str, PoseSequence]]

POSITION = np.random.default_rng(0).uniform(10, 400, (6, 2, 3, 2))
NAMES = ["hip_r", "left_eye", "nose"]
SLOTS = [INDEX["right_hip"], INDEX["nose"]]


@pytest.fixture(scope="module", autouse=True)
def child() -> Iterator[None]:
    with one_child(keypoints, "netCDF", load_netcdf):
        yield


def dataset(position: np.ndarray = POSITION, **attributes: Any) -> xarray.Dataset:  # type: ignore[type-arg]
    """As movement makes them; frames from 10, or seconds where there is an fps."""
    frames = np.arange(10, 10 + len(position))
    fps = attributes.get("fps")
    time, unit = (frames / fps, "seconds") if fps else (frames, "frames")
    dims = ("time", "space", "keypoints", "individuals")
    coordinates = (time, ["x", "y"], NAMES[: position.shape[2]], ["ann", "bob"][: position.shape[3]])
    return xarray.Dataset(
        {"position": (dims, position), "confidence": (dims[:1] + dims[2:], np.full(position[:, 0].shape, np.nan))},
        coords=dict(zip(dims, coordinates, strict=True)),
        attrs={"ds_type": "poses", "source_software": "test", "time_unit": unit} | attributes,
    )


@pytest.fixture
def save(write: Write) -> Callable[..., Path]:
    """A folder with a.nc, changed before."""

    def save_tree(made: xarray.Dataset, engine: str | None = "h5netcdf", **fields: Any) -> Path:
        root = write({}, **fields)
        made.to_netcdf(root / "a.nc", engine=engine)
        return root

    return save_tree


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_every_individual_is_a_sequence(engine: str, save: Callable[..., Path], read_tree: Read) -> None:
    found = read_tree(save(dataset(), engine, fps=25))
    assert list(found) == ["a:ann", "a:bob"]
    for i, sequence in enumerate(found.values()):
        assert sequence.frame_number.tolist() == [10, 11, 12, 13, 14, 15]
        assert sequence.fps == 25.0
        np.testing.assert_array_equal(sequence.points[:, SLOTS], POSITION[:, :, [0, 2], i].transpose(0, 2, 1))
        assert np.isnan(np.delete(sequence.points, SLOTS, axis=1)).all()


def test_seconds_become_frames_of_the_files_own_rate(save: Callable[..., Path], read_tree: Read) -> None:
    found = read_tree(save(dataset(fps=29.97), fps=25))["a:ann"]
    assert (found.fps, found.frame_number.tolist()) == (29.97, [10, 11, 12, 13, 14, 15])


def test_an_fps_may_lie_in_an_array_of_one(save: Callable[..., Path], read_tree: Read) -> None:
    root = save(dataset(fps=29.97))
    with h5py.File(root / "a.nc", "a") as file:
        file.attrs["fps"] = np.asarray([[29.97]])
    found = read_tree(root)["a:ann"]
    assert (found.fps, found.frame_number.tolist()) == (29.97, [10, 11, 12, 13, 14, 15])


def test_nan_is_missing_and_low_confidence_too(save: Callable[..., Path], read_tree: Read) -> None:
    made = dataset(POSITION.copy())
    made["position"][2, :, 2, 0] = np.nan
    made["confidence"][:, 0, 0] = [0.1, 0.5, np.nan, 0.9, 0.2, 1]
    found = read_tree(save(made, confidence=0.5))["a:ann"]
    assert np.isnan(found.points[:, INDEX["nose"], 0]).tolist() == [False, False, True, False, False, False]
    assert np.isnan(found.points[:, INDEX["right_hip"], 0]).tolist() == [True, False, False, False, True, False]


def test_the_order_of_dimensions_does_not_matter_nor_is_confidence_needed(
    save: Callable[..., Path], read_tree: Read
) -> None:
    made = dataset().drop_vars("confidence").transpose("individuals", "keypoints", "time", "space")
    found = read_tree(save(made))["a:bob"]
    np.testing.assert_array_equal(found.points[:, SLOTS[1]], POSITION[:, :, 2, 1])


@pytest.mark.filterwarnings("ignore:numpy.ndarray size changed")  # as netCDF4 is imported
@pytest.mark.parametrize("fps", [None, 30.0])
def test_what_movement_itself_writes_is_read(fps: float | None, write: Write, read_tree: Read) -> None:
    load_poses = pytest.importorskip("movement.io.load_poses", reason="the package movement is not installed")
    confidence = np.full((6, 3, 2), 0.75)
    made = load_poses.from_numpy(
        POSITION,
        confidence,
        individual_names=["ann", "bob"],
        keypoint_names=NAMES,
        fps=fps,
        source_software="DeepLabCut",
    )
    root = write({}, confidence=0.7)
    made.to_netcdf(root / "a.nc")
    found = read_tree(root)
    assert [len(sequence) for sequence in found.values()] == [6, 6]
    np.testing.assert_array_equal(found["a:bob"].points[:, SLOTS[1]], POSITION[:, :, 2, 1])
    assert found["a:ann"].frame_number.tolist() == [0, 1, 2, 3, 4, 5]
    assert np.array_equal(found["a:ann"].fps, fps or np.nan, equal_nan=True)


def times(values: list[float], **attributes: Any) -> Callable[[xarray.Dataset], xarray.Dataset]:
    return lambda d: d.assign_coords(time=values).assign_attrs(attributes)


FAULTS: dict[str, tuple[Callable[[xarray.Dataset], xarray.Dataset], str]] = {
    "no position": (lambda d: d.drop_vars("position"), "expected a netCDF file, found no position"),
    "no names": (lambda d: d.drop_vars("keypoints"), "found no keypoints; is it a dataset of poses"),
    "boxes": (lambda d: d.assign_attrs(ds_type="bboxes"), "ds_type: expected poses, found 'bboxes'"),
    "other dimension": (lambda d: d.expand_dims(view=2), "netCDF file, found .*view"),
    "unknown joint": (
        lambda d: d.assign_coords(keypoints=["a", "b", "nose"]),
        "keypoints: expected joints .*found a, b",
    ),
    "joint twice": (lambda d: d.assign_coords(keypoints=["nose"] * 3), "keypoints: expected each joint once"),
    "person twice": (lambda d: d.assign_coords(individuals=["x", "x"]), "individuals: expected names, each once"),
    "person nameless": (lambda d: d.assign_coords(individuals=["x", ""]), "individuals: expected names"),
    "y x": (lambda d: d.assign_coords(space=["y", "x"]), r"space: expected \['x', 'y'\], found \['y', 'x'\]"),
    "numbered joints": (lambda d: d.assign_coords(keypoints=[0, 1, 2]), "keypoints: expected text, found int64"),
    "text": (lambda d: d.assign(position=d.position.astype(str)), "position: expected numbers, found <U"),
    "unit": (times([10, 11, 12, 13, 14, 15], time_unit="minutes"), "time_unit: expected seconds or frames"),
    "no fps": (times([0, 1, 2, 3, 4, 5], time_unit="seconds"), "fps: expected beside times in seconds"),
    "fps 0": (lambda d: d.assign_attrs(fps=0.0), "fps: expected above 0"),
    "fps text": (lambda d: d.assign_attrs(fps="30"), "fps: expected numbers"),
    "other rate": (
        times([0, 0.1, 0.2, 0.3, 0.4, 0.5], time_unit="seconds", fps=25.0),
        "time: expected whole frames .*0.1 at 1",
    ),
    "time nan": (times([0, 1, np.nan, 3, 4, 5]), "time: expected whole frames .*nan at 2"),
    "time before 0": (times([-1, 0, 1, 2, 3, 4]), "time: expected whole frames .*-1 at 0"),
    "time endless": (times([0, 1, 2, 3, 4, 1e30]), "time: expected whole frames"),
    "time falls": (times([0, 1, 2, 2, 4, 5]), "ann: keypoints/a:ann: frame_number: expected strictly increasing"),
    "empty": (lambda d: d.isel(time=slice(0)), "position: expected 1 to 200,000 poses, found 0 frames of 2"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_told(kind: str, save: Callable[..., Path], read_tree: Read) -> None:
    change, word = FAULTS[kind]
    with pytest.raises(BadInputError, match=rf"a\.nc: .*{word}"):
        read_tree(save(change(dataset())))


def test_more_poses_than_can_be_meant_are_refused(save: Callable[..., Path], read_tree: Read) -> None:
    made = dataset(np.zeros((100_001, 2, 1, 2), np.float32))
    with pytest.raises(BadInputError, match="expected 1 to 200,000 poses, found 100,001 frames of 2 individuals"):
        read_tree(save(made))


def test_a_file_that_expands_without_end_is_refused(write: Write, read_tree: Read) -> None:
    root = write({})
    with h5netcdf.File(root / "a.nc", "w") as file:
        file.dimensions = {"time": 10_000_000, "space": 2, "keypoints": 1, "individuals": 2}
        file.create_variable("position", tuple(file.dimensions), "f8")
        for name in file.dimensions:
            file.create_variable(name, (name,), "i4")
    assert (root / "a.nc").stat().st_size < 1 << 16
    with pytest.raises(BadInputError, match=r"a\.nc: expected a netCDF file, found 360,000,020 bytes of values"):
        read_tree(root)


@pytest.mark.parametrize("content", [b"", b"garbage" * 100, b"\x89HDF\r\n\x1a\n" + bytes(500), b"CDF\x01" + bytes(100)])
def test_a_file_that_is_not_netcdf_is_refused(content: bytes, write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    root = write({})
    (root / "a.nc").write_bytes(content)
    dataset = FORMATS["keypoints"].open(root)
    with pytest.raises(BadInputError, match=r"a\.nc: expected a netCDF file, found"):
        dataset.read("a")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("absent", "named"), [({"xarray"}, "xarray"), ({"h5netcdf"}, "h5netcdf")])
def test_an_absent_library_is_named(
    absent: set[str], named: str, save: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = FORMATS["keypoints"].open(save(dataset()))
    find = importlib.util.find_spec
    monkeypatch.setattr(movement, "find_spec", lambda name: None if name in absent else find(name))
    with pytest.raises(ModuleNotFoundError) as caught:
        opened.items()
    assert caught.value.name == named


def test_the_command_names_the_extra(
    save: Callable[..., Path], command: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    shadow = tmp_path_factory.mktemp("shadow")
    (shadow / "sitecustomize.py").write_text(
        "import importlib.util as u\nf = u.find_spec\nu.find_spec = lambda n, *a: None if n == 'xarray' else f(n, *a)\n"
    )
    root = save(dataset())
    done = command("posedata", "build", "--dataset", "keypoints", "--raw", root, PYTHONPATH=f"{shadow}:{Path.cwd()}")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: xarray: expected the package, found it missing; pip install 'posedata[movement]'"
    ]


def test_other_kinds_need_no_library(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(movement, "find_spec", lambda name: None)
    root = write({"a.csv": "frame,joint,x,y\n0,nose,1,2\n"})
    assert FORMATS["keypoints"].open(root).items() == ["a"]
    assert json.loads((root / "keypoints.json").read_text())["joints"]
