"""Classical filters as baselines: on the peaks of the input heatmaps, scored on the same windows as the models.

A filter sees the frames of a window, or those of the whole sequence up to a gap or a cut, where they lie in the image:
on the grid all that is smooth jumps with the boxes. Positions count in cells of the mean box of what it sees. Its
parameters are those that reach the highest PCK@0.2 on the validation split, never on the split that is scored.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from posedata.errors import BadInputError
from posedata.geometry import GRID
from posedata.progress import Progress, silent
from posedata.store.reader import Store
from posetrain.data import Input, Windows
from posetrain.evaluation import Scores, Tally
from posetrain.filters import FILTERS, Filter
from posetrain.image import in_image, on_grid
from posetrain.sequences import runs, runs_with
from posetrain.sources import Feed

Span = Literal["window", "sequence"]
Floats = NDArray[np.float64]
_BATCH = 256


class Tracks:
    """The peaks of all input heatmaps of a store.

    Args:
        store: where they are from.
        device: where heatmaps are made.
        feed: how, see `posetrain.sources`.
        given: which heatmaps are the input, see `posetrain.data`.
        progress: told of the frames.
    """

    def __init__(
        self, store: Store, device: torch.device, feed: Feed, given: Input = "noisy", progress: Progress = silent
    ) -> None:
        self._runs, self._boxes = runs(store), store["box"].astype(np.float64)
        # Windows of one frame each.
        frames = Windows(store, np.arange(len(store)), 1, 1, device, feed, given)
        found = []
        with progress("finding peaks", len(store), "frames") as advance:
            for batch in frames.batches(np.arange(len(store)), _BATCH, ("input_peaks",)):
                found.append(batch.input_peaks.cpu().double().numpy()[:, 0])
                advance(len(batch.frames))
        self.points = np.concatenate(found)
        """(N, 25, 2) grid positions, NaN where a heatmap has no peak."""

    def filtered(self, entry: Filter, parameters: Mapping[str, float], span: Span, windows: Windows) -> Floats:
        """(W, T, 25, 2) filtered positions of some windows; `span` is what the filter sees at once, in their step."""
        smooth = partial(entry.function, **parameters)
        if span == "window":
            return _in_image(smooth, self.points[windows.frames], self._boxes[windows.frames])
        whole = np.full_like(self.points, np.nan)
        for run in runs_with(np.unique(windows.frames), self._runs):
            for first in range(run.start, min(run.start + windows.step, run.stop)):
                seen = slice(first, run.stop, windows.step)
                (whole[seen],) = _in_image(smooth, self.points[seen][None], self._boxes[seen][None])
        return whole[windows.frames]


def _in_image(smooth: Callable[[Floats], Floats], points: Floats, boxes: Floats) -> Floats:
    """(W, T, 25, 2) grid positions smoothed in the image; (W, T, 4) boxes."""
    there = torch.from_numpy(boxes)
    found = smooth(GRID * in_image(torch.from_numpy(points), there).numpy())
    return on_grid(torch.from_numpy(found) / GRID, there).numpy()


@dataclass(frozen=True, eq=False)
class Baseline:
    """The filter of that name with its parameters chosen; `span` is what it sees at once."""

    name: str
    parameters: Mapping[str, float]
    span: Span
    tracks: Tracks

    def score(self, windows: Windows) -> Scores:
        """How good it is on some windows, see `score_positions`."""
        return score_positions(self.tracks.filtered(FILTERS[self.name], self.parameters, self.span, windows), windows)


def tune(name: str, tracks: Tracks, span: Span, validation: Windows, progress: Progress = silent) -> Baseline:
    """The filter of that name, with the parameters that are best on the validation windows, the first on a tie.

    Raises:
        BadInputError: if there are no validation windows, or nothing in them counts.
    """
    if not len(validation):
        raise BadInputError(f"{name}: expected validation windows to choose parameters on, found none")
    entry = FILTERS[name]
    scores = []
    with progress(f"tuning {name}", len(entry.choices), "choices") as advance:
        for choice in entry.choices:
            scores.append(score_positions(tracks.filtered(entry, choice, span, validation), validation))
            advance(1)
    if not scores[0].keypoints:
        raise BadInputError(
            f"{name}: expected validation windows with keypoints in frames with a torso to choose parameters on, "
            "found none"
        )
    reached = [each.pck["0.2"] for each in scores]
    return Baseline(name, entry.choices[int(np.argmax(reached))], span, tracks)


def score_positions(positions: Floats, windows: Windows) -> Scores:
    """How good (W, T, 25, 2) grid positions are on some windows; the loss is that of coordinates, u / 56 - 0.5."""
    tally = Tally(windows)
    tally.add(windows.frames, torch.from_numpy(positions))
    # A keypoint without a peak counts as the centre of the grid, as it does for coordinate models.
    error = (np.where(np.isnan(positions), GRID / 2, positions) - windows.target_points[windows.frames]) / GRID
    return tally.scores(float(np.nansum(error**2)) / error.size)
