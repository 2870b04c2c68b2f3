"""A synthetic tree in SPEED21's layout, with its quirks: see `posedata.formats.speed21`."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from posedata.samples.base import Floats, motion
from posedata.skeleton import INDEX, MPII_16

_WIDTH, _HEIGHT = 720, 1080


def write(root: Path, rng: np.random.Generator, sequences: int, frames: int) -> Iterator[int]:
    """Fill an empty folder with `sequences` runs of `frames` frames, two to a video."""
    (root / "skeletons").mkdir()
    rows = []
    for i in range(sequences):
        day = i // 2 + 1
        date = f"2000-{day // 28 + 1:02d}-{day % 28 + 1:02d}"
        run = f"{i % 2 + 1}_{date}_1"
        fps = (25, 30, 50)[day % 3]
        _write_run(root / "skeletons" / f"{run}.data", rng, i, frames, fps)
        seconds = f"{frames / fps:.2f}"
        url = f"https://example.org/synthetic/{day}"
        side = "lr"[i % 2]
        rows.append(f"{run};{i % 2 + 1};{date};1;{url};0.0;{seconds};{seconds};{frames};1;{side};{fps}")
        yield 1
    (root / "metadata.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _write_run(path: Path, rng: np.random.Generator, i: int, frames: int, fps: int) -> None:
    joints = _mpii(motion(rng, frames, _WIDTH, _HEIGHT, fps=float(fps)))
    lines = [f"{t}#" + ";".join(f"{x:.1f},{y:.1f}" for x, y in pose) for t, pose in enumerate(joints, start=1)]
    if i % 2 and frames > 10:
        for t in (0, frames // 2, frames - 2, frames - 1):
            lines[t] = f"{t + 1}#NULL"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _mpii(points: Floats) -> Floats:
    """(T, 16, 2) from (T, 25, 2); pelvis, thorax, neck and head top lie on the spine."""
    pelvis = (points[:, INDEX["left_hip"]] + points[:, INDEX["right_hip"]]) / 2
    thorax = (points[:, INDEX["left_shoulder"]] + points[:, INDEX["right_shoulder"]]) / 2
    nose = points[:, INDEX["nose"]]
    spine = iter((pelvis, thorax, (thorax + nose) / 2, nose + (nose - thorax) * 0.5))
    return np.stack([points[:, INDEX[name]] if name else next(spine) for name in MPII_16], axis=1)
