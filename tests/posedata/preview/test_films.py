"""Files that other readers open: Pillow for GIF and PNG, OpenCV for MP4."""

import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence

from posedata.errors import ChoiceError, ResourceError
from posedata.preview import films
from posedata.preview.colours import KEYPOINT_COLOURS
from posedata.preview.draw import GAP, Picture, grid, tile, titled
from posedata.preview.films import GIF_SCALE, MP4_SCALE, SHEET_SCALE, open_mp4, write_gif, write_mp4, write_png
from posedata.preview.scenes import Scene
from posedata.preview.write import Write
from posedata.skeleton import INDEX

from .conftest import ABOUT, scene_of


def moving(count: int) -> list[Scene]:
    """A nose that goes from left to right."""
    return [replace(scene_of({0: (5.5 + 3 * n, 20.5)}, shift=2), number=n) for n in range(count)]


def drawn(scene: Scene, scale: int) -> Picture:
    return titled(tile(scene, scale), ABOUT.title)


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 1), (12, 3), (13, 3)])
def test_a_sheet_shows_every_tile(count: int, columns: int, tmp_path: Path) -> None:
    write_png(tmp_path / "s.png", iter(moving(count)), replace(ABOUT, frames=count))
    with Image.open(tmp_path / "s.png") as sheet:
        found = np.asarray(sheet)
    tiles = [tile(scene, SHEET_SCALE) for scene in moving(count)]
    assert np.array_equal(found, titled(grid(tiles, columns), ABOUT.title))


def test_a_gif_has_all_frames_their_time_and_no_end(tmp_path: Path) -> None:
    scenes = moving(5)
    write_gif(tmp_path / "f.gif", iter(scenes), replace(ABOUT, frames=5, rate=30.0))
    with Image.open(tmp_path / "f.gif") as film:
        assert (film.n_frames, film.info["duration"], film.info["loop"]) == (5, 30, 0)
        pictures = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(film)]
    for found, scene in zip(pictures, scenes, strict=True):
        assert found.shape == drawn(scene, GIF_SCALE).shape
        off = np.abs(found - drawn(scene, GIF_SCALE))
        assert off.mean() < 1.5  # 256 colours a frame
        assert np.percentile(off, 99) < 20


def test_every_frame_of_a_gif_has_colours_of_its_own(tmp_path: Path) -> None:
    joints = [INDEX["nose"], INDEX["right_ankle"], INDEX["left_ear"]]
    write_gif(tmp_path / "f.gif", iter([scene_of({k: (20.5, 30.5)}) for k in joints]), replace(ABOUT, frames=3))
    with Image.open(tmp_path / "f.gif") as film:
        pictures = [np.asarray(frame.convert("RGB")).astype(int) for frame in ImageSequence.Iterator(film)]
    top = pictures[0].shape[0] - tile(scene_of({}), GIF_SCALE).shape[0]
    for picture, k in zip(pictures, joints, strict=True):
        found = picture[top + GAP + 30 * GIF_SCALE + 2, GAP + 20 * GIF_SCALE + 2]
        assert np.abs(found - KEYPOINT_COLOURS[k]).max() < 12


@pytest.mark.parametrize(("rate", "milliseconds"), [(1.0, 1000), (25.0, 40), (29.97, 30), (240.0, 20)])
def test_times_of_a_gif_are_hundredths_that_browsers_keep(rate: float, milliseconds: int, tmp_path: Path) -> None:
    write_gif(tmp_path / "f.gif", iter(moving(2)), replace(ABOUT, frames=2, rate=rate))
    with Image.open(tmp_path / "f.gif") as film:
        assert film.info["duration"] == milliseconds


def test_a_film_has_all_frames_at_its_rate(tmp_path: Path) -> None:
    scenes = moving(6)
    write_mp4(tmp_path / "f.mp4", iter(scenes), replace(ABOUT, frames=6, rate=29.97))
    film = cv2.VideoCapture(str(tmp_path / "f.mp4"))
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(29.97)
    for scene in scenes:
        there, found = film.read()
        assert there
        wanted = drawn(scene, MP4_SCALE)
        assert found.shape == wanted.shape
        # Colours in the right order: the nose is green, its border red and blue far less.
        assert np.abs(found[..., ::-1].astype(int) - wanted).mean() < 4
    assert not film.read()[0]


@pytest.mark.parametrize(("write", "ending"), [(write_gif, "gif"), (write_mp4, "mp4")])
def test_the_same_frames_make_the_same_film(write: Write, ending: str, tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / f"{name}.{ending}", iter(moving(6)), replace(ABOUT, frames=6))
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_a_player_can_begin_before_it_has_the_whole_film(tmp_path: Path) -> None:
    write_mp4(tmp_path / "f.mp4", iter(moving(6)), replace(ABOUT, frames=6))
    content = (tmp_path / "f.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_frames_of_a_film_are_even_in_size() -> None:
    height, width, _ = drawn(moving(1)[0], MP4_SCALE).shape
    assert (height % 2, width % 2) == (0, 0)  # or players refuse it


def test_films_draw_one_frame_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a few are asked for before the first are written."""
    log: list[str] = []

    def told() -> Iterator[Scene]:
        for scene in moving(6):
            log.append("asked")
            yield scene

    real = films.getdata
    monkeypatch.setattr(films, "getdata", lambda *a, **k: (log.append("written"), real(*a, **k))[1])
    write_gif(tmp_path / "f.gif", told(), replace(ABOUT, frames=6))
    assert log == ["asked", "written"] * 6


@pytest.mark.parametrize(("rate", "shown"), [(1 / 86_400, 0.001), (0.5, 0.5), (1000.0, 1000.0)])
def test_a_film_may_be_as_slow_as_films_are(rate: float, shown: float, tmp_path: Path) -> None:
    write_mp4(tmp_path / "f.mp4", iter(moving(2)), replace(ABOUT, frames=2, rate=rate))
    assert cv2.VideoCapture(str(tmp_path / "f.mp4")).get(cv2.CAP_PROP_FPS) == pytest.approx(shown)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_film_for_which_there_is_no_room_is_told(share: float, tmp_path: Path) -> None:
    """At its beginning, in its middle, and where its index is put before all else."""
    write_mp4(tmp_path / "f.mp4", iter(moving(6)), replace(ABOUT, frames=6))
    room = round(share * (tmp_path / "f.mp4").stat().st_size)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        with pytest.raises(ResourceError, match=r"f\.mp4: expected to write a film, found File too large; free some"):
            write_mp4(tmp_path / "f.mp4", iter(moving(6)), replace(ABOUT, frames=6))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_no_matter_of_room_is_not_told_as_one(tmp_path: Path) -> None:
    with (
        pytest.raises(ResourceError, match=r"^f\.mp4: expected to write a film, found odd data$"),
        open_mp4(tmp_path / "f.mp4", (64, 64), 25.0, "leave it") as add,
    ):
        add(np.zeros((64, 64, 3), np.uint8))
        raise av.error.InvalidDataError(1094995529, "odd data")


def test_a_build_without_the_codec_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "_CODEC", "zzzz")
    with pytest.raises(ChoiceError, match=r"f\.mp4: expected a PyAV whose FFmpeg writes H\.264, .*; make a \.gif"):
        write_mp4(tmp_path / "f.mp4", iter(moving(1)), ABOUT)
