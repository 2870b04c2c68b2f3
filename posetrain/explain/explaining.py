"""What a detector has learned, from a run to a page (seed 001, sections 6 and 8.3)."""

from pathlib import Path
from typing import Any

import torch

from posedata.errors import ChoiceError
from posedata.files import need_outside, whole_file
from posedata.progress import Progress
from posetrain.crops.data import all_crops
from posetrain.crops.tasks import Detection
from posetrain.data import choose
from posetrain.explain.contents import page_of
from posetrain.explain.examine import examine
from posetrain.explain.page import figures, html
from posetrain.models.hourglass import StackedHourglass
from posetrain.trained import open_run


def explain(
    run: Path,
    out: Path,
    *,
    store: Path | str | None,
    split: str,
    most: int,
    seed: int,
    overwrite: bool,
    device: torch.device,
    progress: Progress,
) -> dict[str, Any]:
    """Write a page about the best epoch of a detector's run.

    Args:
        run: of an hourglass.
        out: file to make.
        store: crops to show it; None = those that it was trained on.
        split: of them.
        most: crops at most, chosen by the seed.
        seed: also of the clusters.
        overwrite: whether a page that stands there may be replaced.
        device: where the model runs.
        progress: told of every step.

    Returns:
        The figures of the page, see `posetrain.explain.page.figures`.

    Raises:
        BadInputError: if there is no such run or store, or nothing in the split.
        ChoiceError: if the run is no detector's.
        ConflictError: if `out` may not be replaced.
        IntegrityError: if files are damaged.
    """
    opened = open_run(run, store, device)
    if not isinstance(opened.task, Detection) or not isinstance(opened.model, StackedHourglass):
        raise ChoiceError(f"{run}: expected a run of an hourglass that says keypoints, found one of {opened.name}")
    need_outside(out, opened.store.path)
    crops = all_crops(opened.store, split, device)
    crops.starts = choose(crops.starts, most, seed)
    with whole_file(out, overwrite) as part:
        seen = examine(opened.model, opened.task, crops, progress)
        page = page_of(opened.run.name, opened.epoch, split, opened.store, crops.starts, seen, seed, progress)
        part.write_text(html(page), "utf-8")
    return figures(page)
