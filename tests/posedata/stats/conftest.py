"""Small stores of SPEED21 runs in which everybody walks, and whatever else a test does to them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from posedata.build import build_store
from posedata.config import Noise, Recipe, Selection
from posedata.store.reader import Store, open_store

Runs = dict[str, NDArray[np.float64]]
"""Run -> (T, 16, 2) pixels in MPII order, NaN = missing."""

FRAMES = 10

# MPII order: right leg upwards, left leg downwards, spine upwards, right arm upwards, left arm downwards.
_X = np.asarray([60, 62, 60, 40, 38, 40, 50, 50, 50, 50, 80, 75, 65, 35, 25, 20], np.float64)
_Y = np.asarray([200, 150, 100, 100, 150, 200, 100, 40, 30, 10, 110, 75, 40, 40, 75, 110], np.float64)


def walking(runs: int = 60) -> Runs:
    """Everybody walks their own way, 60 px of torso, a few pixels a frame."""
    random = np.random.default_rng(0)
    made = {}
    for number in range(runs):
        sway = random.normal(0, 1, (FRAMES, 16, 2)).cumsum(axis=0)
        made[f"run{number:02}"] = (
            np.stack([_X, _Y], axis=-1) + sway + np.arange(FRAMES)[:, None, None] * random.uniform(-3, 3, 2)
        )
    return made


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Store]:
    """Builds the store of some runs; each is a video of its own, unless `videos` names others."""

    def make(runs: Runs, videos: Callable[[str], str] = str, **noise: float) -> Store:
        raw = tmp_path / "raw"
        (raw / "skeletons").mkdir(parents=True)
        for name, poses in runs.items():
            lines = [f"{t}#" + ";".join(f"{x},{y}" for x, y in pose) for t, pose in enumerate(poses)]
            (raw / "skeletons" / f"{name}.data").write_text("\n".join(lines))
        (raw / "metadata.txt").write_text("\n".join(f"{n};1;2;3;{videos(n)};5;6;7;8;9;l;25" for n in runs))
        recipe = Recipe(datasets=(Selection(dataset="speed21"),), noise=Noise(**noise))
        build_store(recipe, {"speed21": raw}, tmp_path / "s.zarr")
        return open_store(tmp_path / "s.zarr")

    return make
