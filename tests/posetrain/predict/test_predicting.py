"""From inputs of every kind to outputs of every kind, by runs that answer what they are given."""

import csv
import json
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray
from numpy.typing import NDArray

from posedata.build import build_store
from posedata.config import Recipe, Selection
from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.formats.climbalong import read_detector
from posedata.formats.keypoints.coco import read_coco
from posedata.formats.keypoints.kinds import kind_of
from posedata.formats.keypoints.movement import read_movement
from posedata.formats.keypoints.results import read_results
from posedata.formats.keypoints.table import read_table
from posedata.formats.keypoints.tracks import Track
from posedata.geometry import count_outside, to_grid, to_pixels
from posedata.heatmaps import gaussians
from posedata.isolated.child import ChildReader
from posedata.isolated.netcdf import load_netcdf
from posedata.poses import Note
from posedata.progress import Advance, silent
from posedata.skeleton import BODY_25, COCO_17, INDEX, KEYPOINTS, MEDIAPIPE_33
from posedata.store.reader import open_store
from posedata.store.views import input_peaks, sequence_frames, sequence_names
from posetrain.data import Windows
from posetrain.predict import predicting
from posetrain.predict.inputs import open_input
from posetrain.predict.joints import PlainMap
from posetrain.predict.outputs import find_writer
from posetrain.predict.predicting import predict
from posetrain.trained import find_trained

CPU = torch.device("cpu")
Floats = NDArray[np.float64]
Walk = Callable[..., Floats]
MakeRun = Callable[..., Path]
PLACES = [(i, INDEX[name]) for i, name in enumerate(COCO_17) if name]
ONES = np.ones((20, 25))
PEOPLE = {"1": (0, 30), "2": (4, 26)}
"""Name of a person -> first frame and frames."""


@pytest.fixture
def still(make_run: MakeRun) -> str:
    """A run that answers the points that it is given."""
    return str(make_run("deciwatch", is_still=True))


@pytest.fixture
def people(walk: Walk) -> dict[str, Track]:
    made = {}
    for i, (name, (first, frames)) in enumerate(PEOPLE.items()):
        confidence = np.random.default_rng(i).uniform(0.1, 1, (frames, 25)).round(3)
        made[name] = Track(np.arange(first, first + frames), walk(frames, seed=i), confidence)
    return made


def write_csv(path: Path, people: dict[str, Track]) -> Path:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["y", "frame", "person", "joint", "x", "confidence"])
        for person, track in people.items():
            for frame, pose, told in zip(track.frame_number, track.points, track.confidence, strict=True):
                for joint, (x, y), one in zip(KEYPOINTS, pose, told, strict=True):
                    rows.writerow(["" if np.isnan(y) else y, frame, person, joint, "" if np.isnan(x) else x, one])
    return path


def write_coco(path: Path, people: dict[str, Track]) -> Path:
    """17 joints that no category names; eyes are at 1, 1; ids and fields of somebody's own."""
    images = [{"id": 100 + n, "file_name": f"a_{n:04d}.png", "width": 1280, "height": 720} for n in range(30)]
    annotations: list[dict[str, Any]] = []
    for person, track in people.items():
        for frame, pose, told in zip(track.frame_number.tolist(), track.points, track.confidence, strict=True):
            joints = np.tile([1.0, 1.0, 0.5], (17, 1))
            for i, place in PLACES:
                joints[i] = 0 if np.isnan(pose[place]).any() else [*pose[place], told[place]]
            one = {"id": len(annotations) + 7, "image_id": 100 + frame, "track_id": int(person), "score": 0.5}
            annotations.append(one | {"keypoints": joints.ravel().tolist()})
    path.write_text(json.dumps({"info": {"year": 1}, "images": images, "annotations": annotations}))
    return path


def write_results(path: Path, people: dict[str, Track]) -> Path:
    """Likewise, as a detector gives them that follows people: a list of poses."""
    coco = json.loads(write_coco(path, people).read_text())
    shown = [one | {"image_id": one["image_id"] - 100, "category_id": 1} for one in coco["annotations"]]
    path.write_text(json.dumps(shown))
    return path


def write_movement(path: Path, people: dict[str, Track]) -> Path:
    position, told = np.full((30, 2, 25, 2), np.nan), np.full((30, 25, 2), np.nan)
    for i, track in enumerate(people.values()):
        position[track.frame_number, :, :, i] = track.points.transpose(0, 2, 1)
        told[track.frame_number, :, i] = track.confidence
    dims = ("time", "space", "keypoints", "individuals")
    xarray.Dataset(
        {"position": (dims, position), "confidence": (("time", "keypoints", "individuals"), told)},
        coords={
            "time": np.arange(30) / 25,
            "space": ["x", "y"],
            "keypoints": list(KEYPOINTS),
            "individuals": list(people),
        },
        attrs={"ds_type": "poses", "fps": 25.0, "time_unit": "seconds"},
    ).to_netcdf(path, engine="h5netcdf")
    return path


def write_arrays(path: Path, people: dict[str, Track]) -> Path:
    np.savez(
        path,
        points=np.concatenate([track.points for track in people.values()]),
        confidence=np.concatenate([track.confidence for track in people.values()]),
        frame_number=np.concatenate([track.frame_number for track in people.values()]),
        person=np.repeat(np.arange(len(people)), [len(track.frame_number) for track in people.values()]),
        person_name=[*people],
        keypoint=KEYPOINTS,
    )
    return path


def write_openpose(path: Path, people: dict[str, Track]) -> Path:
    path.mkdir()
    for n in range(30):
        shown = []
        for person, track in people.items():
            if n in track.rows:
                joints = np.zeros((25, 3))
                for i, name in enumerate(BODY_25):
                    point = track.points[track.rows[n], INDEX[name]] if name else np.ones(2)
                    joints[i] = 0 if np.isnan(point).any() else [*point, 0.5]
                shown.append({"person_id": [int(person)], "pose_keypoints_2d": joints.ravel().tolist()})
        (path / f"cam1_{n:012d}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": shown}))
    return path


