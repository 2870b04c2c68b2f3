"""Films that OpenCV itself has written, each frame with its number on it."""

import struct
import zlib
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from filming import number_in, numbered, write_film

from posedata.crops.images import is_cut
from posedata.errors import BadInputError
from posedata.preview.footage import Film, numbered_pictures

FRAMES = 40


def film_of(folder: Path, codec: str, ending: str, count: int = FRAMES) -> Path:
    return write_film(folder / f"f{ending}", (numbered(n, 320, 240) for n in range(count)), codec)


@pytest.mark.parametrize(("codec", "ending"), [("MJPG", ".avi"), ("mp4v", ".mp4"), ("vp09", ".webm")])
def test_a_frame_is_the_same_in_turn_alone_and_backwards(codec: str, ending: str, tmp_path: Path) -> None:
    path = film_of(tmp_path, codec, ending)
    with closing(Film(path)) as film:
        assert film.size == (320, 240)
        in_turn = [film.frame(n) for n in range(FRAMES)]
        backwards = [film.frame(n) for n in (FRAMES - 1, 17, 16, 16, 0)]
    assert [number_in(frame) for frame in in_turn] == list(range(FRAMES))
    for n in (0, 1, 12, 13, 29, FRAMES - 1):
        with closing(Film(path)) as film:
            assert np.array_equal(film.frame(n), in_turn[n])
    assert [number_in(frame) for frame in backwards] == [FRAMES - 1, 17, 16, 16, 0]


def test_seeking_finds_the_frames_that_counting_finds(tmp_path: Path) -> None:
    """Of a film with an even rate; OpenCV seeks by time."""
    path = film_of(tmp_path, "mp4v", ".mp4")
    sought = cv2.VideoCapture(str(path))
    with closing(Film(path)) as film:
        for n in (3, 25, 12, FRAMES - 1):
            sought.set(cv2.CAP_PROP_POS_FRAMES, n)
            assert np.array_equal(film.frame(n), sought.read()[1][..., ::-1])


def test_the_first_frame_has_the_number_it_is_given(tmp_path: Path) -> None:
    with closing(Film(film_of(tmp_path, "MJPG", ".avi"), first=1)) as film:
        assert [number_in(film.frame(n)) for n in (1, 2, FRAMES)] == [0, 1, FRAMES - 1]
        with pytest.raises(BadInputError, match="expected 41 frames at least, found 40"):
            film.frame(FRAMES + 1)


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[..., 0] = 200
    cv2.imwrite(str(tmp_path / "7.png"), picture[..., ::-1])
    write_film(tmp_path / "f.avi", [picture])
    for place, number in ((tmp_path, 7), (tmp_path / "f.avi", 0)):
        with closing(Film(place)) as film:
            assert np.abs(film.frame(number)[20, 20].astype(int) - (200, 0, 0)).max() < 8


def test_a_folder_of_pictures_is_read_by_their_numbers(tmp_path: Path) -> None:
    for n in (1, 2, 10):
        cv2.imwrite(str(tmp_path / f"img-{n:06d}.png"), numbered(n, 320, 240))
    (tmp_path / "notes12.txt").write_text("no picture")
    (tmp_path / "cover.png").write_bytes(b"no number")
    assert sorted(numbered_pictures(tmp_path)) == [1, 2, 10]
    with closing(Film(tmp_path, first=5)) as film:
        assert film.size == (320, 240)
        assert [number_in(film.frame(n)) for n in (10, 1, 2)] == [10, 1, 2]
        with pytest.raises(BadInputError, match="expected a picture of frame 3, found none"):
            film.frame(3)


def test_two_pictures_of_a_number_are_refused(tmp_path: Path) -> None:
    for name in ("1.png", "001.png"):
        cv2.imwrite(str(tmp_path / name), numbered(1, 32, 32))
    with pytest.raises(BadInputError, match=r"expected one picture of frame 1, found 001\.png too"):
        Film(tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 5000])
def test_what_is_no_film_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "f.mp4").write_bytes(content)
    with pytest.raises(BadInputError, match=r"f\.mp4: expected a film that OpenCV reads, found one that it does not"):
        Film(tmp_path / "f.mp4")
    (tmp_path / "1.jpg").write_bytes(content)
    with pytest.raises(BadInputError, match=r"1\.jpg: expected a picture that OpenCV reads, found none"):
        Film(tmp_path)


def test_a_film_that_is_cut_ends_where_it_is(tmp_path: Path) -> None:
    path = film_of(tmp_path, "MJPG", ".avi")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with closing(Film(path)) as film, pytest.raises(BadInputError, match=r"expected 40 frames at least, found [12]\d;"):
        film.frame(FRAMES - 1)


@pytest.mark.parametrize(("promised", "there"), [(FRAMES, 15), (15, FRAMES)])
def test_frames_that_a_header_does_not_promise_are_counted(
    promised: int, there: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Film, "header", lambda _: (promised, 30.0))
    with closing(Film(film_of(tmp_path, "MJPG", ".avi", count=there), first=1)) as film:
        film.need(range(3, 16))
        if there < promised:
            film.need(range(3, promised + 1))  # believed
            with pytest.raises(BadInputError, match="expected 41 frames at least, found 15"):
                film.need(range(3, promised + 2))
        else:
            film.need(range(3, there + 1))
            assert number_in(film.frame(1)) == 0


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="found nothing"):
        Film(tmp_path / "f.mp4")
    with pytest.raises(BadInputError, match=r"expected pictures like 000001\.jpg, found none"):
        Film(tmp_path)


@pytest.mark.parametrize(("codec", "ending"), [("MJPG", ".avi"), ("mp4v", ".mp4"), ("vp09", ".webm")])
def test_frames_are_counted_while_others_are_read(codec: str, ending: str, tmp_path: Path) -> None:
    with closing(Film(film_of(tmp_path, codec, ending, count=7))) as film:
        assert number_in(film.frame(2)) == 2
        assert film.numbers() == [0, 1, 2, 3, 4, 5, 6]
        assert number_in(film.frame(3)) == 3
        assert film.header() == (7, pytest.approx(30))


def test_the_numbers_of_pictures_are_those_of_their_names(tmp_path: Path) -> None:
    for number in (12, 7, 30):
        cv2.imwrite(str(tmp_path / f"{number:05d}.png"), numbered(number, 64, 48))
    with closing(Film(tmp_path)) as film:
        assert film.numbers() == [7, 12, 30]
        assert film.header() == (0, 0.0)


def test_a_cut_picture_is_refused_by_any_opencv(tmp_path: Path) -> None:
    whole = cv2.imencode(".jpg", numbered(5, 320, 240))[1].tobytes()
    cut = whole[: len(whole) // 2]
    assert (is_cut(whole), is_cut(cut), is_cut(b"")) == (False, True, False)
    (tmp_path / "5.jpg").write_bytes(cut)
    with pytest.raises(BadInputError, match=r"5\.jpg: expected a picture that OpenCV reads"):
        Film(tmp_path)


def test_a_picture_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """Its header says 60,000 x 60,000 pixels, at which OpenCV raises an error of its own."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    rest = cv2.imencode(".png", numbered(1, 32, 32))[1].tobytes()[33:]
    whole = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + rest
    (tmp_path / "1.png").write_bytes(whole)
    with pytest.raises(BadInputError, match=r"1\.png: expected a picture that OpenCV reads"):
        Film(tmp_path)
