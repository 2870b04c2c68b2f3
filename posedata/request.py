"""From the options of `posedata build` to a recipe, raw trees and a target."""

import os
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from pydantic import ValidationError

from posedata.config import BoxSpan, Noise, Recipe, Selection, SigmaPer, SplitRule, option_faults, option_name
from posedata.dataset import Dataset, buildable
from posedata.errors import BadInputError, ChoiceError
from posedata.families import OTHERS, source_of
from posedata.formats import FORMATS
from posedata.home import data_home
from posedata.noisefile import read_noise
from posedata.sharing.catalogue import find_dataset

RECIPE_OPTIONS = (
    "datasets",
    "k",
    "sigmas",
    "sigma_per",
    "noise",
    "actions",
    "torso",
    "split",
    "split_span",
    "seed",
    "fps",
    "box_span",
    "box_jitter",
)
"""The options that say what to build."""

_NONE: Mapping[str, str] = MappingProxyType({})

_NOISE_OPTIONS = frozenset({"k", "sigmas", "sigma_per", "torso", "noise"})


class BuildRequest(NamedTuple):
    """What to build, from where, to where."""

    recipe: Recipe
    raw: Mapping[str, Path]
    out: Path


def build_request(*, given: Set[str], raws: Sequence[str], out: Path | None, **options: Any) -> BuildRequest:
    """Check the options against each other and find the raw trees; `options` are those of `wanted_recipe`.

    Raises:
        ChoiceError, BadInputError: see `wanted_recipe`; if raw data is not there, the message says how to get it.
    """
    recipe = wanted_recipe(given=given, **options)
    target = out or data_home() / "stores" / recipe.store_name
    return BuildRequest(recipe, raw_trees([selection.dataset for selection in recipe.datasets], raws), target)


def wanted_recipe(
    *,
    given: Set[str],
    datasets: Sequence[str],
    k: float,
    sigmas: tuple[float, ...],
    sigma_per: SigmaPer,
    noise: Path | None,
    actions: str | None,
    torso: float | None,
    split: SplitRule | None,
    split_span: int,
    seed: int,
    fps: float | None,
    box_span: BoxSpan,
    box_jitter: float,
) -> Recipe:
    """Check the options that say what to build against each other; `given` names those that the user typed.

    Raises:
        ChoiceError: if they do not go together.
        BadInputError: if no dataset has an action, or the noise file is faulty.
    """
    names = sorted(set(datasets))
    if not names:
        raise ChoiceError(f"--dataset: expected one of {', '.join([*FORMATS, *OTHERS])}, or --recipe, found neither")
    detected = any(FORMATS[name].detector for name in names)
    misplaced = sorted(map(option_name, given & _NOISE_OPTIONS))
    if detected and misplaced:
        raise ChoiceError(
            f"{', '.join(misplaced)}: expected with noisy input only; {', '.join(names)} has a detector's"
        )
    if noise is not None:
        k, sigmas, sigma_per = _measured(noise, given)
    try:
        return Recipe(
            datasets=tuple(_selections(names, actions)),
            noise=None if detected else Noise(k=k, sigmas=sigmas, sigma_per=sigma_per, torso=torso),
            split=split or ("held-out" if detected else "video"),
            split_span=split_span,
            seed=seed,
            fps=fps,
            box_span=box_span,
            box_jitter=box_jitter,
        )
    except ValidationError as error:
        raise ChoiceError(*option_faults(error)) from error


def resolved_options(given: Set[str], recipe: str | None, **options: Any) -> dict[str, Any]:
    """What the options of `wanted_recipe` come to; None where nothing may be said. Asked for, they give the same store.

    Args:
        given: those that the user typed.
        recipe: that of `--recipe`, which says all.
        options: the others.

    Raises:
        ChoiceError, BadInputError: see `wanted_recipe` and `find_recipe`.
    """
    if recipe:
        _refuse_others(given)
        return dict.fromkeys(RECIPE_OPTIONS)
    wanted = wanted_recipe(given=given, **options)
    noise = wanted.noise.model_dump() if wanted.noise else {}
    return {**dict.fromkeys(_NOISE_OPTIONS), **noise, "split": wanted.split}


