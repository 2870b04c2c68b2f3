"""Recordings as the SDK itself reads them, against the store."""

import io
import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filming import DOT
from PIL import Image
from rerun.chunk import RrdReader

from posedata.errors import ResourceError
from posedata.preview.choose import Wanted
from posedata.preview.colours import GROUND, KEYPOINT_COLOURS, LIMB_COLOURS, PEAK, lighter
from posedata.preview.recording import description, root, write_rrd
from posedata.preview.write import write_preview
from posedata.progress import silent
from posedata.skeleton import INDEX, KEYPOINTS, LIMBS, K
from posedata.store.reader import open_store
from posedata.store.views import input_peaks

from .conftest import ABOUT, scene_of

Rows = dict[tuple[str, int | None], dict[str, Any]]


def rows_of(path: Path) -> Rows:
    """Of every entity and frame the components; static ones are of frame None. Without the SDK's own ids."""
    found: Rows = {}
    for chunk in RrdReader(path).stream():
        for row in chunk.to_record_batch().to_pylist():
            components = {name: value for name, value in row.items() if name != "rerun.controls.RowId"}
            found.setdefault((str(chunk.entity_path), components.pop("frame", None)), {}).update(components)
    return found


def picture(components: dict[str, Any]) -> np.ndarray:  # type: ignore[type-arg]
    return np.asarray(Image.open(io.BytesIO(bytes(components["EncodedImage:blob"][0]))))


@pytest.mark.parametrize("name", ["brace", "climbalong"])
def test_points_and_heatmaps_are_the_stores(name: str, stores: dict[str, Path], tmp_path: Path) -> None:
    store = open_store(stores[name])
    sequence = f"{name}/{store['sequence_name'][0]}"
    shown = write_preview(stores[name], tmp_path / "r.rrd", Wanted(sequence), overwrite=False, progress=silent)
    rows, top = rows_of(tmp_path / "r.rrd"), root(sequence)
    frames = np.arange(shown.frames)
    assert shown.frames == store["sequence_length"][0]
    seen = input_peaks(store, frames)
    for i, number in enumerate(store["frame_number"][: len(frames)].tolist()):
        for kind, given in (("target", store["target_points"][i]), ("input", seen[i])):
            points = rows[f"{top}/{kind}/skeleton/points", number]
            there = np.flatnonzero(~np.isnan(given[:, 0]))
            assert points["Points2D:keypoint_ids"] == there.tolist()
            positions = np.reshape(points["Points2D:positions"], (-1, 2))
            assert np.array_equal(positions, given[there])
            limbs = rows[f"{top}/{kind}/skeleton/limbs", number]
            joined = [n for n, pair in enumerate(LIMBS) if set(pair) <= set(there.tolist())]
            assert len(limbs["LineStrips2D:strips"]) == len(joined)
            shades = [LIMB_COLOURS[n] if kind == "target" else lighter(LIMB_COLOURS[n]) for n in joined]
            assert [tuple(c >> s & 255 for s in (24, 16, 8)) for c in limbs["LineStrips2D:colors"]] == shades
        if i % 7 == 0:
            own = store.frames("input_heatmaps", np.asarray([i]))[0].astype(np.float64)
            scaled = own / np.maximum(own.max(axis=(1, 2), keepdims=True), 1e-9)
            grey = GROUND[0] + scaled * (PEAK[0] - GROUND[0])
            assert np.abs(picture(rows[f"{top}/input/heatmaps/fused", number]) - grey.max(axis=0)).max() <= 0.51
            for k, joint in enumerate(KEYPOINTS):
                found = picture(rows[f"{top}/input/heatmaps/joints/{joint}", number])
                assert np.abs(found - grey[k]).max() <= 0.51


def test_times_are_frame_numbers_and_seconds_of_the_source_alone(stores: dict[str, Path], tmp_path: Path) -> None:
    for name, fps in (("climbalong", 30.0), ("penn_action", None)):
        out = tmp_path / f"{name}.rrd"
        write_preview(stores[name], out, Wanted(count=1), overwrite=False, progress=silent)
        for (_, number), components in rows_of(out).items():
            assert not [column for column in components if column.startswith("log_")]
            if number is not None:
                seconds = components.get("seconds")
                assert (seconds and seconds.total_seconds()) == (fps and pytest.approx(number / fps, abs=1e-6))


