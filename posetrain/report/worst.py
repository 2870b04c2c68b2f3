"""The windows that a run gets most wrong, so that a reader sees why."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from posedata.geometry import GRID
from posedata.skeleton import LIMBS
from posedata.store.reader import Store
from posetrain.data import Batch
from posetrain.evaluation import Scores
from posetrain.report.collect import Trained
from posetrain.sources import Feed

WINDOWS = 3
_MOST_FRAMES = 7
_ENDLESS = "off without measure: a torso has no length, or the run says nothing of a keypoint"
_TARGET, _FOUND, _SEEN = "#0072b2", "#d55e00", "#222222"
"""Blue and orange, which the colour-blind can tell apart."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Worst:
    """One window, as it was seen, judged and refined.

    Attributes:
        caption: sequence, frames and error.
        numbers: (T,) frame numbers.
        background: (T, 56, 56) input heatmaps, all keypoints fused.
        seen: (T, 25, 2) peaks of the input, NaN where not annotated.
        target: (T, 25, 2) grid positions, NaN where not annotated.
        found: (T, 25, 2) what the run made of it, NaN where not annotated.
    """

    caption: str
    numbers: NDArray[np.int64]
    background: Floats
    seen: Floats
    target: Floats
    found: Floats


def worst_windows(run: Trained, split: str, scores: Scores, device: torch.device, feed: Feed) -> list[Worst]:
    """Those with the largest mean error in torso diameters, the worst first."""
    windows = run.subject.windows(split, device, feed)
    errors = np.nan_to_num(scores.window_errors, nan=-1.0, posinf=np.inf)
    numbers = [int(n) for n in np.argsort(-errors, kind="stable")[:WINDOWS] if errors[n] >= 0]
    batches = windows.batches(np.asarray(numbers, np.int64), 1)
    return [_seen(run, batch, errors[n]) for n, batch in zip(numbers, batches, strict=True)]


@torch.inference_mode()
def _seen(run: Trained, batch: Batch, error: float) -> Worst:
    subject = run.subject
    found = subject.task.positions(subject.refine(subject.task.given(batch)), batch)
    annotated = batch.annotated[0, ..., None]
    top = batch.input.amax(dim=(-2, -1), keepdim=True).clamp(min=1e-6)
    frames = batch.frames[0]
    far = f"off by {error:.2f} torso diameters on average" if np.isfinite(error) else _ENDLESS
    return Worst(
        f"{_sequence(subject.store, int(frames[0]))}: {far}",
        subject.store["frame_number"][frames],
        (batch.input / top).amax(dim=2)[0].cpu().double().numpy(),
        *(
            points[0].where(annotated, torch.nan).cpu().double().numpy()
            for points in (batch.input_peaks, batch.points, found)
        ),
    )


def _sequence(store: Store, frame: int) -> str:
    number = store.frame_sequence[frame]
    return f"{store['sequence_dataset'][number]} {store['sequence_name'][number]}"


def worst_png(worst: Sequence[Worst]) -> bytes:
    """A row a window, a column a frame: input in grey with crosses, target in blue, prediction in orange."""
    shown = [_shown(len(window.numbers)) for window in worst]
    columns = max(map(len, shown))
    figure = Figure(figsize=(1.9 * columns, 2.25 * len(worst) + 0.3), layout="constrained", dpi=90)
    rows = figure.subfigures(len(worst), 1, squeeze=False)[:, 0]
    for row, window, frames in zip(rows, worst, shown, strict=True):
        row.suptitle(window.caption, fontsize="small", x=0.01, ha="left")
        for axes, t in zip(row.subplots(1, columns, squeeze=False)[0], frames, strict=True):
            _draw(axes, window, t)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _shown(frames: int) -> list[int]:
    """Which frames of a window are drawn: all, or some evenly spread."""
    return [round(t) for t in np.linspace(0, frames - 1, min(frames, _MOST_FRAMES))]


def _limbs(points: Floats) -> Floats:
    """(n, 2) of one line, which is drawn many times as fast as a line a limb; NaN parts them.

    Args:
        points: (25, 2), NaN = missing.
    """
    ends = points[np.asarray(LIMBS)]
    return np.concatenate([ends, np.full_like(ends[:, :1], np.nan)], axis=1).reshape(-1, 2)


def _draw(axes: Axes, window: Worst, t: int) -> None:
    axes.imshow(window.background[t], cmap="Greys", vmin=0, vmax=1.6, extent=(0, GRID, GRID, 0))
    for points, colour, width in ((window.target, _TARGET, 2.2), (window.found, _FOUND, 1.3)):
        axes.plot(*_limbs(points[t]).T, color=colour, linewidth=width, solid_capstyle="round")
        axes.plot(*points[t].T, ".", color=colour, markersize=4)
    axes.plot(*window.seen[t].T, "x", color=_SEEN, markersize=3.5, markeredgewidth=1)
    axes.set(xlim=(0, GRID), ylim=(GRID, 0), xticks=[], yticks=[])
    axes.set_title(f"frame {window.numbers[t]}", fontsize="x-small", pad=2)
