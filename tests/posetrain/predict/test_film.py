"""Films of what is refined, over films whose frames show their numbers."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from filming import number_in, numbered, write_film
from numpy.typing import NDArray

from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.formats.keypoints.tracks import Track
from posedata.preview import films
from posedata.preview.colours import GROUND, KEYPOINT_COLOURS, PEOPLE
from posedata.preview.draw import LINE_HEIGHT
from posedata.progress import silent
from posedata.skeleton import INDEX, KEYPOINTS
from posetrain.predict import film
from posetrain.predict.film import skeleton_film
from posetrain.predict.inputs import open_input
from posetrain.predict.outputs import Refined
from posetrain.predict.predicting import predict

CPU = torch.device("cpu")
Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]
People = dict[str, dict[int, Floats]]
"""Name -> frame -> (25, 2) pixels."""

NOSE, HEEL = INDEX["nose"], INDEX["left_heel"]
MOVED = 40.0
"""Pixels to the right, by the model of these tests."""


def standing(x: float) -> Floats:
    """A nose at x, 60 and a heel at x, 300; no limb joins them."""
    points = np.full((25, 2), np.nan)
    points[NOSE], points[HEEL] = (x, 60.0), (x, 300.0)
    return points


ANN = {n: standing(100.0 + 10 * n) for n in (2, 3, 4, 7)}
BOB = {n: standing(500.0) for n in (3, 4, 5)}


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., list[Picture]]:
    """The pictures of a film of people whom a model has moved, without the lines of text around them."""

    def film_of(people: People, video: Path | None = None, size: tuple[int, int] = (640, 360)) -> list[Picture]:
        given, out = open_input(write(tmp_path, people, size), (), CPU), tmp_path / "out.mp4"
        with skeleton_film(out, given, video, overwrite=True) as show:
            show([moved(name, frames) for name, frames in people.items()], silent)
        return list(pictures_of(out))

    return film_of


def write(folder: Path, people: People, size: tuple[int, int] = (640, 360)) -> Path:
    about = {"joints": {name: name for name in KEYPOINTS}, "fps": 20, "width": size[0], "height": size[1]}
    (folder / "keypoints.json").write_text(json.dumps(about))
    rows = ["frame,person,joint,x,y"]
    for person, frames in people.items():
        for frame, points in frames.items():
            shown = np.flatnonzero(~np.isnan(points[:, 0]))
            rows += [f"{frame},{person},{KEYPOINTS[k]},{points[k][0]},{points[k][1]}" for k in shown]
    path = folder / "walk.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def moved(name: str, frames: dict[int, Floats]) -> Refined:
    given = np.stack(list(frames.values()))
    track = Track(np.asarray(list(frames)), given + np.asarray([MOVED, 0.0]), np.full(given.shape[:2], np.nan))
    return Refined(name, 20.0, track, given)


def pictures_of(path: Path) -> Iterator[Picture]:
    capture = cv2.VideoCapture(str(path))
    while (read := capture.read())[0]:
        yield np.asarray(read[1][LINE_HEIGHT:-LINE_HEIGHT, :, ::-1], np.uint8)
    capture.release()


def is_at(picture: Picture, x: float, y: float, colour: tuple[int, int, int]) -> bool:
    """As near as a film of few bits has it; a disc is three pixels in radius."""
    part = picture[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].astype(int)
    return bool(np.abs(part.mean(axis=(0, 1)) - colour).max() < 50)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_film(tmp_path / "video.avi", (numbered(n, 1280, 720) for n in range(12)))


def test_of_every_third_frame_a_pose_stays_until_the_next(make: Callable[..., list[Picture]], tmp_path: Path) -> None:
    video = write_film(tmp_path / "video.avi", (numbered(n, 640, 360) for n in range(12)))
    people = {"ann": {n: standing(100.0 + 10 * n) for n in (0, 3, 6, 9, 11)}}  # most are three apart
    found = make(people, video)
    assert [number_in(picture) for picture in found] == [*range(12)]
    for n, picture in enumerate(found):
        shown = n if n == 11 else n - n % 3
        assert is_at(picture, 100 + 10 * shown + MOVED, 300, KEYPOINT_COLOURS[HEEL])


def test_skeletons_stand_on_the_frames_of_their_numbers(make: Callable[..., list[Picture]], video: Path) -> None:
    """From the first frame to the last; frames without anybody as they are. The video is twice as large as the film."""
    people = {"ann": {n: 2 * points for n, points in ANN.items()}}
    found = make(people, video, (1280, 720))
    assert [number_in(picture) for picture in found] == [2, 3, 4, 5, 6, 7]
    for n, picture in zip(range(2, 8), found, strict=True):
        assert picture.shape == (360, 640, 3)
        if n not in ANN:
            assert np.abs(picture[40:].astype(int) - 40).max() < 40
            continue
        x = ANN[n][NOSE, 0]
        assert is_at(picture, x + MOVED / 2, 60, KEYPOINT_COLOURS[NOSE])
        assert is_at(picture, x + MOVED / 2, 300, KEYPOINT_COLOURS[HEEL])
        # What was given is there, but faint.
        dot = picture[59:62, int(x) - 1 : int(x) + 2].mean(axis=(0, 1))
        assert not is_at(picture, x, 60, KEYPOINT_COLOURS[NOSE])
        assert (dot > 60).all()


def test_several_people_have_a_colour_each(make: Callable[..., list[Picture]], tmp_path: Path) -> None:
    video = write_film(tmp_path / "video.avi", (numbered(n, 640, 360) for n in range(12)))
    found = make({"ann": ANN, "bob": BOB}, video)
    assert len(found) == 6
    both, late = found[1], found[3]
    assert is_at(both, 130 + MOVED, 300, PEOPLE[0])
    assert is_at(both, 500 + MOVED, 300, PEOPLE[1])
    assert is_at(late, 500 + MOVED, 300, PEOPLE[1])
    assert not is_at(late, 150 + MOVED, 300, PEOPLE[0])


def test_without_a_video_the_ground_is_as_large_as_the_people(make: Callable[..., list[Picture]]) -> None:
    """Boxes are squares of 288 pixels around nose and heel: 400 to the right there is another."""
    found = make({"ann": dict.fromkeys(range(3), standing(150.0)), "bob": dict.fromkeys(range(3), standing(450.0))})
    width, height = 588, 288
    zoom = 640 / width
    for picture in found:
        assert picture.shape == (2 * -(-round(height * zoom) // 2), 640, 3)
        for person, x in enumerate((150 + MOVED, 450 + MOVED)):
            assert is_at(picture, (x - 6) * zoom, (300 - 36) * zoom, PEOPLE[person])
        assert is_at(picture, 300 * zoom, 20, GROUND)


def test_a_film_has_the_rate_of_its_input(make: Callable[..., list[Picture]], tmp_path: Path) -> None:
    make({"ann": ANN})
    assert cv2.VideoCapture(str(tmp_path / "out.mp4")).get(cv2.CAP_PROP_FPS) == pytest.approx(20.0)


def test_a_folder_of_films_has_that_of_the_inputs_name(make: Callable[..., list[Picture]], tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    write_film(folder / "walk.avi", (numbered(n + 100, 640, 360) for n in range(12)))
    write_film(folder / "other.avi", [numbered(0, 640, 360)])
    assert [number_in(picture) for picture in make({"ann": ANN}, folder)] == list(range(102, 108))


def test_a_film_of_a_store_and_its_own_way_of_counting(
    make_run: Callable[..., Path], stores: dict[str, Path], tmp_path: Path
) -> None:
    """Frame 1 of Penn Action is the film's first."""
    run, out = make_run("smoothnet"), tmp_path / "out.mp4"
    write_film(tmp_path / "0001.avi", (numbered(n, 640, 480) for n in range(45)))
    chosen = ["penn_action/0001"]
    (person,) = open_input(stores["penn_action"], chosen, CPU).people
    predict(str(run), stores["penn_action"], tmp_path / "out.csv", CPU, chosen, film=out, video=tmp_path)
    found = [number_in(picture) for picture in pictures_of(out)]
    numbers = person.frame_number
    assert found == list(range(numbers[0] - 1, numbers[-1]))
    with pytest.raises(ChoiceError, match="people of one video, found those of 12; choose one with --sequence"):
        predict(str(run), stores["penn_action"], tmp_path / "all.csv", CPU, film=tmp_path / "all.mp4")
    assert not list(tmp_path.glob("all*"))


