"""A whole pass over pictures that show one bright dot, by a detector that sees what is bright."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dots import bright, dot

from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.skeleton import COCO_17, KEYPOINTS
from posetrain.detect import detecting
from posetrain.detect.boxes import read_boxes
from posetrain.detect.detecting import Who, detect
from posetrain.predict.inputs import open_input

CPU = torch.device("cpu")
HEADER = "frame,x,y,width,height\n"


@pytest.fixture(autouse=True)
def sees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detecting, "open_detector", lambda run, device: bright())


@pytest.fixture
def run(pictures: Callable[..., Path], tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Over ten pictures, with these boxes."""
    folder = pictures(range(10))

    def go(boxes: str, **options: Any) -> dict[str, Any]:
        (tmp_path / "boxes.csv").write_text(boxes)
        return detect(Path("run"), folder, tmp_path / "out", Who(tmp_path / "boxes.csv"), CPU, **options)

    return go


def around(number: int, person: str = "") -> str:
    """A row: a box about the dot, but not with it in its middle."""
    x, y = dot(number)
    return f"{number},{person + ',' if person else ''}{x - 20},{y - 30},50,44\n"


def arrays(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with np.load(path) as found:
        return found["bboxes"], found["heatmaps"]


def test_peaks_lie_where_the_dot_is_in_the_image(run: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    report = run(HEADER + "".join(map(around, range(10))))
    boxes, heatmaps = arrays(tmp_path / "out" / "input" / "walk.npz")
    assert heatmaps.shape == (10, 25, 56, 56)
    known = [name in COCO_17 for name in KEYPOINTS]
    assert (heatmaps.any(axis=(2, 3)) == known).all()
    for number in range(10):
        corner, side = boxes[number, :2], boxes[number, 2:] - boxes[number, :2]
        assert side.tolist() == [55, 55]
        row, column = np.unravel_index(heatmaps[number, 0].argmax(), (56, 56))
        found = corner + (np.asarray([column, row]) + 0.5) * side / 56
        assert np.abs(found - (np.asarray(dot(number)) + 0.5)).max() < 0.51 * 55 / 56
    assert report.pop("crops_per_second") > 0
    assert report == {
        "out": str(tmp_path / "out"),
        "model": "hourglass",
        "epoch": 3,
        "film": str(tmp_path / "walk"),
        "frames": 10,
        "crops": 10,
        "people": [
            {
                "person": "",
                "file": str(tmp_path / "out" / "input" / "walk.npz"),
                "first_frame": 0,
                "last_frame": 9,
                "frames": 10,
                "frames_filled": 0,
                "frames_without_box": 0,
            }
        ],
        "boxes": [],
        "warnings": [],
    }
    json.dumps(report)


def test_predict_reads_it_with_the_numbers_of_the_film(run: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    run(HEADER + "".join(map(around, (2, 3, 5))))
    (person,) = open_input(tmp_path / "out" / "input" / "walk.npz", (), CPU).people
    assert person.frame_number.tolist() == list(range(10))
    assert np.flatnonzero(~np.isnan(person.boxes[:, 0])).tolist() == [2, 3, 4, 5]
    block = person.blocks(0, 10)
    assert np.flatnonzero(~np.isnan(block.peaks[:, 0, 0].numpy())).tolist() == [2, 3, 4, 5]
    assert block.heatmaps[3, 0].sum() == pytest.approx(255, abs=0.5)


def test_people_get_a_file_each_and_gaps_are_told(run: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    rows = [*(around(n, "ann") for n in (0, 1, 4)), *(around(n, "b.2") for n in range(5, 10))]
    report = run("frame,person,x,y,width,height\n" + "".join(rows), batch_size=2)
    told = [(each["person"], Path(each["file"]).name) for each in report["people"]]
    assert told == [("ann", "walk-ann.npz"), ("b.2", "walk-b.2.npz")]
    keys = ("first_frame", "last_frame", "frames", "frames_filled", "frames_without_box")
    assert [[each[key] for key in keys] for each in report["people"]] == [[0, 4, 5, 2, 5], [5, 9, 5, 0, 5]]
    boxes, heatmaps = arrays(tmp_path / "out" / "input" / "walk-ann.npz")
    assert boxes.any(axis=1).tolist() == [True] * 5 + [False] * 5
    assert heatmaps.any(axis=(1, 2, 3)).tolist() == [True] * 5 + [False] * 5


def test_batches_do_not_show(run: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    text = HEADER + "".join(map(around, range(10)))
    run(text, batch_size=1)
    one = (tmp_path / "out" / "input" / "walk.npz").read_bytes()
    run(text, batch_size=7, overwrite=True)
    assert (tmp_path / "out" / "input" / "walk.npz").read_bytes() == one


def test_pictures_that_begin_later_have_empty_frames_before(pictures: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "boxes.csv").write_text(HEADER + around(4) + around(5))
    detect(Path("run"), pictures(range(4, 6)), tmp_path, Who(tmp_path / "boxes.csv"), CPU)
    boxes, heatmaps = arrays(tmp_path / "input" / "walk.npz")
    assert boxes.any(axis=1).tolist() == [False] * 4 + [True] * 2
    assert heatmaps.shape[0] == 6


def test_files_are_replaced_only_if_wanted_and_others_stay(run: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    (tmp_path / "out" / "target").mkdir(parents=True)
    (tmp_path / "out" / "target" / "walk.npz").write_text("labels")
    run(HEADER + around(0))
    before = (tmp_path / "out" / "input" / "walk.npz").read_bytes()
    with pytest.raises(ConflictError, match=r"walk\.npz: expected no such file, found one; use --overwrite"):
        run(HEADER + around(1))
    assert (tmp_path / "out" / "input" / "walk.npz").read_bytes() == before
    (tmp_path / "out" / "input" / "walk-7.npz").write_text("earlier")
    report = run(HEADER + around(1), overwrite=True)
    assert (tmp_path / "out" / "input" / "walk.npz").read_bytes() != before
    assert (tmp_path / "out" / "target" / "walk.npz").read_text() == "labels"
    assert ["walk-7.npz" in warning for warning in report["warnings"]] == [True]


@pytest.mark.parametrize("damage", ["a picture", "the network"])
def test_what_fails_half_way_leaves_no_file(
    damage: str, run: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if damage == "a picture":
        (tmp_path / "walk" / "000007.png").write_bytes(b"nothing")
    else:
        calls = []

        def breaks(*given: Any) -> Any:
            calls.append(given)
            if len(calls) == 3:
                raise BadInputError("000007.png")
            return np.zeros((2, 25, 56, 56), np.float32)

        monkeypatch.setattr(detecting, "heatmaps_of", breaks)
    with pytest.raises(BadInputError, match=r"000007\.png"):
        run(HEADER + "".join(map(around, range(10))), batch_size=2)
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []
    assert list((tmp_path / "out" / "input").iterdir()) == []


def test_boxes_of_no_frame_and_outside_are_told_before_anything_is_made(
    run: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.raises(BadInputError) as told:
        run(HEADER + around(10) + "3,500,10,20,20\n")
    first, second = told.value.faults
    assert first == f"{tmp_path}/boxes.csv: frame 3: expected a box with its middle in the 200 x 120 pixels of " + (
        f"{tmp_path}/walk, found 510, 20; is it another film, or size?"
    )
    assert second.endswith(f"frame 10: expected one of {tmp_path}/walk (0 to 9), found none")
    assert not (tmp_path / "out").exists()


class Finds:
    """In place of a detector of people: one where the dot is, in all frames but the fourth, and a chance find."""

    def __init__(self, folder: Path, score: float, device: torch.device) -> None:
        self._seen = 0
        assert (folder.name, score) == ("yolos", 0.6)

    def find(self, pictures: list[np.ndarray]) -> list[np.ndarray]:
        found = []
        for picture in pictures:
            y, x = np.unravel_index(picture[..., 0].argmax(), picture.shape[:2])
            boxes = [[x - 20.0, y - 30.0, 50.0, 44.0]] * (self._seen != 3)
            chance = [[150.0, 5.0, 10.0, 10.0]] * (self._seen == 5)
            found.append(np.asarray([*chance, *boxes]).reshape(-1, 4))
            self._seen += 1
        return found


def test_people_who_are_found_can_be_given_again(
    pictures: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detecting, "PersonDetector", Finds)
    folder = pictures(range(10))
    report = detect(Path("run"), folder, tmp_path / "a", Who(people=Path("yolos"), score=0.6), CPU, batch_size=4)
    (person,) = report["people"]
    assert (person["person"], person["frames"], person["frames_filled"]) == ("1", 10, 1)
    assert report["boxes"] == [str(tmp_path / "a" / "boxes" / "walk.csv")]
    assert report["warnings"] == ["1 tracks of fewer than 5 boxes are left out"]
    written = tmp_path / "a" / "boxes" / "walk.csv"
    assert sorted(read_boxes(written)["1"]) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    detect(Path("run"), folder, tmp_path / "b", Who(written), CPU)
    first, again = (tmp_path / name / "input" / "walk-1.npz" for name in ("a", "b"))
    assert first.read_bytes() == again.read_bytes()


def test_nobody_and_a_crowd_are_refused(
    run: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Nobody(Finds):
        def find(self, pictures: list[np.ndarray]) -> list[np.ndarray]:
            return [np.empty((0, 4))] * len(pictures)

    monkeypatch.setattr(detecting, "PersonDetector", Nobody)
    with pytest.raises(BadInputError, match=r"walk: expected somebody in 5 frames at least, .*--people-score"):
        detect(Path("run"), tmp_path / "walk", tmp_path / "out", Who(people=Path("yolos"), score=0.6), CPU)
    monkeypatch.setattr(detecting, "_MOST_PEOPLE", 2)
    with pytest.raises(BadInputError, match=r"boxes\.csv: expected at most 2 people, found 3"):
        run("frame,person,x,y,width,height\n" + "".join(around(0, name) for name in "abc"))
    (tmp_path / "file").touch()
    with pytest.raises(ChoiceError, match=r"--out .*file: expected a folder, found a file"):
        detect(Path("run"), tmp_path / "walk", tmp_path / "file", Who(tmp_path / "boxes.csv"), CPU)
    assert not (tmp_path / "out").exists()


def test_memory_does_not_grow_with_the_film(
    pictures: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the pictures at most the batch in work, the one that waits and the one that is being made are alive."""
    alive, most = set[int](), 0

    class Watched(np.ndarray):
        def __del__(self) -> None:
            alive.discard(id(self))

    from posetrain.detect import frames

    usual = frames.cut

    def watched(*given: Any) -> np.ndarray:
        nonlocal most
        made = usual(*given).view(Watched)
        alive.add(id(made))
        most = max(most, len(alive))
        return made

    monkeypatch.setattr(frames, "cut", watched)
    (tmp_path / "boxes.csv").write_text(HEADER + "".join(f"{n},40,30,60,60\n" for n in range(60)))
    folder = tmp_path / "walk"
    pictures(range(10))
    for n in range(10, 60):
        (folder / f"{n:06d}.png").write_bytes((folder / "000009.png").read_bytes())
    detect(Path("run"), folder, tmp_path / "out", Who(tmp_path / "boxes.csv"), CPU, batch_size=4)
    assert 4 <= most <= 12
