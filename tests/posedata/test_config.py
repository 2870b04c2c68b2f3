import json
import math
from typing import Any

import pytest
from pydantic import ValidationError

from posedata.config import SIGMA_SETS, Noise, Recipe, Selection, canonical_json, faults, json_digest

BRACE = (Selection(dataset="brace"),)
BOTH = (Selection(dataset="brace"), Selection(dataset="penn_action"))
CLIMB = (Selection(dataset="climbalong"),)

UNUSUAL = {
    "seed": Recipe(datasets=BRACE, seed=1),
    "actions": Recipe(datasets=(Selection(dataset="brace", actions=("toprock",)),)),
    "torso": Recipe(datasets=BRACE, noise=Noise(torso=12.5)),
    "sigma_per": Recipe(datasets=BRACE, noise=Noise(sigma_per="keypoint")),
    "split": Recipe(datasets=BRACE, split="official"),
    "fps": Recipe(datasets=BRACE, fps=25),
    "box_jitter": Recipe(datasets=BRACE, box_jitter=0.05),
    "box_span": Recipe(datasets=BRACE, box_span="sequence"),
}


def test_the_sigma_sets_are_those_of_the_setups() -> None:
    assert SIGMA_SETS == {"random": (1.0, 1.5, 2.0, 2.5, 3.0), "fixed": (1.0,)}


@pytest.mark.parametrize(
    ("recipe", "name"),
    [
        (Recipe(datasets=BRACE, noise=Noise(k=2)), "brace-k2-random.zarr"),
        (Recipe(datasets=BOTH, noise=Noise(sigmas=(1.0,))), "brace+penn_action-k1-fixed.zarr"),
        (Recipe(datasets=BRACE, noise=Noise(k=0.5)), "brace-k0.5-random.zarr"),
        (Recipe(datasets=BRACE, noise=Noise(sigmas=(0.7, 4.3))), "brace-k1-0.7,4.3.zarr"),
        (Recipe(datasets=CLIMB, noise=None, split="held-out"), "climbalong-detector.zarr"),
    ],
)
def test_a_usual_recipe_is_named_by_what_people_vary(recipe: Recipe, name: str) -> None:
    assert recipe.store_name == name


@pytest.mark.parametrize("what", UNUSUAL)
def test_anything_else_adds_a_hash_to_the_name(what: str) -> None:
    stem, rest = UNUSUAL[what].store_name.removesuffix(".zarr").rsplit("-", 1)
    assert stem == "brace-k1-random"
    assert len(rest) == 8
    assert set(rest) <= set("0123456789abcdef")


def test_different_recipes_have_different_names() -> None:
    recipes = [*UNUSUAL.values(), Recipe(datasets=BRACE), Recipe(datasets=BRACE, seed=2)]
    assert len({recipe.store_name for recipe in recipes}) == len(recipes)


@pytest.mark.parametrize("model", [Recipe, Noise, Selection])
def test_unknown_fields_are_refused(model: type[Any]) -> None:
    known = {Recipe: {"datasets": BRACE}, Noise: {}, Selection: {"dataset": "brace"}}[model]
    model(**known)
    with pytest.raises(ValidationError, match="colour"):
        model(**known, colour="red")


def test_models_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Noise().k = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    "fields",
    [
        {"k": -0.1},
        {"k": 100.5},
        {"k": math.nan},
        {"k": math.inf},
        {"sigmas": ()},
        {"sigmas": (0.0,)},
        {"sigmas": (1e-200,)},
        {"sigmas": (1.0, 1.0 + 1e-9)},
        {"sigmas": (28.5,)},
        {"sigmas": (math.nan,)},
        {"sigmas": (1.0, 1.0)},
        {"sigmas": (2.0, 1.0)},
        {"sigmas": tuple(1 + i / 10 for i in range(17))},
        {"sigma_per": "image"},
        {"torso": 0.0},
        {"torso": math.inf},
    ],
    ids=str,
)
def test_noise_out_of_range_is_refused_by_name(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(fields))):
        Noise(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"datasets": ()},
        {"split": "random"},
        {"fps": 0.0},
        {"fps": 1001.0},
        {"fps": math.nan},
        {"fps": "25"},
        {"box_jitter": -0.01},
        {"box_jitter": 0.51},
        {"box_jitter": math.nan},
        {"box_jitter": math.inf},
        {"box_jitter": "0.1"},
        {"seed": -1},
        {"seed": 2**63},
    ],
    ids=str,
)
def test_recipes_out_of_range_are_refused_by_name(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(fields))):
        Recipe(**({"datasets": BRACE} | fields))


@pytest.mark.parametrize(("model", "fields"), [(Noise, {"k": "2"}), (Recipe, {"datasets": BRACE, "seed": "3"})])
def test_text_is_not_taken_for_a_number(model: type[Any], fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="valid"):
        model(**fields)


@pytest.mark.parametrize("recipe", [*UNUSUAL.values(), Recipe(datasets=CLIMB, noise=None, split="held-out")])
def test_a_recipe_survives_json(recipe: Recipe) -> None:
    assert Recipe.model_validate_json(json.dumps(recipe.model_dump(mode="json"))) == recipe


def test_what_a_recipe_does_not_ask_for_is_not_written() -> None:
    assert UNUSUAL["seed"].store_name == "brace-k1-random-d2f567d3.zarr"  # the names that older releases gave
    assert UNUSUAL["split"].store_name == "brace-k1-random-652bae33.zarr"
    fields = {"datasets", "noise", "split", "split_span", "seed"}
    assert (
        set(Recipe(datasets=BRACE).model_dump()) == set(json.loads(Recipe(datasets=BRACE).model_dump_json())) == fields
    )
    for field in ("fps", "box_jitter", "box_span"):
        assert set(UNUSUAL[field].model_dump(mode="json")) == fields | {field}
    assert Recipe(datasets=BRACE, box_jitter=0).store_name == "brace-k1-random.zarr"


def test_canonical_json_is_sorted_dense_ascii() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "ü"}) == b'{"a":"\\u00fc","b":[1,2.5,null]}'


def test_the_digest_of_json_is_that_of_its_one_text() -> None:
    # printf '{"a":1,"b":[]}' | sha256sum
    assert (
        json_digest({"b": [], "a": 1})
        == json_digest({"a": 1, "b": ()})
        == "f87e4099e9be5e75094e0a4f46d3dc18a9c37429314a5a2490fb78d31e7e170c"
    )


def test_canonical_json_refuses_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json([math.nan])


def test_what_is_wrong_in_a_list_is_told_once() -> None:
    for sigmas, told in (((0.0,), "sigmas.0: expected greater than or equal"), ((), "sigmas: expected at least one")):
        with pytest.raises(ValidationError) as caught:
            Noise.model_validate({"sigmas": sigmas})
        (fault,) = faults(caught.value)
        assert fault.startswith(told)


def test_a_fault_shows_no_part_of_a_password() -> None:
    url = f"https://user:{'pa55word' * 20}@host/x"
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate({"split": url})
    assert any("found 'https://***@host/x'" in fault for fault in faults(caught.value))
    assert "pa55" not in "".join(faults(caught.value))
