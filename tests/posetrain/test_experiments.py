from collections.abc import Callable
from pathlib import Path

import pytest

from posedata.build import build_store
from posedata.config import SIGMA_SETS, Noise, Recipe, Selection
from posedata.errors import BadInputError, ChoiceError
from posedata.store.reader import Store
from posetrain.experiments import (
    EXPERIMENTS,
    Experiment,
    check_store,
    experiment_of,
    find_experiment,
    fitting_store,
    named_experiment,
)

RANDOM = [1.0, 1.5, 2.0, 2.5, 3.0]


def test_the_six_experiments_are_those_of_the_seed() -> None:
    table = {name: (e.k, e.setup.sigma_set, e.setup.frame_step) for name, e in EXPERIMENTS.items()}
    assert table == {
        "1.1": (1, "random", 1),
        "1.2": (1, "fixed", 1),
        "1.3": (1, "random", 2),
        "2.1": (2, "random", 1),
        "2.2": (2, "fixed", 1),
        "2.3": (2, "random", 2),
    }


def test_a_setup_alone_takes_any_k() -> None:
    setup = find_experiment("3", None)
    assert setup is not None
    assert (setup.k, setup.setup.frame_step) == (None, 2)
    assert find_experiment(None, None) is None


@pytest.mark.parametrize(("setup", "experiment", "words"), [("1", "1.1", "one of the two"), (None, "1.4", "1.1, 1.2")])
def test_contradictions_and_unknown_names_are_refused(setup: str | None, experiment: str, words: str) -> None:
    with pytest.raises(ChoiceError, match=words):
        find_experiment(setup, experiment)


def test_an_experiment_is_known_by_its_name() -> None:
    assert named_experiment("2.3") is EXPERIMENTS["2.3"]
    with pytest.raises(ChoiceError, match=r"--experiment 3\.1: expected one of 1\.1, 1\.2, 1\.3, 2\.1, 2\.2, 2\.3"):
        named_experiment("3.1")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_training_is_told_to_belong_to_its_experiment(name: str) -> None:
    experiment = EXPERIMENTS[name]
    noise = {"k": experiment.k, "sigmas": list(SIGMA_SETS[experiment.setup.sigma_set])}
    assert experiment_of({"noise": noise}, experiment.setup.frame_step) == name


@pytest.mark.parametrize(
    ("noise", "frame_step"),
    [
        (None, 1),
        ({"k": 3.0, "sigmas": RANDOM}, 1),
        ({"k": 1.0, "sigmas": [2.0]}, 1),
        ({"k": 1.0, "sigmas": RANDOM}, 3),
        ({"k": 1.0, "sigmas": [1.0]}, 2),  # fixed sigma at half rate was never published
    ],
)
def test_other_trainings_belong_to_no_experiment(noise: dict[str, object] | None, frame_step: int) -> None:
    assert experiment_of({"noise": noise}, frame_step) is None


@pytest.mark.parametrize(
    ("noise", "misfit"),
    [
        ({"k": 2.0, "sigmas": RANDOM}, None),
        ({"k": 1.0, "sigmas": RANDOM}, "expected --k 2, found k 1"),
        ({"k": 2.0, "sigmas": [1.0]}, "expected --sigma-set random"),
        (None, "detector"),
    ],
)
def test_a_store_of_another_recipe_is_refused_with_what_builds_one(
    noise: dict[str, object] | None, misfit: str | None
) -> None:
    experiment = EXPERIMENTS["2.3"]
    if misfit is None:
        check_store(experiment, Path("s"), {"noise": noise})
        return
    with pytest.raises(BadInputError, match=misfit) as caught:
        check_store(experiment, Path("s"), {"noise": noise})
    assert "baseball_pitch,bench_press --k 2 --sigma-set random" in str(caught.value)


@pytest.mark.parametrize(("option", "value"), [("box_span", "sequence"), ("box_jitter", 0.05)])
def test_other_boxes_are_of_no_experiment(option: str, value: object) -> None:
    recipe = Recipe(datasets=(Selection(dataset="brace"),), noise=Noise(k=1.0)).model_copy(update={option: value})
    stored = recipe.model_dump(mode="json")
    assert experiment_of(stored, 1) is None
    with pytest.raises(BadInputError, match=f"own keypoints, found --{option.replace('_', '-')} {value}; build one"):
        check_store(EXPERIMENTS["1.1"], Path("s"), stored)
    usual = Recipe(datasets=recipe.datasets, noise=recipe.noise)
    assert experiment_of(usual.model_dump(mode="json"), 1) == "1.1"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POSEDATA_HOME", str(tmp_path))
    return tmp_path


def test_the_store_that_fits_is_found(home: Path, raw_trees: dict[str, Path]) -> None:
    with pytest.raises(BadInputError, match="posedata build"):
        fitting_store(EXPERIMENTS["1.1"])
    for k in (1, 2):
        recipe = Recipe(datasets=(Selection(dataset="speed21"),), noise=Noise(k=k))
        build_store(recipe, {"speed21": raw_trees["speed21"]}, home / "stores" / recipe.store_name)
    (home / "stores" / "broken.zarr").mkdir()
    (home / "stores" / "broken.zarr" / "manifest.json").write_text("{}")
    found: Callable[[str], str] = lambda name: fitting_store(EXPERIMENTS[name]).path.name  # noqa: E731
    assert (found("1.1"), found("2.3")) == ("speed21-k1-random.zarr", "speed21-k2-random.zarr")
    with pytest.raises(BadInputError, match="fixed"):
        fitting_store(EXPERIMENTS["2.2"])
    assert fitting_store(Experiment(EXPERIMENTS["1.1"].setup)).path.name == "speed21-k2-random.zarr"


def test_of_given_stores_the_first_that_fits_is_taken(home: Path, noisy: Store, detected: Store) -> None:
    assert fitting_store(EXPERIMENTS["1.3"], [detected, noisy]) is noisy
    (home / "stores").mkdir()
    (home / "stores" / "fits.zarr").symlink_to(noisy.path.absolute())
    with pytest.raises(BadInputError, match="posedata build"):
        fitting_store(EXPERIMENTS["1.1"], [detected])
