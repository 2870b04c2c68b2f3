"""Synthetic films: what their files say fits what they show."""

import csv
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from posedata.formats.climbalong import ClimbAlong
from posedata.preview.footage import Film
from posedata.samples import write_sample


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample") / "film"
    write_sample("film", root, sequences=3, frames=8)
    return root


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_folder_holds_films_boxes_and_targets(films: Path) -> None:
    there = sorted(path.relative_to(films).as_posix() for path in films.rglob("*") if path.is_file())
    assert there == [
        "SYNTHETIC.txt",
        "boxes/film_01.csv",
        "boxes/film_02.csv",
        "boxes/film_03.csv",
        "film_01.mp4",
        "film_02.mp4",
        "film_03.mp4",
        "target/film_01.npz",
        "target/film_02.npz",
        "target/film_03-ann.npz",
        "target/film_03-bob.npz",
    ]
    assert "posedata sample film" in (films / "SYNTHETIC.txt").read_text()


@pytest.mark.parametrize(("name", "frames"), [("film_01", 12), ("film_02", 8), ("film_03", 8)])
def test_boxes_and_targets_are_of_the_frames_that_are_filmed(name: str, frames: int, films: Path) -> None:
    with closing(Film(films / f"{name}.mp4")) as film:
        assert film.numbers() == list(range(frames))
        assert film.size == (480, 360)
    told = rows(films / "boxes" / f"{name}.csv")
    people = {row.get("person", "") for row in told}
    assert people == ({"ann", "bob"} if name == "film_03" else {""})
    for person in people:
        own = {int(row["frame"]): row for row in told if row.get("person", "") == person}
        assert sorted(own) == [n for n in range(frames) if n not in (frames // 2, frames // 2 + 1)]
        with np.load(films / "target" / f"{name}{person and '-' + person}.npz") as arrays:
            keypoints = arrays["keypoints"]
        assert keypoints.shape == (frames, 25, 3)
        for frame, row in own.items():
            x, y, width, height = (float(row[side]) for side in ("x", "y", "width", "height"))
            assert (keypoints[frame, :, :2] >= (x - 0.1, y - 0.1)).all()
            assert (keypoints[frame, :, :2] <= (x + width + 0.1, y + height + 0.1)).all()


def test_a_person_is_seen_where_the_target_says(films: Path) -> None:
    """The head is a disc of its own colour around the nose."""
    with np.load(films / "target" / "film_02.npz") as arrays:
        noses = arrays["keypoints"][:, 0, :2].round().astype(int)
    with closing(Film(films / "film_02.mp4")) as film:
        for frame, (x, y) in enumerate(noses.tolist()):
            assert np.abs(film.frame(frame)[y, x].astype(int) - (220, 180, 150)).max() < 40


def test_the_seed_decides(tmp_path: Path) -> None:
    for folder, seed in (("one", 1), ("same", 1), ("other", 2)):
        write_sample("film", tmp_path / folder, sequences=1, frames=5, seed=seed)
    one, same, other = ((tmp_path / f / "boxes" / "film_01.csv").read_text() for f in ("one", "same", "other"))
    assert one == same != other


def test_with_a_detectors_files_it_is_a_tree_of_climbalong(films: Path, tmp_path: Path) -> None:
    (tmp_path / "target").symlink_to(films / "target")
    (tmp_path / "input").mkdir()
    boxes = np.tile(np.asarray([0, 0, 480, 360], np.float32), (8, 1))
    np.savez(tmp_path / "input" / "film_02.npz", bboxes=boxes, heatmaps=np.zeros((8, 25, 56, 56), np.float32))
    sequence = ClimbAlong(tmp_path).read("film_02")
    assert sequence.points.shape == (8, 25, 2)
    assert not np.isnan(sequence.points).any()
