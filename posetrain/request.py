"""From the options of the commands to what is trained or scored."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from posedata.config import faults
from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.store.reader import Store, open_store
from posetrain import checkpoints
from posetrain.config import TrainConfig
from posetrain.data import Feed, Windows
from posetrain.evaluation import identity
from posetrain.find import find_run, find_store, find_unfinished_run, new_run, store_of_run
from posetrain.models import find_model, make_model
from posetrain.tasks import HEATMAPS, Refiner, Task
from posetrain.training import best_epoch


@dataclass(frozen=True, eq=False)
class RunRequest:
    """What to train, on what, to where."""

    config: TrainConfig
    store: Store
    run: Path


def run_request(store: Path | None, out: Path | None, options: Mapping[str, Any]) -> RunRequest:
    """A new run.

    Raises:
        ChoiceError: if an option has no such choice.
        BadInputError: if there is no store.
        ConflictError: if `out` holds anything.
    """
    try:
        config = TrainConfig(**options)
    except ValidationError as error:
        raise ChoiceError(*faults(error)) from error
    make_model(config)
    path = find_store(store)
    run = out or new_run(config.model, path)
    if run.exists() and (not run.is_dir() or any(run.iterdir())):
        raise ConflictError(f"{run}: expected no such run, found something; use --resume or another --out")
    return RunRequest(config, open_store(path), run)


def resume_request(store: Path | None, out: Path | None) -> RunRequest:
    """A run to go on with, as it was configured.

    Raises:
        BadInputError: if there is no such run, or its store is not what it was.
    """
    run = find_run(out) if out else find_unfinished_run()
    info = checkpoints.read_run(run)
    opened = open_store(find_store(store) if store else store_of_run(info))
    if opened.manifest.content_digest != info.store.content_digest:
        raise BadInputError(
            f"{opened.path}: content digest: expected {info.store.content_digest} as {run} was begun with, "
            f"found {opened.manifest.content_digest}; give that store, or begin a new run"
        )
    return RunRequest(info.config, opened, run)


@dataclass(frozen=True, eq=False)
class Subject:
    """What to score, on what: `epoch` is None for a baseline."""

    model: str
    refine: Refiner
    task: Task
    store: Store
    window: int
    frame_step: int
    epoch: int | None


def eval_subject(
    what: str, store: Path | None, window: int | None, frame_step: int | None, device: torch.device
) -> Subject:
    """The identity baseline, or the best epoch of a run.

    Raises:
        BadInputError: if there is no such run or store.
    """
    if what == "identity":
        return Subject(
            "identity", identity, HEATMAPS, open_store(find_store(store)), window or 5, frame_step or 1, None
        )
    run = find_run(Path(what))
    info = checkpoints.read_run(run)
    epochs = checkpoints.saved_epochs(run)
    if not epochs:
        raise BadInputError(f"{run}: expected a finished epoch, found none; train it with posetrain run --resume")
    epoch = best_epoch(checkpoints.load_state(run, epochs[-1])["history"])
    model = make_model(info.config)
    model.load_state_dict(checkpoints.load_weights(run, epoch))
    return Subject(
        info.config.model,
        model.to(device).eval(),
        find_model(info.config.model).task,
        open_store(find_store(store) if store else store_of_run(info)),
        window or info.config.window,
        frame_step or info.config.frame_step,
        epoch,
    )


def eval_windows(subject: Subject, split: str, device: torch.device, feed: Feed) -> Windows:
    """The windows to score on.

    Raises:
        BadInputError: if the split has none.
        ChoiceError: if there is no such split.
    """
    starts = subject.store.windows(split, subject.window, subject.frame_step)
    if not len(starts):
        counts = subject.store.attributes["counts"]["windows"]
        raise BadInputError(f"{subject.store.path}: split {split}: expected windows, found none; there are {counts}")
    return Windows(subject.store, starts, subject.window, subject.frame_step, device, feed)
