"""From runs to a folder or a page: find who reports on them, then publish what came of it."""

import re
from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Any

import torch

from posedata.errors import BadInputError, ChoiceError
from posedata.files import sync_tree, whole_file, write_durably
from posedata.progress import Progress
from posedata.store.staging import publish, staged
from posetrain import checkpoints
from posetrain.clips.kind import CLIPS
from posetrain.clips.shown import CLIPS_SHOWN
from posetrain.crops.kind import CROPS
from posetrain.crops.shown import CROPS_SHOWN
from posetrain.kinds import Kind
from posetrain.models import find_model, kinds
from posetrain.refining import WINDOWS
from posetrain.report.made import PAGE_NAME, Report
from posetrain.report.poses import report_poses
from posetrain.report.windows import report_windows

Make = Callable[[Sequence[Path], Mapping[str, Any], torch.device, Progress], Report]

REPORTS: Mapping[str, Make] = {
    WINDOWS.name: report_windows,
    CROPS.name: partial(report_poses, CROPS_SHOWN),
    CLIPS.name: partial(report_poses, CLIPS_SHOWN),
}
"""Kind of store -> what reports: of runs, the options of the command, a device, a progress."""

_OURS = re.compile(r"report\.(html|md)|(pck|joints|scores)\.csv|curves\.svg|(worst|predictions)-.*\.png")


def write_report(
    runs: Sequence[Path],
    out: Path,
    overwrite: bool,
    options: Mapping[str, Any],
    given: Set[str],
    device: torch.device,
    progress: Progress,
) -> Report:
    """Report on runs of one kind: their best epochs beside the baselines, on samples of their own stores.

    Args:
        runs: what to report on.
        out: folder to make, or a file whose name ends in .html: the page alone.
        overwrite: whether a report, or a file, that stands there may be replaced.
        options: of the command, by parameter.
        given: those that the user typed.
        device: where models run.
        progress: told of the samples.

    Raises:
        BadInputError: if no epoch of any run is finished, or a store is not what it was.
        ChoiceError: if the runs are of different kinds, or an option is not for theirs.
        ConflictError: if `out` may not be replaced.
        IntegrityError: if a run or a store is damaged.
    """
    out = out.absolute()
    if is_page(out):
        with whole_file(out, overwrite) as part:
            report = _made(runs, options, given, device, progress)
            part.write_bytes(report.files[PAGE_NAME])
        return report
    with staged(out, overwrite, is_report) as folder:
        report = _made(runs, options, given, device, progress)
        for name, content in report.files.items():
            write_durably(folder / name, [content])
        sync_tree(folder)
        publish(folder, out)
    return report


def is_page(out: Path) -> bool:
    """Whether the page alone is wanted."""
    return out.suffix.lower() == ".html"


def is_report(folder: Path) -> bool:
    """Whether a folder is a report, and nothing else."""
    return (folder / PAGE_NAME).is_file() and all(_OURS.fullmatch(path.name) for path in folder.iterdir())


def _made(
    runs: Sequence[Path], options: Mapping[str, Any], given: Set[str], device: torch.device, progress: Progress
) -> Report:
    kind = _kind(runs)
    kind.refuse(given, kinds(), f"runs on {kind.name}")
    if not any(checkpoints.saved_epochs(run) for run in runs):
        raise BadInputError(f"{', '.join(map(str, runs))}: expected runs with a finished epoch, found none")
    return REPORTS[kind.name](runs, options, device, progress)


def _kind(runs: Sequence[Path]) -> Kind:
    """What all runs work on."""
    found: dict[Kind, Path] = {}
    for run in runs:
        found.setdefault(find_model(checkpoints.read_run(run).config.model).kind, run)
    if not found:
        raise BadInputError("report: expected runs of refiners, found none; name runs to report on")
    if len(found) > 1:
        told = ", ".join(f"{run} on {kind.name}" for kind, run in found.items())
        raise ChoiceError(f"report: expected runs on stores of one kind, found {told}; make a report of each kind")
    return next(iter(found))
