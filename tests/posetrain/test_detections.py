"""A detector's file, frame by frame: the reader of the layout takes it, and nothing of it hangs on the time of day."""

from pathlib import Path

import numpy as np
import pytest

from posedata.formats.climbalong import read_detector
from posetrain import detections as write
from posetrain.detections import detections


@pytest.fixture
def boxes() -> np.ndarray:
    found = np.zeros((6, 4), np.float32)
    found[[1, 3]] = [[0, 0, 56, 56], [10, 10, 66, 66]]
    return found


def made(path: Path, boxes: np.ndarray) -> np.ndarray:
    heatmaps = np.random.default_rng(0).normal(size=(2, 25, 56, 56)).astype(np.float32)
    with detections(path, boxes) as add:
        for frame, each in zip((1, 3), heatmaps, strict=True):
            add(frame, each)
    return heatmaps


def test_frames_stand_where_they_belong_and_others_are_zeros(boxes: np.ndarray, tmp_path: Path) -> None:
    heatmaps = made(tmp_path / "a.npz", boxes)
    with np.load(tmp_path / "a.npz") as arrays:
        assert sorted(arrays) == ["bboxes", "heatmaps"]
        assert arrays["bboxes"].dtype == arrays["heatmaps"].dtype == np.float32
        np.testing.assert_array_equal(arrays["bboxes"], boxes)
        np.testing.assert_array_equal(arrays["heatmaps"][[1, 3]], heatmaps)
        assert not arrays["heatmaps"][[0, 2, 4, 5]].any()


def test_the_reader_of_the_layout_takes_it(boxes: np.ndarray, tmp_path: Path) -> None:
    heatmaps = made(tmp_path / "a.npz", boxes)
    detector = read_detector(tmp_path / "a.npz", 6)
    assert np.isnan(detector.boxes).all(axis=1).tolist() == [True, False, True, False, True, True]
    (block,) = detector.heatmaps()
    np.testing.assert_array_equal(block[3], heatmaps[1])


def test_the_same_frames_give_the_same_bytes(
    boxes: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "a.npz", boxes)
    monkeypatch.setattr("time.time", lambda: 2e9)
    made(tmp_path / "b.npz", boxes)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_an_error_while_it_is_written_is_the_one_that_is_told(boxes: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(KeyError), detections(tmp_path / "a.npz", boxes) as add:
        add(1, np.zeros((25, 56, 56), np.float32))
        raise KeyError


def test_it_has_room_for_more_than_four_gigabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of zeros, which are all that is quick to write: 14,000 frames have 4.4 GB."""
    assert np.zeros(write._FRAME, np.float32).nbytes * 14_000 > 1 << 32
    monkeypatch.setattr("zipfile.ZIP64_LIMIT", 1 << 16)
    made(tmp_path / "a.npz", np.zeros((6, 4), np.float32))
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["heatmaps"].shape == (6, 25, 56, 56)
