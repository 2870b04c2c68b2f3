"""A trained model by its name: what refines, what it works on, and which windows it sees."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from posedata.errors import PoseDataError
from posedata.skeleton import K
from posedata.store.reader import open_store
from posetrain import checkpoints
from posetrain.devices import place
from posetrain.find import check_digest, find_run, store_of_run
from posetrain.history import load_best
from posetrain.models import find_model, make_model
from posetrain.tasks import Refiner, Task

SEQUENCE_FRAMES = 65
"""What a model for any window sees at once of a sequence, at least; about two seconds."""


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
    def shortest(self) -> int:
        """Frames of the shortest window that it takes."""
        return 1 if self.any_window else self.window

    @property
    def at_once(self) -> int:
        """Frames that it sees at once as it goes over a sequence, where there are so many."""
        return max(self.window, SEQUENCE_FRAMES) if self.any_window else self.window


def find_trained(name: str, device: torch.device) -> Trained:
    """The model of that name: the best epoch of the run there, or of that name in the data home.

    Raises:
        BadInputError: if there is none, or no epoch of it is finished.
        IntegrityError: if its files are damaged.
    """
    # The one place where a name becomes a model: one that is shipped with the package would be looked for here.
    run = find_run(Path(name))
    return replace(trained_of_run(run, device), seen=_keypoints_seen(run))


def trained_of_run(run: Path, device: torch.device) -> Trained:
    """The best epoch of a run.

    Raises:
        BadInputError: if no epoch is finished.
        IntegrityError: if its files are damaged.
    """
    config = checkpoints.read_run(run).config
    epoch, weights = load_best(run)
    model = make_model(config)
    model.load_state_dict(weights)
    kind = find_model(config.model)
    refine = place(model, device).eval()
    return Trained(config.model, refine, kind.task, config.window, kind.any_window, config.frame_step, epoch)


def _keypoints_seen(run: Path) -> NDArray[np.bool_] | None:
    """(25,) bool: what is annotated in the store of a run; None where that store cannot be had any more."""
    info = checkpoints.read_run(run)
    try:
        store = open_store(store_of_run(info))
        check_digest(run, info, store)
        annotated = store["annotated"].reshape(-1, K)
    except PoseDataError:
        return None  # moved, changed, out of reach: the run is as good without it
    return np.asarray(annotated.any(axis=0))
