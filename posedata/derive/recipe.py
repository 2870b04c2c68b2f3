"""The recipe of a derived store: how it was made, and what readers ask of any recipe."""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, model_serializer

from posedata.config import (
    BoxJitter,
    BoxSpan,
    Frozen,
    Noise,
    Recipe,
    Selection,
    Sigma,
    SigmaPer,
    SplitRule,
    faults,
    json_digest,
    without_usual,
)
from posedata.errors import BadInputError, IntegrityError
from posedata.manifest import Sha256
from posedata.store.reader import Store

Names = Annotated[tuple[str, ...], Field(strict=False)]
T = TypeVar("T")


class Kept(Frozen):
    """What a subset keeps: sequences that fit one value of every field that has any, but for those of `exclude`.

    Attributes:
        datasets: names of datasets.
        actions: spelt as in the store.
        sequences: NAME or DATASET/NAME.
        videos: VIDEO or DATASET/VIDEO.
        splits: names in `posedata.splits.SPLITS`.
        exclude: what is left out: sequences or videos.
    """

    datasets: Names = ()
    actions: Names = ()
    sequences: Names = ()
    videos: Names = ()
    splits: Names = ()
    exclude: Names = ()


class Parent(Frozen):
    """A store that another was made from; its digest stands for all that it says."""

    content_digest: Sha256
    recipe: dict[str, Any]


class DerivedNoise(Frozen):
    """The noise of all parents; `k` None = theirs differ."""

    k: float | None
    sigmas: Annotated[tuple[Sigma, ...], Field(min_length=1, strict=False)]
    sigma_per: SigmaPer


class DerivedRecipe(Frozen):
    """How a store was made from others. What a `posedata.config.Recipe` says, too, stands under the same name.

    Attributes:
        operation: "subset" of one parent, or "merge" of several.
        parents: in the order given.
        kept: of a subset.
        datasets: those of the sequences; their actions, where a parent or the subset chose by action.
        noise: None for a detector's input.
        split: the rule of all parents; None = theirs differ.
        seed: of all parents; None = theirs differ.
        box_span: of all parents.
        box_jitter: of all parents.
    """

    operation: Literal["subset", "merge"]
    parents: Annotated[tuple[Parent, ...], Field(min_length=1, strict=False)]
    kept: Kept | None
    datasets: Annotated[tuple[Selection, ...], Field(min_length=1, strict=False)]
    noise: DerivedNoise | None
    split: SplitRule | None
    seed: int | None
    box_span: BoxSpan = "frame"
    box_jitter: BoxJitter = 0.0

    @model_serializer(mode="wrap")
    def _dump(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As a `Recipe`."""
        return without_usual(dump(self))

    @property
    def store_name(self) -> str:
        """A name that two derivations share only if they are the same."""
        names = "+".join(selection.dataset for selection in self.datasets)
        return f"{names}-{self.operation}-{json_digest(self.model_dump())[:8]}.zarr"


def derived_recipe(stores: Sequence[Store], kept: Kept | None, actions: Mapping[str, Set[str]]) -> DerivedRecipe:
    """The recipe of what is made from some stores.

    Args:
        stores: the parents.
        kept: of a subset; None for a merge.
        actions: dataset -> actions of its sequences.

    Raises:
        BadInputError: if the noise or the boxes of the parents do not fit together.
        IntegrityError: if a parent's recipe is none.
    """
    recipes = [_recipe(store) for store in stores]
    return DerivedRecipe(
        operation="subset" if kept else "merge",
        parents=tuple(
            Parent(content_digest=store.manifest.content_digest, recipe=dict(store.attributes["recipe"]))
            for store in stores
        ),
        kept=kept,
        datasets=tuple(
            Selection(dataset=name, actions=tuple(sorted(found)) if _by_action(name, recipes, kept) else None)
            for name, found in sorted(actions.items())
        ),
        noise=_noise(stores, [recipe.noise for recipe in recipes]),
        split=same(recipe.split for recipe in recipes),
        seed=same(recipe.seed for recipe in recipes),
        box_span=_of_boxes("box_span", stores, recipes),
        box_jitter=_of_boxes("box_jitter", stores, recipes),
    )


def same(values: Iterable[T | None]) -> T | None:
    """The value that all are; None if they differ."""
    first, *others = values
    return first if all(other == first for other in others) else None


def _recipe(store: Store) -> Recipe | DerivedRecipe:
    recipe = store.attributes["recipe"]
    try:
        return (DerivedRecipe if "parents" in recipe else Recipe).model_validate(recipe)
    except ValidationError as error:
        raise IntegrityError(*(f"{store.path}/zarr.json: recipe.{fault}" for fault in faults(error))) from error


def _by_action(dataset: str, recipes: Sequence[Recipe | DerivedRecipe], kept: Kept | None) -> bool:
    """Whether the sequences of a dataset were chosen by action, now or before."""
    chosen = [s.actions for recipe in recipes for s in recipe.datasets if s.dataset == dataset]
    return bool(kept and kept.actions) or any(actions is not None for actions in chosen)


def _of_boxes(field: str, stores: Sequence[Store], recipes: Sequence[Recipe | DerivedRecipe]) -> Any:
    """How the boxes of all parents are made; windows of one store are of one kind."""
    found = {getattr(recipe, field): store.path for store, recipe in zip(stores, recipes, strict=True)}
    if len(found) > 1:
        (value, path), (other, there), *_ = found.items()
        raise BadInputError(f"{there}: recipe.{field}: expected {value} as in {path}, found {other}")
    return next(iter(found))


def _noise(stores: Sequence[Store], noises: Sequence[Noise | DerivedNoise | None]) -> DerivedNoise | None:
    noisy = [noise for noise in noises if noise is not None]
    if not noisy:
        return None
    if len(noisy) < len(noises):
        names = {bool(noise): store.path for store, noise in zip(stores, noises, strict=True)}
        raise BadInputError(f"{names[False]}: expected noisy input as in {names[True]}, found a detector's heatmaps")
    units = {noise.sigma_per: store.path for store, noise in zip(stores, noisy, strict=True)}
    if len(units) > 1:
        (unit, path), (other, there), *_ = units.items()
        raise BadInputError(f"{there}: expected --sigma-per {unit} as in {path}, found {other}")
    sigmas = sorted({sigma for noise in noisy for sigma in noise.sigmas})
    if len(set(np.asarray(sigmas, np.float32).tolist())) < len(sigmas):
        raise BadInputError(f"sigmas: expected sets whose sigmas are apart or the same, found {sigmas}")
    return DerivedNoise(k=same(noise.k for noise in noisy), sigmas=tuple(sigmas), sigma_per=noisy[0].sigma_per)
