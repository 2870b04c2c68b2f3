"""A trained model by its name: what refines, on which windows; or one of any kind with its store."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from posedata.home import find_store
from posedata.skeleton import KEYPOINTS
from posetrain import checkpoints
from posetrain.config import TrainConfig
from posetrain.devices import place
from posetrain.exported import find_export, read_export
from posetrain.find import check_digest, find_run, keypoints_seen, store_of_run
from posetrain.history import load_best
from posetrain.known import Known
from posetrain.models import find_model, find_refiner, make_model, put_weights
from posetrain.tasks import Refiner, Task

MEAN_POSE = "mean-pose"
"""The baseline of what finds poses in pixels: says where keypoints lie on average, and does not look."""

SEQUENCE_FRAMES = 33
"""What a model for any window sees at once of a sequence, at least; with more a mixer is a little worse."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A model that is ready to be used.

    Attributes:
        model: name of the architecture.
        refine: what refines.
        task: what it works on.
        window: frames of a window that it was trained on.
        any_window: whether it takes windows of any length.
        frame_step: frames from one frame of a window to the next.
        epoch: of the weights.
        seen: (25,) bool, the keypoints that were annotated where it was trained; None = not known.
    """

    model: str
    refine: Refiner
    task: Task
    window: int
    any_window: bool
    frame_step: int
    epoch: int
    seen: NDArray[np.bool_] | None = None

    @property
    def known_task(self) -> Task:
        """The task as it is asked of keypoints of any kind; see `posetrain.known`."""
        return self.task if self.seen is None or self.seen.all() else Known(self.task, self.seen)

    @property
    def shortest(self) -> int:
        """Frames of the shortest window that it takes."""
        return 1 if self.any_window else self.window

    @property
    def at_once(self) -> int:
        """Frames that it sees at once as it goes over a sequence, where there are so many."""
        return max(self.window, SEQUENCE_FRAMES) if self.any_window else self.window


def find_trained(name: str, device: torch.device) -> Trained:
    """The model of that name: `default`, an exported file, or the best epoch of a run, there or in the data home.

    Raises:
        BadInputError: if there is none, or no epoch of it is finished.
        ChoiceError: if it is of a model that refines no windows.
        IntegrityError: if its files are damaged.
    """
    if path := find_export(name):
        return trained_of_export(path, device)
    run = find_run(Path(name))
    return replace(trained_of_run(run, device), seen=keypoints_seen(run))


def trained_of_run(run: Path, device: torch.device) -> Trained:
    """The best epoch of a run; which keypoints it has seen is not looked for.

    Raises:
        BadInputError: if no epoch is finished.
        ChoiceError: if it is of a model that refines no windows.
        IntegrityError: if its files are damaged.
    """
    return _trained(run, checkpoints.read_run(run).config, *load_best(run), device)


def trained_of_export(path: Path, device: torch.device) -> Trained:
    """A model that was exported; raises as `posetrain.exported.read_export`."""
    info, weights = read_export(path)
    seen = None if info.keypoints is None else np.isin(KEYPOINTS, info.keypoints)
    return replace(_trained(path, info.config, info.epoch, weights, device), seen=seen)


@dataclass(frozen=True, eq=False)
class Opened:
    """The best epoch of a run of any kind, and a store to use it on.

    Attributes:
        run: where it lies.
        name: of the architecture.
        model: ready to be used.
        task: what it works on, see `posetrain.kinds.Lesson`.
        epoch: of the weights.
        store: of the kind that it works on.
    """

    run: Path
    name: str
    model: nn.Module
    task: Any
    epoch: int
    store: Any


def open_run(what: Path, store: Path | str | None, device: torch.device) -> Opened:
    """A run by its path or name, and a store; None = the one that it was trained on.

    Raises:
        BadInputError: if there is no such run or store, no epoch is finished, or the store is of another kind, or its
            own is not what it was.
        IntegrityError: if files are damaged.
    """
    run = find_run(what)
    info = checkpoints.read_run(run)
    found = find_model(info.config.model)
    opened = found.kind.open(find_store(store) if store else store_of_run(info), info.config.model)
    if not store:
        check_digest(run, info, opened)
    epoch, weights = load_best(run)
    return Opened(run, info.config.model, load_model(run, info.config, weights, device), found.task, epoch, opened)


def _trained(
    path: Path, config: TrainConfig, epoch: int, weights: Mapping[str, Tensor], device: torch.device
) -> Trained:
    found = find_refiner(config.model, path)
    refine = load_model(path, config, weights, device)
    return Trained(config.model, refine, found.task, config.window, found.any_window, config.frame_step, epoch)


def load_model(path: Path, config: TrainConfig, weights: Mapping[str, Tensor], device: torch.device) -> nn.Module:
    """A model of any kind with these weights, ready to be used; raises IntegrityError if they are not of it."""
    model = make_model(config.model_copy(update={"backbone": None}))  # what it began with need not be there any more
    put_weights(model, weights, path, config.model)
    return place(model, device).eval()
