"""`posedata preview` of a store of crops."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from posedata.crops.sheet import figure
from posedata.preview.colours import SIDES

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_dot_where_a_keypoint_is_seen_and_a_ring_where_it_is_hidden() -> None:
    points = np.full((17, 2), np.nan, np.float32)
    points[5], points[6] = (16, 32), (48, 8)  # left and right shoulder
    visibility = np.zeros(17, np.uint8)
    visibility[5], visibility[6] = 2, 1
    crop = np.zeros((256, 256, 3), np.uint8)
    drawn = figure(crop, points, visibility)
    assert not crop.any()
    assert tuple(drawn[128, 64]) == SIDES["left"]
    # Of a ring the border is of the side's colour, but the middle, where the limb ends, is not.
    assert tuple(drawn[32, 192]) != SIDES["right"]
    ring = drawn[26:39, 186:199].astype(int) - SIDES["right"]
    assert np.abs(ring).max(axis=-1).min() < 60
    assert not drawn[200:].any()
    assert not figure(crop, np.full((17, 2), np.nan), np.zeros(17, np.uint8)).any()


def test_a_sheet(command: Run, crops: Path, tmp_path: Path) -> None:
    done = command("posedata", "preview", crops, "--out", "a.png", "--count", 6, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["crops"] == 6
    height, width = cv2.imread(str(tmp_path / "a.png")).shape[:2]
    assert width == 4 * (256 + 8)
    assert height > 2 * 256
    assert command("posedata", "preview", crops, "--out", "a.png").returncode == 6
    first = (tmp_path / "a.png").read_bytes()
    assert command("posedata", "preview", crops, "--out", "a.png", "--count", 6, "--overwrite").returncode == 0
    assert (tmp_path / "a.png").read_bytes() == first


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--out", "a.gif"], "expected a name that ends in .png for image crops"),
        (["--out", "a.png", "--sequence", "b"], "--sequence: expected with temporal heatmaps only"),
        ([], "--out: expected a file that ends in .png"),
    ],
)
def test_what_means_nothing_is_refused(options: list[str], expected: str, command: Run, crops: Path) -> None:
    done = command("posedata", "preview", crops, *options)
    assert done.returncode == 2
    assert expected in done.stderr