def test_what_cannot_be_filmed_is_told_and_leaves_nothing(
    make_run: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = str(make_run("deciwatch", is_still=True))
    given = write(tmp_path, {"ann": {n: standing(100.0) for n in range(9)}})
    short = write_film(tmp_path / "short.mp4", (numbered(n, 640, 360) for n in range(5)), "mp4v")
    long = write_film(tmp_path / "long.mp4", (numbered(n, 640, 360) for n in range(9)), "mp4v")
    small = write_film(tmp_path / "small.avi", (numbered(n, 160, 90) for n in range(12)))
    before = sorted(path.name for path in tmp_path.iterdir())

    def refuse(kind: type[Exception], words: str, name: str, video: Path | None, overwrite: bool = False) -> None:
        with pytest.raises(kind, match=words):
            predict(run, given, tmp_path / "o.csv", CPU, overwrite=overwrite, film=tmp_path / name, video=video)
        assert sorted(path.name for path in tmp_path.iterdir()) == before

    refuse(ChoiceError, r"--film .*o\.avi: expected a name that ends in \.mp4, found o\.avi", "o.avi", None)
    refuse(BadInputError, r"short\.mp4: expected 9 frames at least, found 5", "o.mp4", short)
    refuse(
        BadInputError, r"small\.avi: expected frames larger than 10\d x 18\d pixels, .* of walk\.csv", "o.mp4", small
    )
    refuse(ConflictError, "--overwrite", "short.mp4", None)
    refuse(ChoiceError, r"expected a file outside of .*long\.mp4", "long.mp4", long, overwrite=True)
    monkeypatch.setattr(film, "_MOST", 8)
    refuse(ChoiceError, "expected at most 8 frames from first to last, found 9", "o.mp4", None)
    monkeypatch.undo()
    monkeypatch.setattr(films, "_CODEC", "zzzz")
    refuse(ChoiceError, r"o\.mp4: expected a PyAV whose FFmpeg writes H\.264, .*; leave out --film", "o.mp4", None)


@pytest.mark.parametrize("kind", ["film", "pictures"])
def test_a_video_without_all_frames_is_told_before_the_work_begins(tmp_path: Path, kind: str) -> None:
    given = open_input(write(tmp_path, {"ann": {n: standing(100.0) for n in range(9)}}), (), CPU)
    shown = [numbered(n, 640, 360) for n in range(9)]
    video = tmp_path / "video.avi"
    if kind == "film":
        write_film(video, shown[:8])
        words = "expected 9 frames at least, found 8"
    else:
        video.mkdir()
        for n in (0, 1, 2, 3, 5, 6, 7, 8):
            cv2.imwrite(str(video / f"{n}.png"), shown[n])
        words = "expected a picture of frame 4, found none"
    with (
        pytest.raises(BadInputError, match=rf"video\.avi: {words}; is it another film, or cut"),
        skeleton_film(tmp_path / "o.mp4", given, video, overwrite=False),
    ):
        pytest.fail("it began")


def test_resampled_frames_are_of_no_video(tmp_path: Path) -> None:
    given = replace(open_input(write(tmp_path, {"ann": ANN}), (), CPU), resampled=True)
    video = write_film(tmp_path / "video.avi", [numbered(0, 640, 360)])
    with (
        pytest.raises(ChoiceError, match=r"--video: expected a store of its source's own frames, found walk\.csv resa"),
        skeleton_film(tmp_path / "o.mp4", given, video, overwrite=False),
    ):
        pass
