"""From the options of `posedata build` to a recipe of crops."""

from collections.abc import Sequence, Set
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from posedata.config import faults
from posedata.crops.formats import CROPS
from posedata.crops.recipe import CropRecipe
from posedata.errors import ChoiceError
from posedata.home import data_home
from posedata.request import RECIPE_OPTIONS, raw_trees

OPTIONS = ("sigma_visible", "sigma_occluded")
"""Those that mean something for crops alone."""

_SHARED = {"datasets", "seed"}
_TYPED = {"sigmas": "sigma-set"}
"""Options whose parameters have other names."""


class CropRequest(NamedTuple):
    """What to build, from where, to where."""

    recipe: CropRecipe
    raw: Path
    out: Path


def asks_for_crops(datasets: Sequence[str], given: Set[str]) -> bool:
    """Whether a build is one of crops.

    Args:
        datasets: what `--dataset` was given.
        given: names of the options that the user typed.

    Raises:
        ChoiceError: if options were given that do not go with it.
    """
    names = sorted(set(datasets))
    crops = [name for name in names if name in CROPS]
    if not crops:
        _refuse(given & set(OPTIONS), f"expected with --dataset {' or '.join(CROPS)} only")
        return False
    if len(names) > 1:
        raise ChoiceError(f"--dataset: expected {crops[0]} alone, for it gives image crops; found {', '.join(names)}")
    others = (set(RECIPE_OPTIONS) | {"recipe", "scheduler"}) - _SHARED
    _refuse(given & others, f"expected with temporal heatmaps only; {crops[0]} gives image crops")
    return True


def _refuse(options: Set[str], why: str) -> None:
    if options:
        names = sorted(f"--{_TYPED.get(name, name.replace('_', '-'))}" for name in options)
        raise ChoiceError(f"{', '.join(names)}: {why}")


def crop_recipe(datasets: Sequence[str], **options: Any) -> CropRecipe:
    """The recipe of a build of crops; an option that is None stands as the recipe has it.

    Raises:
        ChoiceError: if a value does not do.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return CropRecipe(dataset=datasets[0], **given)
    except ValidationError as error:
        raise ChoiceError(*(f"--{fault.replace('_', '-', 1)}" for fault in faults(error))) from error


def crop_request(recipe: CropRecipe, raws: Sequence[str], out: Path | None) -> CropRequest:
    """Find the raw tree; raises as `posedata.request.raw_trees` does."""
    raw = raw_trees([recipe.dataset], raws)[recipe.dataset]
    return CropRequest(recipe, raw, out or data_home() / "stores" / recipe.store_name)


def resolved_options(recipe: CropRecipe) -> dict[str, Any]:
    """What options come to; None where nothing may be said. Asked for, they give the same store."""
    unsaid = {name: None for name in RECIPE_OPTIONS if name not in _SHARED}
    return unsaid | {name: getattr(recipe, name) for name in OPTIONS}
