"""Frames by hand, and films that show where joints are."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from filming import DOT, numbered, write_film

from posedata.heatmaps import peaks, render, row_table
from posedata.preview.about import About
from posedata.preview.scenes import Drawn, Scene
from posedata.skeleton import INDEX, K

ABOUT = About("a store: noise", "ab12", 1, ["d/one"], False, 25.0)


def scene_of(points: dict[int, tuple[float, float]], shift: int = 0, **change: Any) -> Scene:
    """A frame with these keypoints; its input lies `shift` cells to the right of its target, sigma 2."""
    target = np.full((K, 2), np.nan)
    for k, place in points.items():
        target[k] = place
    cells = np.where(np.isnan(target), -1, np.floor(target)).astype(np.int8)
    moved = np.where(cells < 0, cells, cells + np.int8([shift, 0]))
    one, table = np.zeros(1, np.intp), row_table
    heatmaps = [render(table((s,)), c[None], one)[0] for c, s in ((cells, 1.0), (moved, 2.0))]
    drawn = Drawn(cells, np.ones(K)), Drawn(moved, np.full(K, 2.0))
    values = {
        "sequence": "d/one",
        "number": 7,
        "seconds": 0.25,
        "split": "train",
        "box": np.asarray([100.0, 200.0, 212.0, 312.0]),
        "target": target,
        "peaks": peaks(heatmaps[1]),
        "target_heatmaps": heatmaps[0],
        "input_heatmaps": heatmaps[1],
        "target_drawn": drawn[0],
        "input_drawn": drawn[1],
    }
    return Scene(**{**values, **change})


@pytest.fixture(scope="session")
def climbs(raw_trees: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of every synthetic climb: a dot at the right ankle, read from the raw annotation, on numbered frames."""
    folder = tmp_path_factory.mktemp("climbs")
    for path in sorted((raw_trees["climbalong"] / "target").glob("*.npz")):
        ankles = np.load(path)["keypoints"].reshape(-1, K, 3)[:, INDEX["right_ankle"]]
        frames = [numbered(number, 1080, 1920) for number in range(len(ankles))]
        for frame, (x, y, flag) in zip(frames, ankles, strict=True):
            if flag:
                cv2.circle(frame, (round(float(x)), round(float(y))), 12, DOT, cv2.FILLED)
        write_film(folder / f"{path.stem}.avi", frames)
    return folder
