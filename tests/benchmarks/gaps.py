"""What frames cost in which a detector missed somebody, and what bridging them is worth. Prints JSON.

python tests/benchmarks/gaps.py MODEL STORE [--missing 0.05] [--length 1] [--sequences 60] [--seed 0]

The input keypoints of sequences of a store's test split are written as a CSV file for `posetrain predict`, but for such
a share of their frames, in gaps of such a length. PCK over the other frames: `whole`, where nothing is missing;
`bridged`, as `predict` does; `broken`, where gaps end runs, as longer ones do.
"""

import argparse
import csv
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, TextIO
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray

from posedata import open_store
from posedata.geometry import cell_centres, to_grid, to_pixels, torso_diameters
from posedata.home import find_store
from posedata.pck import Pck, relative_errors
from posedata.skeleton import KEYPOINTS
from posedata.splits import SPLITS
from posedata.store.reader import Store
from posedata.store.views import frames_of, input_peaks
from posetrain.predict.gaps import Bridged, bridged
from posetrain.predict.predicting import predict

Floats = NDArray[np.float64]
LEAST = 20
"""Frames of a sequence."""


def chosen(store: Store, most: int) -> dict[str, NDArray[np.int64]]:
    """Frames of the first sequences of the test split, by number."""
    every = (frames_of(store, number) for number in range(len(store["sequence_start"])))
    test = [frames for frames in every if len(frames) >= LEAST and store["split"][frames[0]] == SPLITS["test"]]
    return {str(number): frames for number, frames in enumerate(test[:most])}


def seen(frames: int, missing: float, length: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(T,) bool, which frames a detector saw; the first and the last are among them."""
    kept = np.ones(frames, bool)
    at = 1
    while at < frames - length:
        gap = rng.random() < missing / length
        kept[at : at + length * gap] = False
        at += length + 1 if gap else 1
    return kept


def write(file: TextIO, people: dict[str, Floats], kept: dict[str, NDArray[np.bool_]]) -> None:
    """A row a joint."""
    rows = csv.writer(file)
    rows.writerow(["frame", "person", "joint", "x", "y"])
    for name, points in people.items():
        for frame in np.flatnonzero(kept[name]).tolist():
            for joint, (x, y) in zip(KEYPOINTS, points[frame].tolist(), strict=True):
                rows.writerow([frame, name, joint, *(["", ""] if np.isnan(x) else [x, y])])


def left(frame_number: NDArray[np.int64], points: Floats, confidence: Floats, stride: int) -> Bridged:
    """In place of `bridged`."""
    del stride
    return Bridged(frame_number, points, confidence, np.ones(len(points), bool))


def refined(
    model: str, people: dict[str, Floats], kept: dict[str, NDArray[np.bool_]], bridge: bool
) -> dict[str, Floats]:
    """(T, 25, 2) pixels of each, NaN where nothing is said."""
    way = bridged if bridge else left
    with tempfile.TemporaryDirectory() as folder, mock.patch("posetrain.predict.inputs.bridged", way):
        given, out = Path(folder) / "given.csv", Path(folder) / "out.npz"
        with given.open("w", newline="") as file:
            write(file, people, kept)
        predict(model, given, out, torch.device("cpu"))
        with np.load(out) as told:
            found = {name: np.full_like(points, np.nan) for name, points in people.items()}
            for i, name in enumerate(told["person_name"].tolist()):
                own = told["person"] == i
                found[name][told["frame_number"][own]] = told["points"][own]
            return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("store")
    parser.add_argument("--missing", type=float, default=0.05)
    parser.add_argument("--length", type=int, default=1)
    parser.add_argument("--sequences", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    store = open_store(find_store(options.store))
    frames, rng = chosen(store, options.sequences), np.random.default_rng(options.seed)
    people = {
        name: to_pixels(input_peaks(store, own), store.frames("box", own).astype(np.float64))
        for name, own in frames.items()
    }
    kept = {name: seen(len(own), options.missing, options.length, rng) for name, own in frames.items()}
    every = {name: np.ones_like(own) for name, own in kept.items()}
    ways = {"whole": (every, False), "bridged": (kept, True), "broken": (kept, False)}
    told: dict[str, Any] = {"missing": 1 - float(np.mean(np.concatenate([*kept.values()])))}
    for way, (given, bridge) in ways.items():
        found, score = refined(options.model, people, given, bridge), Pck.of_videos(1)
        for name, own in frames.items():
            score.add(errors(store, own[kept[name]], found[name][kept[name]]), np.zeros(kept[name].sum(), np.int64))
        told[way] = {name: round(value, 1) for name, value in (score.percent() or {}).items()}
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


def errors(store: Store, positions: NDArray[np.int64], points: Floats) -> Floats:
    """(N, 25) as of `relative_errors`, of frames of a store."""
    target = cell_centres(store.frames("target_cells", positions))
    torso = torso_diameters(store.frames("target_points", positions).astype(np.float64))
    return relative_errors(to_grid(points, store.frames("box", positions).astype(np.float64)), target, torso)


if __name__ == "__main__":
    main()
