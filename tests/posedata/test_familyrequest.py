"""Which family is built, and which options go with it."""

from pathlib import Path

import pytest

from posedata.clips.family import CLIPS
from posedata.clips.recipe import ClipRecipe
from posedata.crops.family import CROPS
from posedata.crops.recipe import CropRecipe
from posedata.errors import BadInputError, ChoiceError
from posedata.families import FAMILIES, OTHERS, source_of
from posedata.familyrequest import (
    HEATMAP_OPTIONS,
    OWN_OPTIONS,
    family_recipe,
    family_request,
    find_family,
    resolved_options,
)
from posedata.formats import FORMATS
from posedata.store.kinds import KINDS

NOTHING = dict.fromkeys([*HEATMAP_OPTIONS, *OWN_OPTIONS])
ELSEWHERE = {"datasets", "raws", "out", "workers", "skip_bad", "overwrite", "dry_run", "config"}


def test_every_dataset_is_of_one_family() -> None:
    assert not OTHERS.keys() & set(FORMATS)
    assert [OTHERS[name] for name in ("coco", "human36m")] == [CROPS, CLIPS]
    assert [family.kind for family in FAMILIES] == [kind for kind in KINDS if kind != "temporal-heatmaps"]
    assert sum(len(family.datasets) for family in FAMILIES) == len(OTHERS)
    assert source_of("coco").startswith("get train2017.zip")
    assert source_of("brace") == FORMATS["brace"].source
    assert source_of("nobody's") == ""


@pytest.mark.parametrize("names", [(), ("brace",), ("brace", "speed21")])
def test_others_give_heatmaps(names: tuple[str, ...]) -> None:
    assert find_family(names, {"k", "seed", "scheduler"} | ELSEWHERE) is None
    with pytest.raises(ChoiceError, match="--sigma-visible: expected with --dataset coco only"):
        find_family(names, {"sigma_visible"})


def test_a_family_has_its_own_options_and_refuses_others_by_who_takes_them() -> None:
    assert find_family(("coco", "coco"), {"seed", "sigma_occluded"} | ELSEWHERE) is CROPS
    assert find_family(("human36m",), ELSEWHERE) is CLIPS
    with pytest.raises(ChoiceError) as caught:
        find_family(("human36m",), {"seed", "sigma_visible", "sigmas", "actions", "raws"})
    assert caught.value.faults == (
        "--actions, --sigma-set: expected with temporal heatmaps only; human36m gives video clips",
        "--seed: expected with temporal heatmaps or --dataset coco only; human36m gives video clips",
        "--sigma-visible: expected with --dataset coco only; human36m gives video clips",
    )


@pytest.mark.parametrize("names", [("brace", "human36m"), ("coco", "human36m")])
def test_a_family_is_built_alone(names: tuple[str, ...]) -> None:
    with pytest.raises(ChoiceError, match=f"--dataset: expected .* alone, for it gives .*; found {', '.join(names)}"):
        find_family(names, set())


def test_recipes_and_names_of_stores() -> None:
    usual = family_recipe(CROPS, ("coco",), NOTHING)
    assert (usual, usual.store_name) == (CropRecipe(dataset="coco"), "coco-crops.zarr")
    # A name that was given out once: it must not change.
    other = family_recipe(CROPS, ("coco",), NOTHING | {"seed": 3, "sigma_visible": 1.0, "k": 2.0})
    assert other == CropRecipe(dataset="coco", seed=3, sigma_visible=1.0)
    assert other.store_name.startswith("coco-crops-")
    assert len(other.store_name) == len("coco-crops-01234567.zarr")
    clips = family_recipe(CLIPS, ("human36m",), NOTHING | {"seed": 3})
    assert (clips, clips.store_name) == (ClipRecipe(dataset="human36m"), "human36m-clips.zarr")
    with pytest.raises(ChoiceError, match="--sigma-visible: expected greater"):
        family_recipe(CROPS, ("coco",), NOTHING | {"sigma_visible": 0.0})


def test_what_options_come_to() -> None:
    assert {k: v for k, v in resolved_options(CropRecipe(dataset="coco", seed=2)).items() if v is not None} == {
        "sigma_visible": 0.5,
        "sigma_occluded": 1.0,
        "seed": 2,
    }
    assert set(resolved_options(ClipRecipe(dataset="human36m")).values()) == {None}


def test_raw_tree_and_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path))
    recipe = ClipRecipe(dataset="human36m")
    with pytest.raises(BadInputError, match=r"expected the raw data of human36m, .* http://vision\.imar\.ro"):
        family_request(recipe, (), None)
    (tmp_path / "raw/human36m").mkdir(parents=True)
    assert family_request(recipe, (), None)[1:] == (
        tmp_path / "raw/human36m",
        tmp_path / "stores/human36m-clips.zarr",
    )
    assert family_request(recipe, (str(tmp_path),), Path("x"))[1:] == (tmp_path, Path("x"))