def write_mediapipe(path: Path, track: Track, field: str = "pose_landmarks") -> Path:
    """Of one person, in an image whose size a keypoints.json tells; what is missing lies outside of it."""
    (path.parent / "keypoints.json").write_text(json.dumps({"width": 1280, "height": 720, "fps": 25}))
    entries: list[Any] = [None] * 30
    for frame, pose, told in zip(track.frame_number.tolist(), track.points, track.confidence, strict=True):
        person = []
        for name in MEDIAPIPE_33:
            x, y = pose[INDEX[name]] / [1280, 720] if name else (0.5, 0.5)
            there = {"x": -0.25, "y": 0.5} if np.isnan(x + y) else {"x": x, "y": y}
            person.append(there | {"z": -0.125, "visibility": told[INDEX[name]] if name else 0.5, "presence": 0.75})
        world = [{"x": 0.1, "y": 0.2, "z": 0.3}] * 33
        entries[frame] = {field: [person] if field == "pose_landmarks" else person, "pose_world_landmarks": [world]}
    lines = [json.dumps(entry) for entry in entries]
    path.write_text("\n".join(lines) + "\n" if path.suffix == ".jsonl" else f"[{', '.join(lines)}]")
    return path


def entries_of(path: Path) -> list[Any]:
    """Of a file of MediaPipe's results."""
    text = path.read_text()
    return [json.loads(line) for line in text.splitlines()] if path.suffix == ".jsonl" else json.loads(text)


INPUTS = {
    "in.csv": write_csv,
    "in.json": write_coco,
    "results.json": write_results,
    "in.nc": write_movement,
    "in.npz": write_arrays,
    "openpose": write_openpose,
}


def rows_of(path: Path) -> list[dict[str, str]]:
    return [*csv.DictReader(path.read_text().splitlines())]


def opened(path: Path) -> xarray.Dataset:
    return xarray.open_dataset(path, engine="h5netcdf", decode_times=False)


def read_any(path: Path) -> dict[str, Track]:
    """The people of an output."""
    if path.suffix == ".csv":
        return read_table(path, PlainMap().need_joints(path)).tracks
    if path.suffix == ".json":
        return (read_results if kind_of(path) == "results" else read_coco)(path, PlainMap()).tracks
    if path.suffix == ".nc":
        return read_movement(path, PlainMap().need_joints(path), ChildReader("netCDF", load_netcdf)).tracks
    with np.load(path) as found:
        of = {name: found["person"] == i for i, name in enumerate(found["person_name"].tolist())}
        return {
            name: Track(found["frame_number"][own], found["points"][own], found["confidence"][own])
            for name, own in of.items()
        }


