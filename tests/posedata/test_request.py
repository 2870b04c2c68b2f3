"""Options to a recipe, raw trees and a target."""

import inspect
import os
from pathlib import Path
from typing import Any

import pytest

from posedata.errors import BadInputError, ChoiceError
from posedata.request import RECIPE_OPTIONS, BuildRequest, build_request, threads, wanted_recipe

RANDOM = (1.0, 1.5, 2.0, 2.5, 3.0)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data home with an empty raw tree of every dataset."""
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path / "home"))
    for name in ("brace", "climbalong", "keypoints", "penn_action", "speed21"):
        (tmp_path / "home" / "raw" / name).mkdir(parents=True)
    return tmp_path / "home"


def ask(*datasets: str, **options: Any) -> BuildRequest:
    usual: dict[str, Any] = {
        "raws": (),
        "out": None,
        "k": 1.0,
        "sigmas": RANDOM,
        "sigma_per": "frame",
        "noise": None,
        "actions": None,
        "torso": None,
        "split": None,
        "split_span": 5,
        "seed": 0,
        "fps": None,
        "box_span": "frame",
        "box_jitter": 0.0,
    }
    return build_request(given=options.keys(), datasets=datasets, **(usual | options))


def test_the_options_are_those_of_the_function() -> None:
    assert {*RECIPE_OPTIONS, "given"} == set(inspect.signature(wanted_recipe).parameters)


@pytest.mark.parametrize(
    ("datasets", "options", "name"),
    [
        (["brace"], {}, "brace-k1-random.zarr"),
        (["brace"], {"k": 2.0}, "brace-k2-random.zarr"),
        (["brace"], {"k": 0.5, "sigmas": (1.0,)}, "brace-k0.5-fixed.zarr"),
        (["penn_action"], {"sigmas": (1.0, 2.0, 3.0)}, "penn_action-k1-1,2,3.zarr"),
        (["speed21", "brace"], {}, "brace+speed21-k1-random.zarr"),
        (["brace", "brace"], {}, "brace-k1-random.zarr"),
        (["climbalong"], {}, "climbalong-detector.zarr"),
    ],
)
def test_default_store_names(datasets: list[str], options: dict[str, Any], name: str, home: Path) -> None:
    assert ask(*datasets, **options).out == home / "stores" / name


@pytest.mark.parametrize(
    "options",
    [
        {"seed": 1},
        {"box_jitter": 0.05},
        {"box_span": "sequence"},
        {"split": "official"},
        {"torso": 12.0},
        {"sigma_per": "sequence"},
        {"actions": "toprock"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_other_options_add_eight_hex_digits(options: dict[str, Any]) -> None:
    stem, _, digits = ask("brace", **options).out.name.removesuffix(".zarr").rpartition("-")
    assert stem == "brace-k1-random"
    assert len(digits) == 8
    assert set(digits) <= set("0123456789abcdef")
    assert ask("brace", **options).out == ask("brace", **options).out


def test_other_options_give_other_names() -> None:
    names = {ask("brace", seed=seed, split=split).out for seed in (0, 1) for split in ("video", "official")}
    assert len(names) == 4


def test_out_wins(tmp_path: Path) -> None:
    assert ask("brace", out=tmp_path / "x.zarr").out == tmp_path / "x.zarr"


def test_a_folder_may_have_the_name_of_its_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ChoiceError, match="--raw 'brace': expected NAME=DIR"):
        ask("brace", raws=("brace",))
    Path("brace").mkdir()
    assert ask("brace", raws=("brace",)).raw == {"brace": Path("brace")}


def test_raw_trees_lie_in_the_home_unless_given(home: Path, tmp_path: Path) -> None:
    assert ask("brace").raw == {"brace": home / "raw" / "brace"}
    assert ask("brace", raws=(str(tmp_path),)).raw == {"brace": tmp_path}
    assert ask("brace", raws=(f"brace={tmp_path}",)).raw == {"brace": tmp_path}
    expected = {"brace": home / "raw" / "brace", "penn_action": tmp_path}
    assert ask("brace", "penn_action", raws=(f"penn-action={tmp_path}",)).raw == expected


def test_a_folder_with_an_equals_sign_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "k=1").mkdir()
    assert ask("brace", raws=(str(tmp_path / "k=1"),)).raw == {"brace": tmp_path / "k=1"}


@pytest.mark.parametrize(
    ("datasets", "raws"),
    [
        (["brace", "speed21"], ["/somewhere"]),
        (["brace", "speed21"], ["climbalong=/somewhere"]),
        (["brace"], ["/one", "/two"]),
    ],
    ids=["no-name", "other-name", "twice"],
)
def test_a_raw_tree_of_nobody_is_refused(datasets: list[str], raws: list[str]) -> None:
    with pytest.raises(ChoiceError, match=r"NAME=DIR.*brace"):
        ask(*datasets, raws=raws)


def test_the_same_dataset_given_two_trees_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match="once"):
        ask("brace", raws=(f"brace={tmp_path}", f"brace={tmp_path / 'home'}"))


@pytest.mark.parametrize("name", ["brace", "climbalong", "keypoints", "penn_action", "speed21"])
def test_absent_raw_data_tells_how_to_get_it(name: str, home: Path) -> None:
    (home / "raw" / name).rmdir()
    with pytest.raises(BadInputError) as caught:
        ask(name)
    assert str(home / "raw" / name) in str(caught.value)
    assert f"posedata sample {name}" in str(caught.value)


def test_the_rate_of_resampling_is_part_of_the_recipe() -> None:
    assert ask("brace").recipe.fps is None
    assert ask("brace", "speed21", fps=25.0).recipe.fps == 25.0


@pytest.mark.parametrize("fps", [0.0, -1.0, 2000.0, float("nan")])
def test_a_rate_out_of_range_is_refused_by_its_option(fps: float) -> None:
    with pytest.raises(ChoiceError, match=r"^--fps: "):
        ask("brace", fps=fps)


def test_boxes_are_those_of_the_keypoints_unless_asked_otherwise() -> None:
    assert ask("brace").recipe.box_jitter == ask("climbalong", box_jitter=0.0).recipe.box_jitter == 0
    assert ask("brace", box_jitter=0.05).recipe.box_jitter == 0.05


@pytest.mark.parametrize("share", [-0.01, 0.51, float("nan"), float("inf")])
def test_a_box_jitter_out_of_range_is_refused_by_its_option(share: float) -> None:
    with pytest.raises(ChoiceError, match=r"^--box-jitter: expected ") as caught:
        ask("brace", box_jitter=share)
    assert "\n" not in str(caught.value)


def test_actions_are_sorted_and_stripped() -> None:
    (selection,) = ask("penn_action", actions=" situp, bowl ,situp").recipe.datasets
    assert selection.actions == ("bowl", "situp")


def test_actions_go_to_the_datasets_that_have_them() -> None:
    recipe = ask("brace", "penn_action", "speed21", actions="situp,toprock").recipe
    assert {s.dataset: s.actions for s in recipe.datasets} == {
        "brace": ("toprock",),
        "penn_action": ("situp",),
        "speed21": None,
    }


def test_an_action_that_no_dataset_has_is_refused_with_what_there_is() -> None:
    with pytest.raises(BadInputError, match=r"footwork.*situp.*found sit_ups"):
        ask("brace", "penn_action", actions="toprock,sit_ups")


@pytest.mark.parametrize("actions", ["", " , "])
def test_actions_without_a_name_are_refused(actions: str) -> None:
    with pytest.raises(ChoiceError, match="--actions"):
        ask("brace", actions=actions)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"k": -1.0}, "^--k: "),
        ({"k": float("nan")}, "k: "),
        ({"k": 1e9}, "k: "),
        ({"torso": 0.0}, "torso"),
        ({"torso": float("inf")}, "torso"),
        ({"sigmas": ()}, "--sigma-set"),
        ({"sigmas": (0.0,)}, "--sigma-set"),
        ({"sigmas": (1.0, 1.0)}, "--sigma-set"),
        ({"sigmas": (-1.0, 1.0)}, "--sigma-set"),
        ({"sigmas": (float("nan"),)}, "--sigma-set"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_impossible_numbers_are_refused_by_name(options: dict[str, Any], word: str) -> None:
    with pytest.raises(ChoiceError, match=word):
        ask("brace", **options)


@pytest.mark.parametrize(
    ("option", "value", "flag"),
    [
        ("k", 2.0, "--k"),
        ("sigmas", (1.0,), "--sigma-set"),
        ("sigma_per", "sequence", "--sigma-per"),
        ("torso", 9.0, "--torso"),
        ("noise", Path("noise.json"), "--noise"),
    ],
)
def test_noise_options_are_refused_with_a_detector(option: str, value: Any, flag: str) -> None:
    with pytest.raises(ChoiceError, match=flag):
        ask("climbalong", **{option: value})


def noise_file(folder: Path, text: str = '{"noise": {"k": 1.25, "sigmas": [1, 2.5], "sigma_per": "keypoint"}}') -> Path:
    (folder / "noise.json").write_text(text)
    return folder / "noise.json"


def test_a_noise_file_takes_the_place_of_its_options(tmp_path: Path) -> None:
    named = ask("brace", noise=noise_file(tmp_path), torso=9.0)
    assert named == ask("brace", k=1.25, sigmas=(1.0, 2.5), sigma_per="keypoint", torso=9.0)


@pytest.mark.parametrize(
    ("options", "flags"),
    [({"k": 1.0}, "--k"), ({"sigmas": (1.0,)}, "--sigma-set"), ({"k": 1.0, "sigma_per": "frame"}, "--k, --sigma-per")],
)
def test_a_noise_file_and_its_options_are_refused_together(options: dict[str, Any], flags: str, tmp_path: Path) -> None:
    with pytest.raises(ChoiceError, match=f"--noise: expected without {flags}, which"):
        ask("brace", noise=noise_file(tmp_path), **options)


def test_a_faulty_noise_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"noise\.json: noise\.k: "):
        ask("brace", noise=noise_file(tmp_path, '{"noise": {"k": -1, "sigmas": [1], "sigma_per": "frame"}}'))


def test_defaults_do_not_count_as_given() -> None:
    recipe = ask("climbalong").recipe
    assert (recipe.noise, recipe.split) == (None, "held-out")
    assert ask("brace").recipe.split == "video"


def test_one_thread_a_core_unless_asked_for_others() -> None:
    assert threads(None, None) == threads(None, "tcp://host:8786") == len(os.sched_getaffinity(0)) >= 1
    assert threads(3, None) == 3
    with pytest.raises(ChoiceError, match="--workers: expected without --scheduler, found both"):
        threads(3, "tcp://host:8786")
