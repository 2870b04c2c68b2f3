"""`posedata preview` of a store of clips, and the picture on its card."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from posedata.clips.geometry import views
from posedata.clips.joints import INDEX
from posedata.clips.sheet import figure, scales_of
from posedata.clips.store import open_clips
from posedata.preview.colours import SIDES

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_left_is_blue_and_stands_where_it_is() -> None:
    points = np.zeros((17, 2))
    points[INDEX["left_wrist"]], points[INDEX["right_wrist"]] = (0.5, 0), (-0.5, 0)
    points[INDEX["head"]] = (0, -1)
    (scale,) = scales_of([points])
    assert scale.middle.tolist() == [0, -0.5]
    assert scale.pixels == pytest.approx(0.86 * 136)  # one metre wide
    drawn = figure(points, scale)
    # The middle of the box is the middle of 136 x 224 pixels.
    assert tuple(drawn[112 + 58, 68 + 58]) == SIDES["left"]
    assert tuple(drawn[112 + 58, 68 - 58]) == SIDES["right"]
    assert tuple(drawn[112 - 58, 68]) == SIDES["middle"]
    assert (drawn[20] == drawn[6]).all()  # nothing but the ground up there


def test_a_sheet(command: Run, clips: Path, tmp_path: Path) -> None:
    done = command("posedata", "preview", clips, "--out", "a.png", "--count", 3, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["clips"] == 3
    sheet = cv2.imread(str(tmp_path / "a.png"))[:, :, ::-1]
    assert sheet.shape == (52 + 3 * (224 + 22 + 8), 3 * (224 + 2 * (136 + 4)) + 2 * 16 + 8, 3)
    store = open_clips(clips)
    rng = np.random.default_rng(0)
    shown = np.sort(rng.choice(8, 3, replace=False))
    for row, clip in enumerate(shown):
        for place, frame in enumerate((0, 4, 7)):
            left, top = 4 + place * (224 + 280 + 16), 52 + row * 254 + 4
            np.testing.assert_array_equal(
                sheet[top : top + 224, left : left + 224], store.images(np.asarray([clip]))[0, frame]
            )
    assert command("posedata", "preview", clips, "--out", "a.png").returncode == 6
    first = (tmp_path / "a.png").read_bytes()
    assert command("posedata", "preview", clips, "--out", "a.png", "--count", 3, "--overwrite").returncode == 0
    assert (tmp_path / "a.png").read_bytes() == first


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--out", "a.gif"], "expected a name that ends in .png for video clips"),
        (
            ["--out", "a.png", "--video", "b"],
            "--video: expected with temporal heatmaps only; this store has video clips",
        ),
        ([], "--out: expected a file that ends in .png"),
    ],
)
def test_what_means_nothing_is_refused(options: list[str], expected: str, command: Run, clips: Path) -> None:
    done = command("posedata", "preview", clips, *options)
    assert done.returncode == 2
    assert expected in done.stderr


def test_the_picture_of_the_card_has_people_upright_and_whole(clips: Path) -> None:
    picture = (clips / "preview.svg").read_text()
    tiles = picture.split("<g ")[1:]
    assert len(tiles) == 8
    joints = open_clips(clips).joints(np.arange(8))[:, 4].astype(float)
    for tile, pose in zip(tiles, joints, strict=True):
        dots = np.asarray(re.findall(r'<circle cx="([\d.-]+)" cy="([\d.-]+)"', tile), float)
        assert len(dots) == 17
        assert dots.min() >= 0
        assert dots.max() <= 64
        front = views(pose, "-y").front
        spread = np.ptp(dots, axis=0) / np.ptp(front, axis=0)
        assert spread[0] == pytest.approx(spread[1], rel=0.02)
        np.testing.assert_allclose((dots - dots[0]) / spread[1], front - front[0], atol=0.01)
