"""What `posetrain eval` tells, by the kind of store that its subject works on."""

from collections.abc import Callable, Mapping, Set
from functools import partial
from pathlib import Path
from typing import Any

import torch

from posedata.home import find_store
from posedata.manifest import read_manifest
from posedata.progress import Progress
from posetrain.checkpoints import read_run
from posetrain.clips.kind import CLIPS
from posetrain.clips.scoring import CLIP_JUDGE
from posetrain.commands.scored_poses import clip_figures, crop_figures, scored_poses
from posetrain.commands.scored_windows import scored_windows
from posetrain.crops.kind import CROPS
from posetrain.crops.scoring import CROP_JUDGE
from posetrain.exported import find_export
from posetrain.filters import FILTERS
from posetrain.find import find_run
from posetrain.kinds import Kind
from posetrain.models import find_model, kinds
from posetrain.refining import WINDOWS
from posetrain.trained import MEAN_POSE

Told = tuple[dict[str, Any], list[tuple[object, ...]]]
"""An object for JSON, and rows of a table."""

SCORED: Mapping[str, Callable[[str, Mapping[str, Any], torch.device, Progress], Told]] = {
    WINDOWS.name: scored_windows,
    CROPS.name: partial(scored_poses, CROP_JUDGE, crop_figures),
    CLIPS.name: partial(scored_poses, CLIP_JUDGE, clip_figures),
}
"""Kind of store -> what is told: of a subject's name, the options of the command, a device, a progress."""

BASELINES = ("identity", *FILTERS)
"""Those of refiners."""


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
    kind = _kind(what, options["store"])
    kind.refuse(given, kinds(), what)
    return SCORED[kind.name](what, options, device, progress)


def _kind(what: str, store: Path | str | None) -> Kind:
    if what in BASELINES or find_export(what):
        return WINDOWS
    if what == MEAN_POSE:
        return CLIPS if read_manifest(find_store(store, CROPS.name, CLIPS.name)).kind == CLIPS.name else CROPS
    return find_model(read_run(find_run(Path(what))).config.model).kind
