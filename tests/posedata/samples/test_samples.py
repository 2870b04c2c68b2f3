"""Synthetic trees: the real layout, the real quirks, plainly marked, and nobody's data overwritten."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.families import OTHERS
from posedata.formats import FORMATS
from posedata.poses import PoseSequence
from posedata.progress import Advance
from posedata.samples import SAMPLES, write_sample
from posedata.samples.base import empty_tree

NAMES = ("brace", "climbalong", "keypoints", "penn_action", "speed21")
WIDTH_HEIGHT = {
    "brace": (1920, 1080),
    "penn_action": (480, 270),
    "keypoints": (1280, 720),
    "speed21": (720, 1080),
    "climbalong": (1080, 1920),
}


def read_all(name: str, root: Path) -> list[PoseSequence]:
    dataset = FORMATS[name].open(root)
    return [dataset.read(item) for item in dataset.items()]


def test_there_is_a_sample_of_every_format() -> None:
    assert sorted(FORMATS) == list(NAMES)
    assert sorted(SAMPLES) == sorted([*FORMATS, *OTHERS, "film"])


@pytest.mark.parametrize("name", NAMES)
def test_the_format_reads_every_file_of_its_sample(name: str, raw_trees: dict[str, Path]) -> None:
    sequences = read_all(name, raw_trees[name])
    assert len(sequences) == (4 if name == "climbalong" else 12)
    for sequence in sequences:
        points = sequence.points[~np.isnan(sequence.points).any(-1)]
        assert (points >= 0).all()
        assert (points <= WIDTH_HEIGHT[name]).all()
        # Somebody moves, in every sequence: the left hip is a joint of every source.
        assert np.nanstd(sequence.points[:, 15], axis=0).max() > 1


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_marked_synthetic(name: str, raw_trees: dict[str, Path]) -> None:
    assert "posedata sample" in (raw_trees[name] / "SYNTHETIC.txt").read_text()


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sequence_is_told_of(name: str, tmp_path: Path) -> None:
    told: list[float] = []

    @contextmanager
    def progress(what: str, total: int, unit: str) -> Iterator[Advance]:
        assert (what, total, unit) == ("writing", 5, "sequences")
        yield told.append

    write_sample(name, tmp_path / name, sequences=5, frames=6, progress=progress)
    assert sum(told) == 5
    assert len(told) > 2


def test_of_two_who_write_one_sample_one_wins(tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="expected no such folder or an empty one"), empty_tree(tmp_path / "s", "x"):
        write_sample("speed21", tmp_path / "s", sequences=1, frames=6)
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    assert (tmp_path / "s" / "metadata.txt").exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_alone_decides_on_the_motion(name: str, tmp_path: Path) -> None:
    points = {}
    for folder, seed in (("one", 3), ("two", 3), ("other", 4)):
        write_sample(name, tmp_path / folder, sequences=2, frames=6, seed=seed)
        points[folder] = [sequence.points for sequence in read_all(name, tmp_path / folder)]
    for one, two, other in zip(points["one"], points["two"], points["other"], strict=True):
        np.testing.assert_array_equal(one, two)
        assert one.shape != other.shape or not np.allclose(one, other, equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["file inside", "a file itself"])
def test_what_is_there_is_never_touched(name: str, kind: str, tmp_path: Path) -> None:
    root = tmp_path / "raw"
    if kind == "file inside":
        root.mkdir()
        (root / "precious").write_text("data")
    else:
        root.write_text("data")
    with pytest.raises(ConflictError, match="raw"):
        write_sample(name, root)
    assert [p.name for p in tmp_path.iterdir()] == ["raw"]
    assert (root / "precious" if root.is_dir() else root).read_text() == "data"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    write_sample("speed21", tmp_path / "raw", sequences=1, frames=20)
    assert len(read_all("speed21", tmp_path / "raw")) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["raw"]


@pytest.mark.parametrize("name", NAMES)
def test_the_smallest_sample_is_read(name: str, tmp_path: Path) -> None:
    write_sample(name, tmp_path / "raw", sequences=1, frames=5)
    assert len(read_all(name, tmp_path / "raw")) == 1


def test_an_unknown_sample_lists_the_choices(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match="brace, climbalong, coco, film, human36m, keypoints, penn_action, speed21"):
        write_sample("h36m", tmp_path / "raw")


def test_brace_sample_has_the_layout_and_quirks(raw_trees: dict[str, Path]) -> None:
    root = raw_trees["brace"]
    files = sorted(p.name for p in root.glob("dataset/*/*/*.json"))
    assert {name.count(".json") for name in files} == {1, 2}
    videos = {p.name for p in root.glob("dataset/*/*")}
    assert any(v.startswith("-") for v in videos)
    assert any("_" in v for v in videos)
    tables = {p.name for p in (root / "annotations").iterdir()}
    assert tables == {
        "segments.csv",
        "sequences_train.csv",
        "sequences_test.csv",
        "shot_boundaries.json",
        "videos_info.csv",
    }
    keys = [list(json.loads(p.read_text())) for p in root.glob("dataset/*/*/*.json")]
    assert any(k != sorted(k) for k in keys)

    sequences = read_all("brace", root)
    assert any((np.diff(s.frame_number) > 1).any() for s in sequences)
    assert any(np.isnan(s.points).all(axis=(1, 2)).any() for s in sequences)
    assert any("outside" in note.what for s in sequences for note in s.notes)
    assert any(len(np.unique(s.shot)) > 1 for s in sequences)
    assert {s.official_split for s in sequences} == {"train", "test"}
    assert {s.fps for s in sequences} == {25, 29.97002997}
    assert list(root.glob("manual_keypoints/*/*/img-*.npz"))


def test_penn_action_sample_has_the_layout_and_quirks(raw_trees: dict[str, Path]) -> None:
    root = raw_trees["penn_action"]
    mats = [loadmat(p) for p in sorted((root / "labels").glob("*.mat"))]
    assert [p.name for p in sorted((root / "labels").iterdir())][:2] == ["0001.mat", "0002.mat"]
    assert {"f", "u"} == {m["x"].dtype.kind for m in mats}
    assert {len(m["bbox"]) - len(m["x"]) for m in mats} == {0, -1}
    assert {int(m["train"].ravel()[0]) for m in mats} == {1, -1}
    sequences = read_all("penn_action", root)
    assert {s.action for s in sequences} == {"baseball_pitch", "bench_press", "situp"}
    seen = np.concatenate([(~np.isnan(s.points[..., 0])).sum(axis=1) for s in sequences])
    assert {0, 1} < set(seen.tolist())


def test_keypoints_sample_has_all_kinds_and_quirks(raw_trees: dict[str, Path]) -> None:
    root = raw_trees["keypoints"]
    assert {path.suffix for path in root.glob("video*")} == {".json", ".csv"}
    headers = {path.read_text().partition("\n")[0].strip() for path in root.glob("*.csv")}
    assert headers == {"frame,joint,x,y,confidence", "frame,person,joint,x,y,confidence"}
    contents = [json.loads(path.read_text()) for path in root.glob("video*.json")]
    assert {"track_id" in content["annotations"][0] for content in contents} == {True, False}
    sequences = read_all("keypoints", root)
    assert len({s.video for s in sequences}) == 8
    assert {s.fps for s in sequences} == {25, 30}
    assert {s.action for s in sequences} == {"squat", "walk"}
    assert any((np.diff(s.frame_number) > 1).any() for s in sequences)
    assert any(np.isnan(s.points).all(axis=(1, 2)).any() for s in sequences)
    assert any("trimmed" in note for s in sequences for note in map(str, s.notes))
    assert any("outside" in note for s in sequences for note in map(str, s.notes))


def test_speed21_sample_has_the_layout_and_quirks(raw_trees: dict[str, Path]) -> None:
    root = raw_trees["speed21"]
    rows = [line.split(";") for line in (root / "metadata.txt").read_text().splitlines()]
    assert {len(row) for row in rows} == {12}
    assert sorted(p.stem for p in (root / "skeletons").glob("*.data")) == sorted(row[0] for row in rows)
    lines = [p.read_text().splitlines() for p in sorted((root / "skeletons").iterdir())]
    assert any(text[0].endswith("#NULL") for text in lines)
    assert any(text[-1].endswith("#NULL") for text in lines)
    sequences = read_all("speed21", root)
    assert any("trimmed" in note.what for s in sequences for note in s.notes)
    assert any(np.isnan(s.points[1:-1]).all(axis=(1, 2)).any() for s in sequences)
    assert len({s.video for s in sequences}) == 6


def test_climbalong_sample_has_the_layout_and_quirks(raw_trees: dict[str, Path]) -> None:
    root = raw_trees["climbalong"]
    shapes, lowest, empty = set(), [], 0
    for path in sorted((root / "target").glob("*.npz")):
        with np.load(path) as target, np.load(root / "input" / path.name) as source:
            shapes.add(target["keypoints"].ndim)
            lowest.append(source["heatmaps"].min())
            assert source["heatmaps"].shape == (len(target["keypoints"]), 25, 56, 56)
            sides = source["bboxes"][:, 2:] - source["bboxes"][:, :2]
            empty += int((sides == 0).all(axis=1).sum())
            kept = sides[sides[:, 0] > 0]
            assert not np.allclose(kept[:, 0], kept[:, 1])
    assert shapes == {3, 4}
    assert max(lowest) < 0
    assert empty > 0
    sequences = read_all("climbalong", root)
    assert any(np.isnan(s.points).any() for s in sequences)
    assert sorted(len(s) for s in sequences) == [24, 24, 24, 36]


HEADER = "video_id,seq_idx,start_frame,end_frame,dance_type,dance_type_id,dancer,dancer_id,year,uid"
ROWS = [
    "-aB_c,0,100,139,toprock,0,x,1,2014,u",
    "-aB_c,1,200,229,footwork,1,x,1,2014,u",
    "zz,0,7,7,powermove,2,y,2,2011,u",
]


def segments_file(folder: Path, rows: list[str], header: str = HEADER) -> Path:
    path = folder / "segments.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_segments_of_a_real_table_are_filled_with_motion(tmp_path: Path) -> None:
    write_sample("brace", tmp_path / "raw", segments=segments_file(tmp_path, ROWS))
    sequences = {s.name: s for s in read_all("brace", tmp_path / "raw")}
    assert list(sequences) == ["-aB_c_100-139_toprock", "-aB_c_200-229_footwork", "zz_7-7_powermove"]
    ranges = [(int(s.frame_number[0]), int(s.frame_number[-1])) for s in sequences.values()]
    assert ranges == [(100, 139), (200, 229), (7, 7)]
    with (tmp_path / "raw" / "annotations" / "segments.csv").open(newline="") as file:
        assert [row["start_frame"] for row in csv.DictReader(file)] == ["100", "200", "7"]


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([], HEADER),
        (["1,2"], "a,b"),
        (["v,0,ten,20,toprock,0,x,1,2014,u"], HEADER),
        (["v,0,20,10,toprock,0,x,1,2014,u"], HEADER),
        (["v,0,10,20,waltz,0,x,1,2014,u"], HEADER),
        (["v,0"], HEADER),
    ],
    ids=["no-rows", "other-columns", "no-number", "end-before-start", "unknown-dance", "short-row"],
)
def test_a_bad_segments_table_is_refused_and_leaves_nothing(rows: list[str], header: str, tmp_path: Path) -> None:
    path = segments_file(tmp_path, rows, header)
    with pytest.raises(BadInputError, match=str(path)):
        write_sample("brace", tmp_path / "raw", segments=path)
    assert [p.name for p in tmp_path.iterdir()] == ["segments.csv"]


@pytest.mark.parametrize("row", ["../../../out,0,10,20,toprock,0,x,1,2014,u", "v,0,10,20,toprock,0,x,1,../../../out,u"])
def test_a_segments_table_cannot_lead_outside_the_tree(row: str, tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    path = segments_file(tmp_path, [row])
    with pytest.raises(BadInputError, match=str(path)):
        write_sample("brace", deep / "raw", segments=path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a", "b", "segments.csv"]


def test_an_absent_segments_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"none\.csv"):
        write_sample("brace", tmp_path / "raw", segments=tmp_path / "none.csv")


def test_only_brace_has_segments(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match="brace"):
        write_sample("speed21", tmp_path / "raw", segments=segments_file(tmp_path, ROWS))
