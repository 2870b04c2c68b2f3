"""What `posetrain eval` tells, by the kind of store that its subject works on."""

from collections.abc import Callable, Mapping, Set
from pathlib import Path
from typing import Any

import torch

from posedata.progress import Progress
from posetrain.checkpoints import read_run
from posetrain.commands.scored_crops import scored_crops
from posetrain.commands.scored_windows import scored_windows
from posetrain.crops.kind import CROPS
from posetrain.crops.scoring import MEAN_POSE
from posetrain.exported import find_export
from posetrain.filters import FILTERS
from posetrain.find import find_run
from posetrain.kinds import Kind
from posetrain.models import find_model, kinds
from posetrain.refining import WINDOWS

Told = tuple[dict[str, Any], list[tuple[object, ...]]]
"""An object for JSON, and rows of a table."""

SCORED: Mapping[str, Callable[[str, Mapping[str, Any], torch.device, Progress], Told]] = {
    WINDOWS.name: scored_windows,
    CROPS.name: scored_crops,
}
"""Kind of store -> what is told: of a subject's name, the options of the command, a device, a progress."""

BASELINES: Mapping[str, Kind] = {"identity": WINDOWS, **dict.fromkeys(FILTERS, WINDOWS), MEAN_POSE: CROPS}
"""Name -> what it works on."""


def scored(what: str, options: Mapping[str, Any], given: Set[str], device: torch.device, progress: Progress) -> Told:
    """Score a baseline, an exported model, or a run.

    Args:
        what: its name.
        options: of the command, by parameter.
        given: those that the user typed.
        device: where.
        progress: told of the samples.

    Raises:
        BadInputError: if there is no such subject or store, or nothing to score.
        ChoiceError: if an option is not for it.
    """
    kind = _kind(what)
    kind.refuse(given, kinds(), what)
    return SCORED[kind.name](what, options, device, progress)


def _kind(what: str) -> Kind:
    if what in BASELINES:
        return BASELINES[what]
    if find_export(what):
        return WINDOWS
    return find_model(read_run(find_run(Path(what))).config.model).kind
