"""From 17 joints on 64 x 64 cells to 25 keypoints on 56 x 56: what stays where it is, and what stays what it is."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from posedata.crops.heatmaps import render
from posedata.crops.store import CropStore, open_crops
from posedata.errors import IntegrityError
from posedata.skeleton import COCO_NAMES, KEYPOINTS
from posetrain import models
from posetrain.crops.data import CropBatch
from posetrain.detect.network import heatmaps_of, open_detector, resized, to_keypoints
from posetrain.request import configured
from posetrain.training import train

CPU = torch.device("cpu")


def test_maps_are_resized_as_opencv_does_by_area() -> None:
    maps = np.random.default_rng(0).normal(size=(3, 64, 64)).astype(np.float32)
    expected = [cv2.resize(each, (56, 56), interpolation=cv2.INTER_AREA) for each in maps]
    np.testing.assert_allclose(resized(maps), expected, atol=1e-5)
    assert resized(maps).dtype == np.float32


@given(st.floats(8, 56), st.floats(8, 56), st.sampled_from([0.5, 1.0, 2.0]))
def test_a_peak_stays_where_it_is_in_the_image(x: float, y: float, sigma: float) -> None:
    """Its mass to within a twentieth of a cell, its largest cell to within the half cell that rounding costs."""
    points, seen = np.full((1, 17, 2), np.nan), np.zeros((1, 17), np.uint8)
    points[0, 0], seen[0, 0] = (x, y), 2
    before = render(points, seen, sigma, 1.0)[0, 0]
    after = resized(before)
    centre = (np.floor([x, y]) + 0.5) / 64
    cells = (np.arange(56) + 0.5) / 56
    mass = np.asarray([cells @ after.sum(axis=0), cells @ after.sum(axis=1)]) / after.sum()
    assert np.abs(mass - centre).max() < 0.05 / 56
    row, column = np.unravel_index(after.argmax(), after.shape)
    assert np.abs(np.asarray([cells[column], cells[row]]) - centre).max() <= 0.5001 / 56
    assert after.sum() == pytest.approx(before.sum() * (56 / 64) ** 2, rel=1e-5)


def test_joints_get_to_their_keypoints_and_others_have_zeros() -> None:
    maps = np.broadcast_to(np.arange(1, 18, dtype=np.float32)[:, None, None], (17, 64, 64))[None]
    found = to_keypoints(maps)
    assert found.shape == (1, 25, 56, 56)
    assert found.dtype == np.float32
    for name, heatmap in zip(KEYPOINTS, found[0], strict=True):
        expected = COCO_NAMES.index(name) + 1 if name in COCO_NAMES else 0
        np.testing.assert_allclose(heatmap, expected, rtol=1e-6)
    assert sum(found[0].any(axis=(1, 2))) == 15  # all of COCO's but the eyes


def test_negative_values_are_passed_on() -> None:
    maps = np.full((1, 17, 64, 64), -0.25, np.float32)
    assert to_keypoints(maps)[0, 0].max() == pytest.approx(-0.25)


class Shrink(nn.Module):
    """(B, 3, 256, 256) to (B, 2, 17, 64, 64), both stacks other numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 2 * 17, 4, stride=4)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        said: torch.Tensor = self.layer(pixels)
        return said.unflatten(1, (2, 17))


@pytest.fixture
def run(crops: CropStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A trained one, whose store has gone."""
    made = replace(models.MODELS["hourglass"], make=lambda config: Shrink())
    monkeypatch.setattr(models, "MODELS", {**models.MODELS, "hourglass": made})
    store = shutil.copytree(crops.path, tmp_path / "coco.zarr")
    train(
        configured({"model": "hourglass", "epochs": 1}, {"model", "epochs"}),
        open_crops(store),
        tmp_path / "run",
        device=CPU,
    )
    shutil.rmtree(store)
    return tmp_path / "run"


def test_a_detector_sees_what_it_sees_in_training(crops: CropStore, run: Path) -> None:
    """The same pixels in the same order of colours, less the same mean; of several stacks the last counts."""
    detector, at = open_detector(run, CPU), np.asarray([4, 0])
    with torch.no_grad():
        expected = to_keypoints(detector.model(CropBatch(crops, at, CPU).input)[:, -1].numpy())
    np.testing.assert_allclose(heatmaps_of(detector, crops.frames("crop", at), CPU), expected, atol=1e-4)


def test_a_run_without_its_mean_colour_is_refused(run: Path) -> None:
    info = json.loads((run / "run.json").read_text())
    info["store"]["facts"] = {}
    (run / "run.json").write_text(json.dumps(info))
    with pytest.raises(IntegrityError, match=r"run\.json: facts\.mean_rgb: expected 3 numbers, found 0"):
        open_detector(run, CPU)