def test_it_tells_that_a_long_file_is_read(
    still: str, people: dict[str, Track], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, told = write_csv(tmp_path / "in.csv", people), list[str]()

    def progress(what: str, total: int, unit: str) -> AbstractContextManager[Advance]:
        told.append(f"{what} {total} {unit}")
        return silent(what, total, unit)

    predict(still, given, tmp_path / "a.csv", CPU, progress=progress)
    monkeypatch.setattr(predicting, "_LONG", given.stat().st_size - 1)
    predict(still, given, tmp_path / "b.csv", CPU, progress=progress)
    assert told == ["refining 56 frames", "reading 1 files", "refining 56 frames"]


def test_people_of_openpose_are_told_apart_by_their_poses(still: str, people: dict[str, Track], tmp_path: Path) -> None:
    """As by the numbers that somebody has given them, but called by the order in which they come."""
    given = write_openpose(tmp_path / "openpose", people)
    expected = predict(still, given, tmp_path / "numbered.csv", CPU)
    for path in given.iterdir():
        content = json.loads(path.read_text())
        content["people"] = [person | {"person_id": [-1]} for person in content["people"][::-1]]
        path.write_text(json.dumps(content))
    report = predict(still, given, tmp_path / "linked.csv", CPU)
    assert report["warnings"] == [
        f"{given}: 2 people without a number: linked from frame to frame by their poses",
        *expected["warnings"],
    ]
    numbered, linked = (rows_of(tmp_path / f"{name}.csv") for name in ("numbered", "linked"))
    names = {row["person"]: number["person"] for row, number in zip(linked, numbered, strict=True)}
    assert sorted(names) == sorted(names.values()) == ["1", "2"]
    assert [row | {"person": names[row["person"]]} for row in linked] == numbered


def write_mmpose(path: Path, people: dict[str, Track]) -> Path:
    """Frames with their instances, turned round."""
    frames: dict[int, list[dict[str, Any]]] = {}
    for one in json.loads(write_results(path, people).read_text()):
        x, y, told = (one["keypoints"][k::3] for k in range(3))
        instance = {"track_id": one["track_id"], "keypoints": [*zip(x, y, strict=True)], "keypoint_scores": told}
        frames.setdefault(one["image_id"], []).insert(0, instance)
    path.write_text(json.dumps([{"frame_id": frame, "instances": shown} for frame, shown in frames.items()]))
    return path


def ids_of(content: Any) -> list[int]:
    """Those of a file of poses, in its order; they are taken out."""
    if isinstance(content, list):
        return [number for one in content for number in ids_of(one)]
    if not isinstance(content, dict):
        return []
    own = [content.pop("track_id")] if "track_id" in content else []
    return own + [number for one in content.values() for number in ids_of(one)]


@pytest.mark.parametrize("make", [write_coco, write_results, write_mmpose])
def test_who_was_linked_gets_a_number_in_a_file_of_its_own_kind(
    make: Callable[[Path, dict[str, Track]], Path], still: str, people: dict[str, Track], tmp_path: Path
) -> None:
    """All else is as if somebody had told who is who."""
    content = json.loads(make(tmp_path / "told.json", people).read_text())
    ids_of(content)
    (tmp_path / "untold.json").write_text(json.dumps(content))
    written = []
    for name in ("told", "untold"):
        predict(still, tmp_path / f"{name}.json", tmp_path / f"{name}-out.json", CPU)
        written.append(json.loads((tmp_path / f"{name}-out.json").read_text()))
    told, untold = map(ids_of, written)
    assert len(set(zip(told, untold, strict=True))) == len(set(untold)) == 2
    assert written[0] == written[1]


def test_several_people_of_mediapipe_keep_their_order(still: str, people: dict[str, Track], tmp_path: Path) -> None:
    """It has no word for who somebody is."""
    one, two = (entries_of(write_mediapipe(tmp_path / f"{name}.json", people[name])) for name in people)
    both = [
        [*(a or {}).get("pose_landmarks", []), *(b or {}).get("pose_landmarks", [])]
        for a, b in zip(one, two, strict=True)
    ]
    given = [{"pose_landmarks": shown[:: (-1) ** n]} for n, shown in enumerate(both)]
    (tmp_path / "in.json").write_text(json.dumps(given))
    report = predict(still, tmp_path / "in.json", tmp_path / "out.json", CPU)
    assert report["sequences"] == 2
    for before, after in zip(given, entries_of(tmp_path / "out.json"), strict=True):
        for person, moved in zip(before["pose_landmarks"], after["pose_landmarks"], strict=True):
            for landmark, other in zip(person, moved, strict=True):
                assert other == pytest.approx(landmark, abs=1e-5)


def test_what_is_left_out_of_linked_people_is_told_of_all_together(
    still: str, people: dict[str, Track], tmp_path: Path
) -> None:
    """They may be hundreds; of people whom the file tells apart it is told of each."""
    content = json.loads(write_results(tmp_path / "told.json", people).read_text())
    for one in content:
        one["keypoints"][3 * 5] = 2000.0  # left_shoulder, outside of the image where it is there
    (tmp_path / "told.json").write_text(json.dumps(content))
    outside = sum(one["keypoints"][3 * 5 + 2] != 0 for one in content)
    ids_of(content)
    (tmp_path / "untold.json").write_text(json.dumps(content))
    (tmp_path / "keypoints.json").write_text(json.dumps({"width": 1280, "height": 720}))
    told, untold = (
        [
            warning.removeprefix(str(tmp_path))
            for warning in predict(still, tmp_path / f"{name}.json", tmp_path / f"{name}.csv", CPU)["warnings"]
            if "outside" in warning
        ]
        for name in ("told", "untold")
    )
    assert [warning.partition(" ")[0] for warning in told] == ["/told.json:", "/told.json:"]
    assert len(untold) == 1
    assert untold[0].startswith(f"/untold.json: {outside} ")


def test_a_dense_file_has_room_for_some_people(
    still: str, people: dict[str, Track], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In netCDF everybody is in every frame; a table has only those who are there."""
    given = write_csv(tmp_path / "in.csv", people)
    monkeypatch.setattr("posetrain.predict.outputs._MOST_CELLS", 59)
    with pytest.raises(
        ChoiceError, match=r"at most 59 frames times people.*found 30 frames and 2 people; write a \.csv"
    ):
        predict(still, given, tmp_path / "out.nc", CPU)
    assert not (tmp_path / "out.nc").exists()
    predict(still, given, tmp_path / "out.csv", CPU)


def test_a_chance_find_that_can_be_no_pose_is_left_out_and_counted(
    still: str, people: dict[str, Track], tmp_path: Path
) -> None:
    content = json.loads(write_results(tmp_path / "in.json", people).read_text())
    ids_of(content)
    junk = content[7] | {"keypoints": [5000.0, 5000.0, 0.5] * 17}
    (tmp_path / "in.json").write_text(json.dumps([*content, junk]))
    (tmp_path / "keypoints.json").write_text(json.dumps({"width": 1280, "height": 720}))
    report = predict(still, tmp_path / "in.json", tmp_path / "out.json", CPU)
    assert report["sequences"] == 2
    assert any("1 people who were linked: left out, the first for " in warning for warning in report["warnings"])
    assert json.loads((tmp_path / "out.json").read_text())[-1] == junk
    (tmp_path / "in.json").write_text(json.dumps([junk, junk]))
    with pytest.raises(BadInputError, match="inside the 1280x720 image"):
        predict(still, tmp_path / "in.json", tmp_path / "out.json", CPU, overwrite=True)


@pytest.mark.parametrize("ending", [".csv", ".json", ".nc", ".npz"])
@pytest.mark.parametrize("name", INPUTS)
def test_unrefined_keypoints_come_back_in_pixels(
    name: str, ending: str, still: str, people: dict[str, Track], tmp_path: Path
) -> None:
    """Of every person, in every frame, to a thousandth of a pixel; NaN stays NaN."""
    given, out = INPUTS[name](tmp_path / name, people), tmp_path / f"out{ending}"
    report = predict(still, given, out, CPU)
    assert (report["sequences"], report["lost"], report["frames_not_refined"]) == (2, 0, 0)
    found = read_any(out)
    assert list(found) == ["1", "2"]
    kept = set(range(25))
    if name in ("in.json", "results.json"):
        kept = {place for _, place in PLACES}
    if name == "openpose":
        kept = {INDEX[joint] for joint in BODY_25 if joint}
    dropped = sorted(set(range(25)) - kept)
    for person, track in people.items():
        rows = [row for frame, row in found[person].rows.items() if frame in track.rows]
        expected = track.points.copy()
        expected[:, dropped] = np.nan
        assert found[person].frame_number[rows].tolist() == track.frame_number.tolist()
        np.testing.assert_allclose(found[person].points[rows], expected, atol=1.1e-3)
        others = np.delete(found[person].points, rows, axis=0)
        assert np.isnan(others).all()  # frames without the person, where a format cannot leave them out
        there = ~np.isnan(expected[..., 0])
        told = np.full(there.shape, 0.5) if name == "openpose" else track.confidence
        np.testing.assert_allclose(found[person].confidence[rows][there], told[there], atol=1.1e-3)


def test_a_keypoint_of_no_confidence_is_not_missing_in_coco(
    still: str, people: dict[str, Track], tmp_path: Path
) -> None:
    """There v = 0 says so, and a confidence stands in its place."""
    track = people["2"]
    track.points[3, 5], track.confidence[3, 5] = (200, 300), 0
    predict(still, write_csv(tmp_path / "in.csv", people), tmp_path / "out.json", CPU)
    found = read_any(tmp_path / "out.json")["2"]
    row = found.rows[int(track.frame_number[3])]
    np.testing.assert_allclose(found.points[row, 5], [200, 300], atol=1.1e-3)
    assert found.confidence[row, 5] == 0.001


@pytest.mark.parametrize(("model", "step"), [("smoothnet", 1), ("smoothnet", 2), ("conv3d", 1)])
def test_a_models_answer_lies_where_its_input_does(
    model: str, step: int, make_run: MakeRun, people: dict[str, Track], tmp_path: Path
) -> None:
    """Heatmaps are in cells: within half of one, and on the mean not off by any."""
    run = make_run(model, is_still=True, frame_step=step)
    predict(str(run), write_csv(tmp_path / "in.csv", people), tmp_path / "out.npz", CPU)
    cells = []
    for person, track in read_any(tmp_path / "out.npz").items():
        (given,) = (one for one in open_input(tmp_path / "in.csv", (), CPU).people if one.name == person)
        cells.append(to_grid(track.points, given.boxes) - to_grid(people[person].points, given.boxes))
        np.testing.assert_array_equal(np.isnan(track.points), np.isnan(people[person].points))
    off = np.concatenate(cells)
    assert np.nanmax(np.abs(off)) < (0.5001 if model == "conv3d" else 1e-3)
    assert np.abs(np.nanmean(off, axis=(0, 1))).max() < 0.03


def test_a_file_of_its_own_kind_keeps_all_but_the_points(still: str, people: dict[str, Track], tmp_path: Path) -> None:
    run = find_trained(still, CPU)
    assert run.model == "deciwatch"
    given = write_coco(tmp_path / "in.json", people)
    predict(still, given, tmp_path / "out.json", CPU)
    before, after = (json.loads(path.read_text()) for path in (given, tmp_path / "out.json"))
    for content in (before, after):
        for annotation in content["annotations"]:
            joints = annotation["keypoints"]
            annotation["keypoints"] = [joints[3:9], joints[2::3]]  # eyes, and every v
    assert before == after
    given = write_results(tmp_path / "results.json", people)
    predict(still, given, tmp_path / "out_results.json", CPU)
    before, after = (json.loads(path.read_text()) for path in (given, tmp_path / "out_results.json"))
    for one, other in zip(before, after, strict=True):
        assert {**one, "keypoints": one["keypoints"][2::3]} == {**other, "keypoints": other["keypoints"][2::3]}
    table = write_csv(tmp_path / "in.csv", people)
    predict(still, table, tmp_path / "out.csv", CPU)
    rows = [rows_of(path) for path in (table, tmp_path / "out.csv")]
    assert list(rows[1][0]) == ["y", "frame", "person", "joint", "x", "confidence"]
    for one, other in zip(*rows, strict=True):
        assert {**one, "x": "", "y": ""} == {**other, "x": "", "y": ""}
    dataset = write_movement(tmp_path / "in.nc", people)
    predict(still, dataset, tmp_path / "out.nc", CPU)
    with opened(dataset) as one, opened(tmp_path / "out.nc") as other:
        xarray.testing.assert_allclose(one, other, atol=1e-2)
        assert other.attrs == one.attrs | {"source_software": "posedata"}


@pytest.mark.parametrize("ending", [".csv", ".nc", ".npz"])
@pytest.mark.parametrize("name", ["in.json", "in.jsonl"])
def test_unrefined_landmarks_of_mediapipe_come_out_in_pixels(
    name: str, ending: str, still: str, people: dict[str, Track], tmp_path: Path
) -> None:
    out, track = tmp_path / f"out{ending}", people["2"]
    report = predict(still, write_mediapipe(tmp_path / name, track), out, CPU)
    outside = np.isnan(track.points[..., 0])
    assert (report["sequences"], report["frames"], report["missing"]) == (1, 26, outside.sum())
    assert report["warnings"][0].endswith(f"{outside.sum()} points outside the image: taken as not annotated")
    (found,) = read_any(out).values()
    assert found.frame_number.tolist() == track.frame_number.tolist()
    np.testing.assert_allclose(found.points, track.points, atol=1.1e-3)
    np.testing.assert_allclose(found.confidence, track.confidence, atol=1.1e-3)


@pytest.mark.parametrize("field", ["pose_landmarks", "landmark"])
@pytest.mark.parametrize(
    ("name", "out"),
    [("in.json", "out.json"), ("in.jsonl", "out.jsonl"), ("in.json", "b.jsonl"), ("in.jsonl", "b.json")],
)
def test_results_of_mediapipe_keep_all_but_x_and_y(
    name: str, out: str, field: str, make_run: MakeRun, people: dict[str, Track], tmp_path: Path
) -> None:
    run, given = str(make_run("smoothnet")), write_mediapipe(tmp_path / name, people["2"], field)
    predict(run, given, tmp_path / out, CPU)
    predict(run, given, tmp_path / "out.npz", CPU)
    ((_, track),) = read_any(tmp_path / "out.npz").items()
    before, after = entries_of(given), entries_of(tmp_path / out)
    assert [n for n, entry in enumerate(after) if entry] == track.frame_number.tolist()
    for n, row in track.rows.items():
        old, new = (entry[field][0] if field == "pose_landmarks" else entry[field] for entry in (before[n], after[n]))
        for i, name in enumerate(MEDIAPIPE_33):
            point = track.points[row, INDEX[name]] if name else np.full(2, np.nan)
            if np.isnan(point).any():
                assert new[i] == old[i]
            else:
                np.testing.assert_allclose([new[i]["x"] * 1280, new[i]["y"] * 720], point, atol=1e-3)
                assert abs(new[i]["x"] - old[i]["x"]) > 1e-7
                new[i] |= {"x": old[i]["x"], "y": old[i]["y"]}
    assert after == before


def test_a_joint_map_beside_the_file_counts(still: str, people: dict[str, Track], tmp_path: Path) -> None:
    joints = {name.upper(): name for name in KEYPOINTS} | {"TAIL": None}
    about = {"joints": joints, "confidence": 0.4, "width": 1280, "height": 720, "fps": 25}
    (tmp_path / "keypoints.json").write_text(json.dumps(about))
    path = write_csv(tmp_path / "in.csv", {"1": people["1"]})
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *(line.upper() for line in lines[1:]), "9,0,1,TAIL,8,0.9"]) + "\n")
    report = predict(still, path, tmp_path / "out.csv", CPU)
    sure = (people["1"].confidence >= 0.4) & ~np.isnan(people["1"].points[..., 0])
    assert (report["keypoints"], report["missing"]) == (int(sure.sum()), int((~sure).sum()))
    rows = rows_of(tmp_path / "out.csv")
    assert (rows[-1]["joint"], rows[-1]["x"], rows[-1]["y"]) == ("TAIL", "8", "9")
    assert [bool(row["x"]) for row in rows[:-1]] == sure.ravel().tolist()
    predict(still, path, tmp_path / "out.nc", CPU)
    with opened(tmp_path / "out.nc") as dataset:
        assert dataset.attrs["fps"] == 25


@pytest.mark.parametrize("name", ["in.csv", "in.json", "in.nc"])
def test_a_joint_map_that_names_no_joints_leaves_them_as_they_are_called(
    name: str, still: str, people: dict[str, Track], tmp_path: Path
) -> None:
    """Of COCO a category that names none has COCO's 17; what else the map tells counts."""
    given = INPUTS[name](tmp_path / name, people)
    plain = open_input(given, (), CPU)
    (tmp_path / "keypoints.json").write_text(json.dumps({"width": 1280, "height": 720, "fps": 50}))
    found = open_input(given, (), CPU)
    assert (found.width, found.height) == (1280, 720)
    for one, other in zip(found.people, plain.people, strict=True):
        assert one.fps == (25 if name == "in.nc" else 50)
        np.testing.assert_array_equal(one.points, other.points)
    predict(still, given, tmp_path / f"out{given.suffix}", CPU)
    assert sorted(read_any(tmp_path / f"out{given.suffix}")) == ["1", "2"]


def test_every_second_frame_alone_is_refined_as_frames_in_a_row(make_run: MakeRun, walk: Walk, tmp_path: Path) -> None:
    run, points = str(make_run("smoothnet")), walk(15)
    found = []
    for step in (1, 2):
        track = Track(7 + step * np.arange(15), points, np.full((15, 25), 0.9))
        report = predict(run, write_csv(tmp_path / f"{step}.csv", {"1": track}), tmp_path / f"{step}.npz", CPU)
        found.append(read_any(tmp_path / f"{step}.npz")["1"])
        assert report["frames_not_refined"] == 0
    assert report["warnings"] == ["only every 2nd frame is there: taken for frames that follow each other"]
    np.testing.assert_array_equal(found[0].points, found[1].points)
    assert found[1].frame_number.tolist() == [*range(7, 37, 2)]


def test_frames_without_a_neighbour_are_counted(make_run: MakeRun, walk: Walk, tmp_path: Path) -> None:
    track = Track(np.asarray([*range(9), 20, 40, 41]), walk(12), np.full((12, 25), 0.9))
    given = write_csv(tmp_path / "in.csv", {"1": track})
    for delay in (None, 0):
        report = predict(str(make_run("mixer")), given, tmp_path / f"{delay}.npz", CPU, delay=delay)
        assert report["frames_not_refined"] == 0
        assert report["warnings"] == ["1 frames without a neighbour in time: refined by their own pose alone"]


def test_frames_of_a_gap_do_not_count_as_handed_through(make_run: MakeRun, walk: Walk, tmp_path: Path) -> None:
    """Frame 1 is put in, and four are too few for the model all the same."""
    track = Track(np.asarray([0, 2, 3]), walk(3), np.ones((3, 25)))
    report = predict(str(make_run("smoothnet")), write_csv(tmp_path / "in.csv", {"1": track}), tmp_path / "o.csv", CPU)
    assert (report["frames"], report["frames_bridged"], report["frames_not_refined"]) == (3, 1, 3)


def test_a_short_gap_is_bridged_as_if_people_had_moved_straight_on(walk: Walk, tmp_path: Path) -> None:
    """Of frames that are there the same is said as where those between are, too; online nobody knows what will come."""
    whole = Track(np.arange(24), walk(24), np.ones((24, 25)))
    whole.points[9:12] = whole.points[8] + np.arange(1, 4)[:, None, None] / 4 * (whole.points[12] - whole.points[8])
    kept = np.delete(np.arange(24), [9, 10, 11])
    gap = Track(kept, whole.points[kept], whole.confidence[kept])
    write_csv(tmp_path / "whole.csv", {"1": whole})
    write_csv(tmp_path / "gap.csv", {"1": gap})
    reports = [predict("default", tmp_path / f"{name}.csv", tmp_path / f"{name}.npz", CPU) for name in ("whole", "gap")]
    found, expected = (read_any(tmp_path / f"{name}.npz")["1"] for name in ("gap", "whole"))
    assert found.frame_number.tolist() == kept.tolist()
    np.testing.assert_allclose(found.points, expected.points[kept], atol=1e-2)
    assert [(report["frames"], report["frames_bridged"]) for report in reports] == [(24, 0), (21, 3)]
    assert "3 frames of people missing in short gaps: bridged for the model, and not written" in reports[1]["warnings"]
    online = predict("default", tmp_path / "gap.csv", tmp_path / "online.npz", CPU, delay=2)
    assert (online["frames"], online["frames_bridged"]) == (21, 0)


def test_frames_without_the_person_are_gaps_and_short_runs_are_handed_through(
    make_run: MakeRun, walk: Walk, tmp_path: Path
) -> None:
    run = make_run("smoothnet")
    numbers = np.asarray([*range(10), *range(20, 24), 40])
    track = Track(numbers, walk(15), np.full((15, 25), 0.9))
    report = predict(str(run), write_csv(tmp_path / "in.csv", {"1": track}), tmp_path / "out.npz", CPU)
    found = read_any(tmp_path / "out.npz")["1"]
    assert report["frames_not_refined"] == 5
    assert report["warnings"] == ["5 frames in runs of fewer than 5, the least the model takes: handed through"]
    np.testing.assert_allclose(found.points[10:], track.points[10:], atol=1e-3)
    assert np.nanmin(np.abs(found.points[:10] - track.points[:10])) > 0


def test_somebody_who_shows_one_joint_is_handed_through(still: str, people: dict[str, Track], tmp_path: Path) -> None:
    lone = np.full((9, 25, 2), np.nan)
    lone[2:, 3] = [50.0, 60.0]
    track = Track(np.arange(9), lone, np.full((9, 25), 0.9))
    given = write_csv(tmp_path / "in.csv", {"1": people["1"], "2": track})
    told = "frames without a box, which takes two keypoints that are apart: handed through"
    report = predict(still, given, tmp_path / "out.npz", CPU)
    assert (report["frames_not_refined"], report["warnings"]) == (9, [f"9 {told}"])
    np.testing.assert_allclose(read_any(tmp_path / "out.npz")["2"].points, lone, atol=1e-9)
    online = predict(still, given, tmp_path / "online.npz", CPU, delay=2)
    assert (online["frames_not_refined"], online["warnings"]) == (9, [f"9 {told}"])


def test_frames_without_a_box_and_those_of_short_runs_are_told_apart(
    make_run: MakeRun, people: dict[str, Track], tmp_path: Path
) -> None:
    """As they come: nothing of the first 11 frames, and 3 alone behind a gap; a window ends 2 frames later."""
    points = people["1"].points[:24].copy()
    points[:11] = np.nan
    points[:11, 3] = [50.0, 60.0]
    track = Track(np.asarray([*range(21), *range(30, 33)]), points, np.full((24, 25), 0.9))
    given = write_csv(tmp_path / "in.csv", {"1": track})
    report = predict(str(make_run("smoothnet", is_still=True)), given, tmp_path / "out.npz", CPU, delay=2)
    assert report["frames_not_refined"] == 9 + 3
    assert [warning.partition(",")[0] for warning in report["warnings"]] == [
        "3 frames in runs of fewer than 5",
        "9 frames without a box",
    ]


def test_points_outside_the_image_are_told(still: str, people: dict[str, Track], tmp_path: Path) -> None:
    given = write_coco(tmp_path / "in.json", people)
    content = json.loads(given.read_text())
    content["annotations"][3]["keypoints"][15:18] = [1300, 20, 0.9]
    given.write_text(json.dumps(content))
    report = predict(still, given, tmp_path / "out.json", CPU)
    assert report["warnings"][0] == f"{given}: 1: {Note(1, 'points outside the image: taken as not annotated')}"
    after = json.loads((tmp_path / "out.json").read_text())
    assert after["annotations"][3]["keypoints"][15:18] == [0, 0, 0]


def test_a_store_says_what_a_score_would_take(make_run: MakeRun, walk: Walk, tmp_path: Path) -> None:
    """Sequences of one window each: the same positions, in pixels of the frames' boxes."""
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "keypoints.json").write_text(json.dumps({"joints": {name: name for name in KEYPOINTS}}))
    for i in range(3):
        track = Track(np.arange(5), walk(5, seed=i), np.ones((5, 25)))
        write_csv(raw / f"video{i}.csv", {"1": track})
    build_store(Recipe(datasets=(Selection(dataset="keypoints"),)), {"keypoints": raw}, tmp_path / "s.zarr")
    store = open_store(tmp_path / "s.zarr")
    windows = Windows(store, store.windows("all"), 5, 1, CPU, "auto")
    assert len(windows) == 3
    for model in ("conv3d", "smoothnet", "mixer-few"):
        run = make_run(model)
        trained = find_trained(str(run), CPU)
        (batch,) = windows.batches(np.arange(3), 3)
        with torch.inference_mode():
            said = trained.refine(trained.task.given(batch))
        scored = trained.task.positions(said, batch).double().numpy()
        predict(str(run), store.path, tmp_path / f"{model}.npz", CPU)
        found = read_any(tmp_path / f"{model}.npz")
        assert list(found) == sequence_names(store)
        given = input_peaks(store, np.arange(15)).reshape(3, 5, 25, 2)
        for i, track in enumerate(found.values()):
            box = store.frames("box", batch.frames[i]).astype(np.float64)
            expected = np.where(np.isnan(given[i]), np.nan, to_pixels(scored[i], box))
            np.testing.assert_allclose(track.points, expected, atol=1e-3)


@pytest.mark.parametrize("kind", ["a detector's file", "keypoints"])
def test_heatmaps_are_a_detectors_file_of_what_is_refined(
    make_run: MakeRun, raw_trees: dict[str, Path], walk: Walk, tmp_path: Path, kind: str
) -> None:
    run = make_run("smoothnet")
    if kind == "keypoints":
        given = write_csv(
            tmp_path / "in.csv", {"a": Track(np.arange(7, 27) + (np.arange(20) > 9), walk(20), ONES[:20])}
        )
    else:
        given = raw_trees["climbalong"] / "input" / "climb_02.npz"
    predict(str(run), given, tmp_path / "points.npz", CPU)
    predict(str(run), given, tmp_path / "heatmaps.npz", CPU, heatmaps=True)
    ((_, track),) = read_any(tmp_path / "points.npz").items()
    detector = read_detector(tmp_path / "heatmaps.npz")
    heatmaps = np.concatenate(list(detector.heatmaps()))
    assert len(heatmaps) == track.frame_number[-1] + 1
    here = ~np.isnan(detector.boxes).any(axis=1)
    assert not heatmaps[~here].any()
    assert np.isin(np.flatnonzero(here), track.frame_number).all()
    assert here.sum() > 10
    shown = track.points[np.isin(track.frame_number, np.flatnonzero(here))]
    expected = gaussians(to_grid(shown, detector.boxes[here]))
    np.testing.assert_allclose(heatmaps[here], expected, atol=0.01)
    assert (heatmaps[here].any(axis=(-2, -1)) == ~np.isnan(shown[..., 0])).all()
    # It is an input of `predict` like any other.
    report = predict(str(run), tmp_path / "heatmaps.npz", tmp_path / "again.npz", CPU)
    assert report["keypoints"] == (~np.isnan(shown[..., 0])).sum()


def test_points_outside_of_their_box_are_counted(make_run: MakeRun, walk: Walk, tmp_path: Path) -> None:
    points = walk(30)
    points[15, 8] = points[14, 8] + 300.0  # boxes are steadied, so they do not follow
    given = write_csv(tmp_path / "in.csv", {"1": Track(np.arange(30), points, np.ones((30, 25)))})
    still = str(make_run("deciwatch", is_still=True))
    report = predict(still, given, tmp_path / "heatmaps.npz", CPU, heatmaps=True)
    predict(still, given, tmp_path / "points.npz", CPU)
    ((_, track),) = read_any(tmp_path / "points.npz").items()
    outside = count_outside(track.points, read_detector(tmp_path / "heatmaps.npz").boxes)
    assert outside > 0
    assert f"{outside:,} keypoints outside of their frame's box: their heatmaps are at its border" in report["warnings"]
    assert predict(still, given, tmp_path / "points.npz", CPU, overwrite=True)["warnings"] == []


def test_a_sequence_that_is_asked_for_twice_is_taken_once(stores: dict[str, Path]) -> None:
    names = sequence_names(open_store(stores["brace"]))
    asked = [names[2], names[0], names[2].partition("/")[2]]
    assert [person.name for person in open_input(stores["brace"], asked, CPU).people] == [names[2], names[0]]


@pytest.mark.parametrize(("last", "fits"), [(999_999, True), (1_000_000, False)])
def test_a_film_of_heatmaps_has_a_million_frames_at_most(last: int, fits: bool, tmp_path: Path) -> None:
    track = Track(np.asarray([0, last]), np.full((2, 25, 2), 50.0) + np.arange(25)[:, None], np.ones((2, 25)))
    given = open_input(write_csv(tmp_path / "in.csv", {"1": track}), (), CPU)
    with nullcontext() if fits else pytest.raises(ChoiceError, match=r"from 0 to 999,999, .* found 1,000,000"):
        find_writer(tmp_path / "out.npz", given, heatmaps=True)


def test_of_a_frame_without_a_box_a_model_sees_nothing(tmp_path: Path) -> None:
    """Blocks of a detector's file lie across those that are asked for."""
    boxes = np.tile([10.0, 20, 66, 76], (70, 1))
    boxes[[3, 68]] = 0
    heatmaps = np.full((70, 25, 56, 56), 0.5, np.float32)
    np.savez(tmp_path / "a.npz", bboxes=boxes, heatmaps=heatmaps)
    (person,) = open_input(tmp_path / "a.npz", (), CPU).people
    shown = torch.cat([person.blocks(start, stop).heatmaps for start, stop in ((0, 50), (50, 70))])
    nobody = torch.nonzero(shown.amax(dim=(1, 2, 3)) == 0).flatten().tolist()
    assert nobody == [3, 68] == np.flatnonzero(np.isnan(person.boxes[:, 0])).tolist()


def test_heatmaps_are_of_one_person_in_an_npz(make_run: MakeRun, walk: Walk, tmp_path: Path) -> None:
    run, out = make_run("smoothnet"), tmp_path / "out.npz"
    one, two = ({name: Track(np.arange(9), walk(9), ONES[:9]) for name in names} for names in (("1",), ("1", "2")))
    late = {"1": Track(np.arange(9) + 1_000_000, walk(9), ONES[:9])}
    for people, words in (
        (two, "expected one person, .* found 2 in .*in.csv"),
        (late, "expected frames .* 0 to 999,999, .* found 1,000,008"),
    ):
        with pytest.raises(ChoiceError, match=f"--heatmaps: {words}"):
            predict(str(run), write_csv(tmp_path / "in.csv", people), out, CPU, heatmaps=True)
    with pytest.raises(ChoiceError, match=r"out\.csv: expected a name that ends in \.npz with --heatmaps"):
        predict(str(run), write_csv(tmp_path / "in.csv", one), tmp_path / "out.csv", CPU, heatmaps=True)
    assert not out.exists()


def test_a_detectors_file_says_what_a_store_of_it_does(
    make_run: MakeRun, stores: dict[str, Path], raw_trees: dict[str, Path], tmp_path: Path
) -> None:
    """The store rounds boxes to float32. Where the detector found nobody all is missing."""
    store = open_store(stores["climbalong"])
    for run in (make_run("conv3d", is_still=True), make_run("smoothnet")):
        for name in sequence_names(store)[:2]:
            stem = name.partition("/")[2]
            given = raw_trees["climbalong"] / "input" / f"{stem}.npz"
            report = predict(str(run), given, tmp_path / "a.npz", CPU, overwrite=True)
            predict(str(run), store.path, tmp_path / "b.npz", CPU, sequences=[name], overwrite=True)
            (alone,), (stored,) = (read_any(tmp_path / f"{which}.npz").values() for which in "ab")
            np.testing.assert_allclose(alone.points, stored.points, atol=1e-2)
            np.testing.assert_array_equal(alone.confidence, stored.confidence)
            frames = sequence_frames(store, name)
            unboxed = np.isnan(store.frames("box", frames)[:, 0])
            assert unboxed.any()
            assert np.isnan(alone.points[unboxed]).all()
            assert (alone.confidence[unboxed] == 0).all()
            assert report["missing"] == 25 * unboxed.sum()
            if "still" in run.name:
                peaks = input_peaks(store, frames)
                expected = to_pixels(peaks, store.frames("box", frames).astype(np.float64))
                np.testing.assert_allclose(stored.points, expected, atol=1e-2)


@pytest.mark.parametrize(("said", "words"), [(-1, "more bytes than that"), (0, "CRC"), (1, "the end of the data")])
def test_a_detectors_file_is_read_to_its_very_end(
    said: int, words: str, still: str, raw_trees: dict[str, Path], tmp_path: Path
) -> None:
    """Its header says other frames than there are; or as many, but the last one is damaged."""
    with np.load(raw_trees["climbalong"] / "input" / "climb_02.npz") as arrays:
        heatmaps, boxes = arrays["heatmaps"], arrays["bboxes"]
    frames = len(heatmaps)
    np.savez(tmp_path / "a.npz", heatmaps=heatmaps, bboxes=np.resize(boxes, (frames + said, 4)))
    if said:
        with zipfile.ZipFile(tmp_path / "a.npz") as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        header, other = (f"({count}, 25,".encode() for count in (frames, frames + said))
        members["heatmaps.npy"] = members["heatmaps.npy"].replace(header, other, 1)
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
    else:
        last = heatmaps[-1, -1, -1, -9:].tobytes()
        whole = (tmp_path / "a.npz").read_bytes()
        (tmp_path / "a.npz").write_bytes(whole.replace(last, bytes(len(last))))
    with pytest.raises(BadInputError, match=rf"a\.npz: heatmaps: expected .*{words}"):
        predict(still, tmp_path / "a.npz", tmp_path / "out.npz", CPU)
    assert not (tmp_path / "out.npz").exists()


def test_keypoints_that_the_training_lacked_are_handed_through_by_name(
    make_run: MakeRun, people: dict[str, Track], tmp_path: Path
) -> None:
    run = make_run("smoothnet", store="brace")  # 15 of the 25 keypoints
    report = predict(str(run), write_csv(tmp_path / "in.csv", people), tmp_path / "out.npz", CPU)
    assert "left_heel" in report["keypoints_not_refined"]
    assert len(report["keypoints_not_refined"]) == 10
    heel, hip = INDEX["left_heel"], INDEX["left_hip"]
    found = read_any(tmp_path / "out.npz")["1"].points
    np.testing.assert_allclose(found[:, heel], people["1"].points[:, heel], atol=1e-3)
    assert np.nanmin(np.abs(found[:, hip] - people["1"].points[:, hip])) > 0
    only = Track(np.arange(30), np.full((30, 25, 2), np.nan), people["1"].confidence)
    only.points[:, heel], only.points[:, heel + 1] = people["1"].points[:, heel], [3.0, 4.0]
    with pytest.raises(BadInputError, match=r"that the model was trained on \(nose, .*, found left_heel"):
        predict(str(run), write_csv(tmp_path / "feet.csv", {"1": only}), tmp_path / "feet.npz", CPU)
    assert not (tmp_path / "feet.npz").exists()


def test_a_run_without_its_store_serves_and_says_so(
    make_run: MakeRun, people: dict[str, Track], tmp_path: Path
) -> None:
    run = make_run("smoothnet", store="brace")
    path = run / "run.json"
    path.write_text(path.read_text().replace("brace.zarr", "gone.zarr"))
    assert find_trained(str(run), CPU).seen is None
    report = predict(str(run), write_csv(tmp_path / "in.csv", people), tmp_path / "out.npz", CPU)
    assert report["keypoints_not_refined"] == []
    assert any("not at hand" in warning for warning in report["warnings"])


def test_what_does_not_fit_is_told_before_any_work(
    still: str, people: dict[str, Track], stores: dict[str, Path], tmp_path: Path
) -> None:
    given = write_csv(tmp_path / "in.csv", people)
    with pytest.raises(ChoiceError, match=r"\.csv, \.json, \.npz, \.nc, found out\.txt"):
        predict(still, given, tmp_path / "out.txt", CPU)
    with pytest.raises(ChoiceError, match=r"\.csv, \.json, \.npz, \.nc, found out\.jsonl"):
        predict(still, given, tmp_path / "out.jsonl", CPU)
    with pytest.raises(ChoiceError, match="--sequence: expected with a store"):
        predict(still, given, tmp_path / "out.csv", CPU, sequences=["1"])
    with pytest.raises(ChoiceError, match=r"one video in a \.json file, found those of 6"):
        predict(still, stores["brace"], tmp_path / "out.json", CPU)
    with pytest.raises(ConflictError, match="--overwrite"):
        predict(still, given, given, CPU)
    with pytest.raises(ChoiceError, match="outside of"):
        predict(still, stores["brace"], stores["brace"] / "out.csv", CPU)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == ["in.csv"]