def find_recipe(given: str, typed: Set[str]) -> Dataset:
    """The dataset of `--recipe`; `typed` names the options that the user typed.

    Raises:
        ChoiceError: if other options say what to build.
        BadInputError: if there is no such manifest.
    """
    _refuse_others(typed)
    return find_dataset(given).dataset


def _refuse_others(typed: Set[str]) -> None:
    """Raise ChoiceError if options beside `--recipe` say what to build."""
    others = sorted(typed & set(RECIPE_OPTIONS))
    if others:
        names = ", ".join(map(option_name, others))
        raise ChoiceError(f"--recipe: expected nothing else that says what to build, found {names}")


def rebuild_request(dataset: Dataset, raws: Sequence[str], out: Path | None) -> BuildRequest:
    """A request for the recipe of a dataset.

    Raises:
        ChoiceError, BadInputError: see `build_request`; if it was made from other stores.
    """
    recipe = buildable(dataset, dataset.name, Recipe)
    trees = raw_trees([selection.dataset for selection in recipe.datasets], raws, dataset.samples)
    return BuildRequest(recipe, trees, out or data_home() / "stores" / f"{dataset.name}.zarr")


def _measured(file: Path, given: Set[str]) -> tuple[float, tuple[float, ...], SigmaPer]:
    """k, sigmas and what shares one, of a noise file."""
    twice = sorted(map(option_name, given & {"k", "sigmas", "sigma_per"}))
    if twice:
        raise ChoiceError(f"--noise: expected without {', '.join(twice)}, which {file} tells; leave one of them out")
    noise = read_noise(file)
    return noise.k, noise.sigmas, noise.sigma_per


def threads(workers: int | None, scheduler: str | None) -> int:
    """As many as the user asked for; by default one for each core that this process may use.

    Raises:
        ChoiceError: if the user asked for some, and for a cluster to do their work.
    """
    if workers is not None and scheduler is not None:
        raise ChoiceError(
            "--workers: expected without --scheduler, found both; a cluster has the threads that its workers were "
            "started with, see dask worker --nthreads"
        )
    return workers or len(os.sched_getaffinity(0))


def _selections(names: Sequence[str], actions: str | None) -> list[Selection]:
    """Each action goes to the datasets that have it; a dataset that has none of them is taken whole."""
    wanted = sorted({a.strip() for a in (actions or "").split(",") if a.strip()})
    if actions is not None and not wanted:
        raise ChoiceError("--actions: expected names with commas, found none")
    if len(names) == 1:
        return [Selection(dataset=names[0], actions=tuple(wanted) or None)]
    known = {a for name in names for a in FORMATS[name].actions}
    lost = [a for a in wanted if a not in known]
    if lost:
        there = ", ".join(sorted(known)) or "none"
        raise BadInputError(f"--actions: expected actions of {', '.join(names)} ({there}), found {', '.join(lost)}")
    return [
        Selection(dataset=name, actions=tuple(a for a in wanted if a in FORMATS[name].actions) or None)
        for name in names
    ]


def raw_trees(names: Sequence[str], raws: Sequence[str], samples: Mapping[str, str] = _NONE) -> dict[str, Path]:
    """The raw tree of each dataset, as `--raw` says or in the data home.

    Args:
        names: of the datasets.
        raws: what `--raw` was given.
        samples: the commands that make synthetic trees, by dataset.

    Raises:
        ChoiceError: if what was given names no dataset, or one twice.
        BadInputError: if there is no such folder; the message says how to get the data.
    """
    trees = {}
    for text in raws:
        name, equals, folder = text.partition("=")
        name = name.lower().replace("-", "_")
        if equals and name in names and name not in trees:
            trees[name] = Path(folder)
        elif len(names) == 1 and not trees and (name not in names or (not equals and Path(text).is_dir())):
            trees[names[0]] = Path(text)
        else:
            raise ChoiceError(f"--raw {text!r}: expected NAME=DIR with a NAME of {', '.join(names)}, each once")
    for name in names:
        default = data_home() / "raw" / name
        tree = trees.setdefault(name, default)
        if not tree.is_dir():
            how = f"make it: {samples[name]} --out {tree}" if name in samples else source_of(name)
            raise BadInputError(f"{tree}: expected the raw data of {name}, found no such folder; {how}")
    return trees
