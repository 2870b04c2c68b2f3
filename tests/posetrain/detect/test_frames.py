"""Frames of films and pictures: counted, a few at a time, cut as training crops are."""

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from filming import number_in, numbered, write_film

from posedata.crops.images import cut
from posedata.errors import BadInputError
from posetrain.detect.frames import open_footage
from posetrain.detect.tracks import Track, square_of


def film(folder: Path, count: int = 7) -> Path:
    return write_film(folder / "climb.avi", (numbered(n, 320, 240) for n in range(count)))


def track(person: str, *at: int) -> Track:
    boxes = np.asarray([[20.0 + n, 30, 100, 120] for n in at])
    return Track(person, np.asarray(at, np.int64), boxes, 0)


def test_a_film_is_counted_and_comes_in_batches(tmp_path: Path) -> None:
    with open_footage(film(tmp_path)) as footage:
        assert (footage.name, footage.size, footage.frames) == ("climb", (320, 240), list(range(7)))
        assert footage.warnings == []
        batches = list(footage.pictures(3))
    assert [numbers for numbers, _ in batches] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [number_in(picture) for _, several in batches for picture in several] == list(range(7))


def test_crops_come_frame_by_frame_as_training_crops_are_cut(tmp_path: Path) -> None:
    tracks = [track("ann", 1, 2, 5), track("bob", 2, 3)]
    with open_footage(film(tmp_path)) as footage:
        batches = list(footage.cuts(tracks, 2))
        shown = {n: footage.picture(n) for n in (1, 2, 3, 5)}
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert [(c.track, c.frame) for batch in batches for c in batch] == [(0, 1), (0, 2), (1, 2), (1, 3), (0, 5)]
    for each in (c for batch in batches for c in batch):
        box = np.asarray([20.0 + each.frame, 30, 100, 120])
        np.testing.assert_array_equal(each.pixels, cut(shown[each.frame], square_of(box, (320, 240))))


def test_crops_are_red_green_blue(tmp_path: Path) -> None:
    red = np.zeros((100, 100, 3), np.uint8)
    red[..., 2] = 200  # as OpenCV writes
    (tmp_path / "walk").mkdir()
    cv2.imwrite(str(tmp_path / "walk" / "0.png"), red)
    with open_footage(tmp_path / "walk") as footage:
        ((each,),) = footage.cuts([Track("", np.asarray([0]), np.asarray([[20.0, 20, 50, 50]]), 0)], 4)
    assert each.pixels.shape == (256, 256, 3)
    assert (each.pixels == (200, 0, 0)).all()


def test_one_picture_is_in_memory_for_all_its_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    with open_footage(film(tmp_path)) as footage:
        usual = footage.picture
        monkeypatch.setattr(footage, "picture", lambda number: read.append(number) or usual(number))  # type: ignore[func-returns-value]
        list(footage.cuts([track("ann", 1, 2), track("bob", 1, 2), track("cy", 2, 4)], 4))
    assert read == [1, 2, 4]


def test_pictures_keep_their_numbers(pictures: Callable[..., Path]) -> None:
    folder = pictures(range(3, 6))
    with open_footage(folder) as footage:
        assert (footage.name, footage.frames) == ("walk", [3, 4, 5])


def test_a_picture_that_is_numbered_too_high_is_refused(pictures: Callable[..., Path]) -> None:
    """Every number from 0 on is a frame of the file that is made; 100,000 of them may be empty."""
    folder = pictures([1])
    (folder / "000001.png").rename(folder / "100000.png")
    with open_footage(folder) as footage:
        assert footage.frames == [100_000]
    shutil.copy(folder / "100000.png", folder / f"{10**15}.png")
    refusal = "walk: expected numbers below 100,002, .*found a picture numbered 1,000,000,000,000,000; rename"
    with pytest.raises(BadInputError, match=refusal), open_footage(folder):
        pass


@pytest.mark.parametrize("damage", ["empty", "no film", "cut film", "absent", "empty folder"])
def test_what_cannot_be_read_is_told(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "f.mp4"
    if damage == "empty":
        path.write_bytes(b"")
    elif damage == "no film":
        path.write_text("no film")
    elif damage == "cut film":
        whole = write_film(tmp_path / "whole.mp4", (numbered(n, 320, 240) for n in range(9)), "mp4v").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "empty folder":
        path.mkdir()
    with (
        pytest.raises(BadInputError, match=rf"^{path}: expected (a film that OpenCV reads|pictures like 000001)"),
        open_footage(path),
    ):
        pass


def test_a_picture_of_another_size_or_none_is_told_with_its_number(pictures: Callable[..., Path]) -> None:
    folder = pictures(range(3))
    cv2.imwrite(str(folder / "000001.png"), np.zeros((60, 60, 3), np.uint8))
    (folder / "000002.png").write_bytes(b"nothing")
    with open_footage(folder) as footage:
        with pytest.raises(BadInputError, match=r"walk: frame 1: expected 200 x 120 pixels .*, found 60 x 60"):
            footage.picture(1)
        with pytest.raises(BadInputError, match=r"000002\.png: expected a picture that OpenCV reads"):
            footage.picture(2)


def test_a_film_that_breaks_off_and_another_rate_are_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "slow.avi"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 12.5, (320, 240))
    for n in range(30):
        writer.write(numbered(n, 320, 240))
    writer.release()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with open_footage(path) as footage:
        cut_off, slow = footage.warnings
        assert 5 < len(footage.frames) < 30
    assert "its header tells of 30 frames" in cut_off
    assert "12.5 frames a second, and files of this layout are read as 30" in slow
