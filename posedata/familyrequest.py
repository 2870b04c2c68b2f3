"""From the options of `posedata build` to a recipe of a family that gives other stores than temporal heatmaps."""

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from posedata.config import option_faults, option_name
from posedata.dataset import Dataset
from posedata.errors import ChoiceError
from posedata.families import FAMILIES, OTHERS
from posedata.family import Family, FamilyRecipe
from posedata.home import data_home
from posedata.request import RECIPE_OPTIONS, raw_trees

_HEATMAPS = "temporal heatmaps"

HEATMAP_OPTIONS = frozenset(RECIPE_OPTIONS) - {"datasets"} | {"recipe", "scheduler"}
"""Those that mean something for temporal heatmaps; some of them do for others too."""

OWN_OPTIONS = tuple(
    dict.fromkeys(name for family in FAMILIES for name in family.options if name not in HEATMAP_OPTIONS)
)
"""Those that mean something for other families alone."""


class FamilyRequest(NamedTuple):
    """What to build, from where, to where."""

    recipe: FamilyRecipe
    raw: Path
    out: Path


def find_family(datasets: Sequence[str], given: Set[str]) -> Family | None:
    """The family of what is to be built; None = temporal heatmaps.

    Args:
        datasets: what `--dataset` was given.
        given: names of the options that the user typed.

    Raises:
        ChoiceError: if datasets or options were given that do not go together.
    """
    names = sorted(set(datasets))
    other = next((name for name in names if name in OTHERS), None)
    if other is None:
        _refuse(given - HEATMAP_OPTIONS, f"; {', '.join(names)} gives {_HEATMAPS}" if names else "")
        return None
    family = OTHERS[other]
    if len(names) > 1:
        raise ChoiceError(f"--dataset: expected {other} alone, for it gives {family.gives}; found {', '.join(names)}")
    _refuse(given - set(family.options), f"; {other} gives {family.gives}")
    return family


def family_of(dataset: Dataset, given: Set[str]) -> Family | None:
    """The family of a dataset that is to be rebuilt; None = temporal heatmaps.

    Raises:
        ChoiceError: if the user typed an option that does not go with it; `given` names those.
    """
    family = OTHERS.get(str(dataset.recipe.get("dataset")))
    if family:
        _refuse(given & {"scheduler"}, f"; {dataset.name} is made of {family.gives}")
    return family


def _refuse(given: Set[str], why: str) -> None:
    """Raise ChoiceError if options that say what to build are among those given; others say where and how."""
    names = defaultdict(list)
    for option in sorted(given & {*HEATMAP_OPTIONS, *OWN_OPTIONS}):
        names[_takers(option)].append(option_name(option))
    if names:
        raise ChoiceError(
            *(f"{', '.join(sorted(of))}: expected with {takers} only{why}" for takers, of in names.items())
        )


def _takers(option: str) -> str:
    """Those for whom an option means something."""
    others = [name for name, family in OTHERS.items() if option in family.options]
    return " or ".join([*([_HEATMAPS] if option in HEATMAP_OPTIONS else []), *(f"--dataset {name}" for name in others)])


def family_recipe(family: Family, datasets: Sequence[str], options: Mapping[str, Any]) -> FamilyRecipe:
    """The recipe of a build; an option that is None stands as the recipe has it.

    Args:
        family: of the dataset.
        datasets: one, however often.
        options: those of `posedata build`, of which the family takes its own.

    Raises:
        ChoiceError: if a value does not do.
    """
    given = {name: options[name] for name in family.options if options[name] is not None}
    try:
        return family.recipe(dataset=datasets[0], **given)
    except ValidationError as error:
        raise ChoiceError(*option_faults(error)) from error


def family_request(
    recipe: FamilyRecipe, raws: Sequence[str], out: Path | None, expected: Dataset | None = None
) -> FamilyRequest:
    """Find the raw tree, as `posedata.request.raw_trees` does, which see for errors.

    Args:
        recipe: what to build.
        raws: what `--raw` was given.
        out: what `--out` was given.
        expected: the dataset that is to be rebuilt.
    """
    raw = raw_trees([recipe.dataset], raws, expected.samples if expected else {})[recipe.dataset]
    name = f"{expected.name}.zarr" if expected else recipe.store_name
    return FamilyRequest(recipe, raw, out or data_home() / "stores" / name)


def resolved_options(recipe: FamilyRecipe) -> dict[str, Any]:
    """What options come to; None where nothing may be said. Asked for, they give the same store."""
    return dict.fromkeys([*HEATMAP_OPTIONS, *OWN_OPTIONS]) | recipe.model_dump(exclude={"dataset"})
