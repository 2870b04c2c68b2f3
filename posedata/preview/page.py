"""One HTML page that needs nothing beside it: frames as numbers, drawn by the page's own script.

Rendered heatmaps are not in it: the script draws them from cells and sigma, as scipy's filter does. A detector's are,
each in `STEPS` steps up to its own peak. Before backdrops there are no heatmaps: every frame has its image.
"""

import base64
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from posedata import __version__
from posedata.errors import ChoiceError
from posedata.geometry import GRID
from posedata.pages import environment
from posedata.preview.about import About
from posedata.preview.colours import GROUND, KEYPOINT_COLOURS, LIMB_COLOURS, PEAK, SIDES, lighter
from posedata.preview.scenes import Backdrop, Floats, Halves, Scene
from posedata.skeleton import KEYPOINTS, LIMBS

MOST_FRAMES = 2000
"""A page is read whole by whoever opens it."""

MOST_FILMED = 300
"""With backdrops of some 40 kB each."""

STEPS = 15
"""A detector's heatmaps go from 0 to this: finer steps are mostly noise, and do not compress."""

HUNDREDTHS = 100
"""Sub-cell positions are whole hundredths of a cell."""


def write_html(path: Path, scenes: Iterator[Scene], about: About) -> None:
    """A page with a slider over the frames.

    Raises:
        ChoiceError: if there are more than `MOST_FRAMES`, or than `MOST_FILMED` before backdrops.
    """
    most = MOST_FILMED if about.filmed else MOST_FRAMES
    if about.frames > most:
        found = f"expected at most {most:,} frames on a page{' with a film' * about.filmed}, found {about.frames:,}"
        raise ChoiceError(f"{path.name}: {found}; choose some with --frames A:B, or make a film")
    path.write_text(render([frame_numbers(scene) for scene in scenes], about), encoding="utf-8")


def render(frames: list[dict[str, Any]], about: About) -> str:
    """The page of some frames, see `frame_numbers`."""
    templates = environment("posedata.preview")
    templates.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "sort_keys": True, "allow_nan": False}
    shared = {
        "grid": GRID,
        "rate": about.rate,
        "steps": STEPS,
        "keypoints": KEYPOINTS,
        "limbs": LIMBS,
        "ground": GROUND,
        "peak": PEAK,
        "target": {"keypoints": KEYPOINT_COLOURS, "limbs": LIMB_COLOURS},
        "input": {"keypoints": [*map(lighter, KEYPOINT_COLOURS)], "limbs": [*map(lighter, LIMB_COLOURS)]},
    }
    kind = "film" if about.filmed else "detected" if any("heatmaps" in frame for frame in frames) else "drawn"
    template = templates.get_template("preview.html.j2")
    return template.render(
        about=about, shared=shared, frames=frames, sides=SIDES, kind=kind, steps=STEPS, version=__version__
    )


def frame_numbers(scene: Scene) -> dict[str, Any]:
    """What the page's script is told of a frame; positions are flat, x y x y, and -1 = missing.

    Returns:
        `sequence`, `number`, `split`; `target`: positions in hundredths of a cell; `peaks`: cells. Then `film` and
        `box`, or `target_cells` and either `input_cells` and `input_sigma`, or `heatmaps` as base64.
    """
    numbers: dict[str, Any] = {
        "sequence": scene.sequence,
        "number": scene.number,
        "split": scene.split,
        "target": _whole(scene.target * HUNDREDTHS),
        "peaks": _whole(np.floor(scene.peaks)),
    }
    if scene.backdrop is not None:
        return numbers | _film(scene.backdrop)
    numbers["target_cells"] = scene.target_drawn.cells.ravel().tolist()
    if scene.input_drawn is None:
        return numbers | {"heatmaps": packed(scene.input_heatmaps)}
    drawn = scene.input_drawn
    return numbers | {"input_cells": drawn.cells.ravel().tolist(), "input_sigma": drawn.sigma.tolist()}


def packed(heatmaps: Halves) -> str:
    """Heatmaps as base64 of zlib of uint8: rint(value * STEPS / peak), 0 where a heatmap is all zeros.

    Args:
        heatmaps: (25, 56, 56), not negative.
    """
    values = heatmaps.astype(np.float32)
    top = values.max(axis=(-2, -1), keepdims=True)
    steps = np.rint(values * STEPS / np.where(top > 0, top, 1)).astype(np.uint8)
    return base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode()


def _film(backdrop: Backdrop) -> dict[str, Any]:
    """Its picture as base64 of JPEG, and where the grid lies in it: x0 y0 x1 y1 in pixels, 0 for none."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(backdrop.picture).save(file, "jpeg", quality=80)
    box = np.round(np.nan_to_num(backdrop.box), 2).tolist()
    return {"film": base64.b64encode(file.getvalue()).decode(), "box": box}


def _whole(numbers: Floats) -> list[int]:
    """Rounded and flat; -1 for NaN."""
    return np.where(np.isnan(numbers), -1, np.rint(numbers)).astype(int).ravel().tolist()
