from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from posedata.config import Noise, Recipe, Selection
from posedata.dataset import Dataset, buildable
from posedata.derive.recipe import DerivedRecipe, Kept, derived_recipe, same
from posedata.errors import BadInputError, IntegrityError
from posedata.store.reader import Store

DIGEST = "0" * 63


def store(number: int, recipe: dict[str, Any]) -> Store:
    manifest = SimpleNamespace(content_digest=f"{DIGEST}{number}")
    return SimpleNamespace(  # type: ignore[return-value]
        path=Path(f"{number}.zarr"), manifest=manifest, attributes={"recipe": recipe}
    )


def built(number: int, *datasets: str, actions: tuple[str, ...] | None = None, **fields: Any) -> Store:
    selections = tuple(Selection(dataset=name, actions=actions) for name in datasets)
    return store(number, Recipe(datasets=selections, **fields).model_dump(mode="json"))


def test_what_parents_share_stands_where_readers_look() -> None:
    recipe = derived_recipe([built(1, "brace", seed=3), built(2, "speed21", seed=3)], None, {"speed21": {""}})
    assert (recipe.operation, recipe.split, recipe.seed) == ("merge", "video", 3)
    assert recipe.noise is not None
    assert (recipe.noise.k, recipe.noise.sigmas, recipe.noise.sigma_per) == (1.0, (1.0, 1.5, 2.0, 2.5, 3.0), "frame")
    assert [parent.content_digest[-1] for parent in recipe.parents] == ["1", "2"]


def test_what_differs_is_none_and_sigmas_are_joined() -> None:
    parents = [
        built(1, "brace", noise=Noise(k=2, sigmas=(1.0, 3.0))),
        built(2, "speed21", noise=Noise(sigmas=(0.5,)), split="official", seed=1),
    ]
    recipe = derived_recipe(parents, None, {"brace": {"toprock"}})
    assert recipe.noise is not None
    assert (recipe.noise.k, recipe.noise.sigmas, recipe.split, recipe.seed) == (None, (0.5, 1.0, 3.0), None, None)


@pytest.mark.parametrize(
    ("kept", "chosen_before", "expected"),
    [
        (None, None, None),
        (Kept(exclude=("v",)), None, None),
        (Kept(actions=("a", "b")), None, ("a", "b")),
        (Kept(exclude=("v",)), ("a", "b", "c"), ("a", "b")),
        (None, ("a",), ("a", "b")),
    ],
)
def test_actions_are_told_where_somebody_chose_by_them(
    kept: Kept | None, chosen_before: tuple[str, ...] | None, expected: tuple[str, ...] | None
) -> None:
    recipe = derived_recipe([built(1, "brace", actions=chosen_before)], kept, {"brace": {"b", "a"}})
    assert recipe.datasets == (Selection(dataset="brace", actions=expected),)


def test_a_recipe_survives_json_and_can_be_a_parents() -> None:
    first = derived_recipe([built(1, "brace")], Kept(videos=("v",)), {"brace": {""}})
    dumped = first.model_dump(mode="json")
    assert DerivedRecipe.model_validate(dumped) == first
    second = derived_recipe([store(2, dumped), built(3, "speed21")], None, {"brace": {""}, "speed21": {""}})
    assert second.parents[0].recipe == dumped
    assert second.noise == first.noise
    assert [s.dataset for s in second.datasets] == ["brace", "speed21"]
    assert len({r.store_name for r in (first, second)}) == 2
    assert first.store_name.startswith("brace-subset-")


def test_a_derived_dataset_cannot_be_rebuilt_from_raw_data() -> None:
    recipe = derived_recipe([built(1, "brace")], Kept(videos=("v",)), {"brace": {""}})
    dataset = Dataset(name="x", recipe=recipe.model_dump(mode="json"), sources=())
    with pytest.raises(BadInputError, match="found one from other stores"):
        buildable(dataset, "x.json", Recipe)


@pytest.mark.parametrize("recipe", [{"datasets": []}, {"parents": []}, {"parents": 3, "noise": None}])
def test_a_parent_whose_recipe_is_none_is_refused(recipe: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match=r"7\.zarr/zarr\.json: recipe\."):
        derived_recipe([store(7, recipe)], None, {"brace": {""}})


def test_the_jitter_of_boxes_is_that_of_all_parents() -> None:
    parents = [built(1, "brace", box_jitter=0.05), built(2, "speed21", box_jitter=0.05)]
    recipe = derived_recipe(parents, None, {"brace": {""}, "speed21": {""}})
    assert recipe.box_jitter == recipe.model_dump(mode="json")["box_jitter"] == 0.05
    assert DerivedRecipe.model_validate(recipe.model_dump(mode="json")) == recipe
    assert "box_jitter" not in derived_recipe([built(1, "brace")], Kept(videos=("v",)), {"brace": {""}}).model_dump()


def test_the_span_of_boxes_is_kept() -> None:
    recipe = derived_recipe([built(1, "brace", box_span="sequence")], Kept(videos=("v",)), {"brace": {""}})
    assert recipe.box_span == recipe.model_dump(mode="json")["box_span"] == "sequence"
    assert DerivedRecipe.model_validate(recipe.model_dump(mode="json")) == recipe


def test_parents_in_other_boxes_are_refused() -> None:
    parents = [built(1, "brace", box_jitter=0.05), built(2, "speed21")]
    with pytest.raises(BadInputError, match=r"recipe\.box_span: expected frame as in 1\.zarr, found sequence$"):
        derived_recipe([built(1, "brace"), built(2, "speed21", box_span="sequence")], None, {"brace": {""}})
    with pytest.raises(BadInputError, match=r"^2\.zarr: recipe\.box_jitter: expected 0\.05 as in 1\.zarr, found 0\.0$"):
        derived_recipe(parents, None, {"brace": {""}})


def test_same() -> None:
    assert same([1, 1, 1]) == 1
    assert same([1, 2]) is None
    assert same(iter([None, None])) is None