def test_every_sequence_has_an_entity(stores: dict[str, Path], tmp_path: Path) -> None:
    shown = write_preview(stores["brace"], tmp_path / "r.rrd", Wanted(count=3), overwrite=False, progress=silent)
    entities = {path for path, _ in rows_of(tmp_path / "r.rrd")}
    for sequence in shown.sequences:
        assert f"{root(sequence)}/target/skeleton/points" in entities
    assert len({path.split("/")[2] for path in entities if path.startswith("/brace/")}) == 3


def test_the_same_frames_give_the_same_content(stores: dict[str, Path], tmp_path: Path) -> None:
    wanted = Wanted(count=2)
    for side in "ab":
        write_preview(stores["climbalong"], tmp_path / f"{side}.rrd", wanted, overwrite=False, progress=silent)
    a, b = (rows_of(tmp_path / f"{side}.rrd") for side in "ab")
    assert a == b
    ids = {RrdReader(tmp_path / f"{side}.rrd").recordings()[0].recording_id for side in "ab"}
    assert ids == {open_store(stores["climbalong"]).manifest.content_digest}


def test_names_and_colours_of_joints_go_with_them(tmp_path: Path) -> None:
    write_rrd(tmp_path / "r.rrd", iter([scene_of({0: (10.0, 20.0)})]), ABOUT)
    rows = rows_of(tmp_path / "r.rrd")
    classes = rows["/", None]["AnnotationContext:context"][0]
    for number, entry in enumerate(classes):
        infos = entry["class_description"]["keypoint_annotations"]
        assert [info["label"] for info in infos] == list(KEYPOINTS)
        colours = [tuple(info["color"] >> s & 255 for s in (24, 16, 8)) for info in infos]
        assert colours == [lighter(c) if number else c for c in KEYPOINT_COLOURS]
    assert [entry["class_description"]["info"]["label"] for entry in classes] == ["target", "input"]
    assert rows["/d/one/target/skeleton/points", 7]["Points2D:class_ids"] == [0]
    assert rows["/d/one/input/skeleton/points", 7]["Points2D:class_ids"] == [1]


def test_missing_joints_are_named_and_logged_as_none(tmp_path: Path) -> None:
    everything = dict.fromkeys(range(K), (20.0, 20.0))
    scenes = [scene_of(everything), scene_of({k: everything[k] for k in range(2, K)}, number=8), scene_of({}, number=9)]
    write_rrd(tmp_path / "r.rrd", iter(scenes), replace(ABOUT, frames=3))
    rows = rows_of(tmp_path / "r.rrd")
    told = [rows["/d/one/frame", n]["TextDocument:text"][0].splitlines() for n in (7, 8, 9)]
    assert [lines[1] for lines in told] == ["missing: none", "missing: nose, left_ear", "missing: all"]
    assert told[0][0] == "frame 7 of d/one, train"
    assert [len(rows["/d/one/target/skeleton/points", n]["Points2D:positions"]) for n in (7, 8, 9)] == [25, 23, 0]
    assert rows["/d/one/target/skeleton/limbs", 9]["LineStrips2D:strips"] == []
    assert description(scenes[0]) == "frame 7 of d/one, train\nmissing: none"


def test_a_film_goes_with_the_skeletons_on_it(stores: dict[str, Path], climbs: Path, tmp_path: Path) -> None:
    wanted = Wanted("climb_01", first=3, end=6)
    out = tmp_path / "r.rrd"
    write_preview(stores["climbalong"], out, wanted, overwrite=False, progress=silent, video=climbs)
    rows = rows_of(out)
    for number in (3, 4, 5):
        shown = picture(rows["/climbalong/climb_01/film", number])
        points = rows["/climbalong/climb_01/film/target/points", number]
        at = points["Points2D:keypoint_ids"].index(INDEX["right_ankle"])
        x, y = points["Points2D:positions"][at]
        assert np.abs(shown[int(y), int(x)].astype(int) - DOT).max() < 60


def test_a_name_is_one_step_of_the_path(tmp_path: Path) -> None:
    name = "d/-a b:c.d"
    write_rrd(tmp_path / "r.rrd", iter([scene_of({}, sequence=name)]), replace(ABOUT, sequences=[name]))
    assert root(name).count("/") == 2
    assert (f"{root(name)}/frame", 7) in rows_of(tmp_path / "r.rrd")


def test_a_recording_that_is_cut_is_noticed(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        scenes = [scene_of({0: (10.0, 20.0)}, number=n) for n in range(30)]
        with pytest.raises(ResourceError, match=r"r\.rrd: expected a whole recording, .* free some space"):
            write_rrd(tmp_path / "r.rrd", iter(scenes), replace(ABOUT, frames=30))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
