"""How much of a model's own speed training and scoring reach. Prints JSON.

python tests/benchmarks/train.py STORE [--models conv3d,deciwatch] [--device auto] [--precision float32] [--rounds 3]
                                       [--compile] [--give-back]

`train` is `posetrain`'s pass over shuffled windows of the store, `bare` the same model, loss and optimizer in a loop
over batches that lie on the device beforehand, turn about in one run; `score` is its scoring, `bare_forward` the model
alone on such batches. Ratios are medians of the rounds. `milliseconds` are of one window, and `epoch_seconds` those of
all training windows of the store at that speed. With `--compile` the bare loops are those of `torch.compile(model)`,
too: `compiled` and `compiled_forward`. With `--give-back` a CPU's memory is left to the C library.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from posedata import open_store
from posetrain.config import TrainConfig
from posetrain.data import Batch, Windows, epoch_order
from posetrain.devices import pick_device, place
from posetrain.epoch import train_epoch
from posetrain.evaluation import evaluate
from posetrain.models import find_model, make_model
from posetrain.tasks import Task

_WINDOWS = {"conv3d": 320, "convlstm-sum": 48, "convlstm-concat": 48} | dict.fromkeys(
    ("deciwatch", "smoothnet", "mixer"), 3200
)
"""Windows of a round on a CPU; a GPU takes twenty times as many."""


def timed(work: Callable[[], object], device: torch.device) -> float:
    """Seconds, the device's included."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    begin = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begin


def bare_epoch(
    model: torch.nn.Module, task: Task, optimizer: torch.optim.Optimizer, batches: list[Batch], precision: str
) -> None:
    """Training without feed, progress or checks."""
    model.train()
    for batch in batches:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(batch.points.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            prediction = model(task.given(batch))
        (task.error(prediction.float(), batch) / task.elements(batch)).backward()  # type: ignore[no-untyped-call]
        optimizer.step()


@torch.inference_mode()
def bare_forward(model: torch.nn.Module, given: list[Tensor]) -> None:
    """The model alone."""
    model.eval()
    for tensor in given:
        model(tensor)


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """All figures of one model."""
    device = torch.device("cpu") if options.give_back else pick_device(options.device)
    store = open_store(options.store)
    count = options.windows or _WINDOWS[name] * (20 if device.type == "cuda" else 1)
    config = TrainConfig(model=name, batch_size=options.batch_size, precision=options.precision)
    model, task = place(make_model(config), device), find_model(name).task
    optimizer = torch.optim.Adam(model.parameters())
    every = store.windows("train")
    windows = Windows(store, every[epoch_order(every, "windows", 0, 1)[:count]], 5, 1, device, "auto")
    order = epoch_order(windows.starts, "windows", 0, 1)
    # As many batches as fit on the device; they are gone through again and again.
    resident = list(windows.batches(order[: 8 * config.batch_size], config.batch_size, task.parts))
    batches = (resident * (-(-len(windows) // (config.batch_size * len(resident)))))[
        : -(-len(windows) // config.batch_size)
    ]
    given = [task.given(batch) for batch in windows.batches(order[: 8 * task.at_once], task.at_once, task.parts)]
    forwards = (given * (-(-len(windows) // (task.at_once * len(given)))))[: -(-len(windows) // task.at_once)]
    works: dict[str, Callable[[], object]] = {
        "train": lambda: train_epoch(model, task, optimizer, windows, config, 1),
        "bare": lambda: bare_epoch(model, task, optimizer, batches, config.precision),
        "score": lambda: evaluate(model.eval(), task, windows),
        "bare_forward": lambda: bare_forward(model, forwards),
    }
    if options.compile:
        compiled = torch.compile(model)
        works["compiled"] = lambda: bare_epoch(compiled, task, optimizer, batches, config.precision)
        works["compiled_forward"] = lambda: bare_forward(compiled, forwards)
    found: dict[str, list[float]] = {key: [] for key in works}
    for turn in range(options.rounds + 1):
        for key, work in works.items():
            seconds = timed(work, device)
            if turn:  # the first one warms up
                found[key].append(len(windows) / seconds)
    speed = {key: statistics.median(rates) for key, rates in found.items()}
    ratio = {
        "train_of_bare": statistics.median(a / b for a, b in zip(found["train"], found["bare"], strict=True)),
        "score_of_bare": statistics.median(a / b for a, b in zip(found["score"], found["bare_forward"], strict=True)),
    }
    return {
        "windows_per_second": {key: round(value, 1) for key, value in speed.items()},
        **{key: round(value, 3) for key, value in ratio.items()},
        "milliseconds": round(1000 / speed["bare_forward"], 3),
        "epoch_windows": len(every),
        "epoch_seconds": round(len(every) / speed["train"], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("--models", default=",".join(_WINDOWS))
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="float32")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--windows", type=int)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--give-back", action="store_true")
    options = parser.parse_args()
    found = {name: measure(name, options) for name in options.models.split(",")}
    device = torch.cuda.get_device_name() if pick_device(options.device).type == "cuda" else "cpu"
    summary = {"device": device, "precision": options.precision, "threads": torch.get_num_threads(), **found}
    sys.stdout.write(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main()
