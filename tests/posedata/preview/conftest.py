"""Frames by hand."""

from typing import Any

import numpy as np

from posedata.heatmaps import peaks, render, row_table
from posedata.preview.about import About
from posedata.preview.scenes import Drawn, Scene
from posedata.skeleton import K

ABOUT = About("a store: noise", "ab12", 1, 25.0)


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
        "split": "train",
        "target": target,
        "peaks": peaks(heatmaps[1]),
        "target_heatmaps": heatmaps[0],
        "input_heatmaps": heatmaps[1],
        "target_drawn": drawn[0],
        "input_drawn": drawn[1],
    }
    return Scene(**{**values, **change})
