"""What an answer that does not wait is worth, and how many frames a second are answered. Prints JSON.

python tests/benchmarks/online.py RUN STORE... [--split test] [--delays 0,1,2,4,8,16]

`pck` is that of all windows of a split: of the input, of the run over whole sequences (`offline`), and online for each
delay. Frames are in the store's own boxes. `frames_per_second` are of one person on one thread, in boxes made
on the way, in its own time: the median of some hundreds of answers.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from posedata import open_store
from posedata.geometry import to_grid, to_pixels
from posedata.home import find_store
from posedata.store.reader import Store
from posetrain.baselines import score_positions
from posetrain.data import Windows
from posetrain.predict.online import Online
from posetrain.sequences import over_sequences, runs, runs_with
from posetrain.trained import Trained, find_trained

CPU = torch.device("cpu")
Floats = NDArray[np.float64]
_WARM, _TIMED = 40, 300


def peaks_of(store: Store, run: slice) -> Floats:
    """(T, 25, 2) grid positions of the input."""
    every = Windows(store, np.arange(run.start, run.stop), 1, 1, CPU, "auto")
    (batch,) = every.batches(np.arange(len(every)), len(every))
    return batch.input_peaks[:, 0].double().numpy()


def answered(online: Online, points: Floats, boxes: Floats) -> Floats:
    """(T, 25, 2) grid positions that are said of a run, frame by frame, in the boxes of its store."""
    pixels = to_pixels(points, boxes)
    poses = [pose for frame, box in zip(pixels, boxes, strict=True) for pose in online.add(frame, box)]
    return to_grid(np.stack([pose.points for pose in [*poses, *online.finish()]]), boxes)


def score(trained: Trained, store: Store, split: str, delays: list[int]) -> dict[str, Any]:
    """PCK of one store."""
    windows = Windows(store, store.windows(split), 5, 1, CPU, "auto")
    needed = list(runs_with(np.unique(windows.frames), runs(store)))
    points = [peaks_of(store, run) for run in needed]
    given, boxes = np.full((len(store), 25, 2), np.nan), store["box"].astype(np.float64)
    for run, own in zip(needed, points, strict=True):
        given[run] = own
    found = {
        "input": given[windows.frames],
        "offline": over_sequences(trained.refine, trained.task, windows, needed, trained.at_once),
    }
    for delay in delays:
        online, whole = Online(trained, delay), np.full_like(given, np.nan)
        for run, own in zip(needed, points, strict=True):
            whole[run] = answered(online, own, boxes[run])
        found[str(delay)] = whole[windows.frames]
    pck = {name: score_positions(positions, windows).pck for name, positions in found.items()}
    return {"windows": len(windows), "frames": sum(map(len, points)), "pck": pck}


def speed(trained: Trained, delay: int) -> float:
    """Frames a second."""
    rng = np.random.default_rng(0)
    points = rng.uniform(200, 400, (25, 2)) + rng.normal(0, 4, (_WARM + _TIMED, 25, 2)).cumsum(axis=0)
    online, seconds = Online(trained, delay), []
    for frame in points:
        begin = time.process_time()
        online.add(frame)
        seconds.append(time.process_time() - begin)
    return 1 / statistics.median(seconds[_WARM:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("stores", nargs="+")
    parser.add_argument("--split", default="test")
    parser.add_argument("--delays", default="0,1,2,4,8,16")
    options = parser.parse_args()
    torch.set_num_threads(1)
    trained = find_trained(options.run, CPU)
    delays = [int(delay) for delay in options.delays.split(",")]
    found = {
        "model": trained.model,
        "frames_per_second": {delay: round(speed(trained, delay), 1) for delay in delays},
        "stores": {
            str(name): score(trained, open_store(find_store(Path(name))), options.split, delays)
            for name in options.stores
        },
    }
    sys.stdout.write(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
