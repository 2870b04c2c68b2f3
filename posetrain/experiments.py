"""The published experiments as data (seed 000, section 1.2.2): X.Y is shifting scalar X in setup Y."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posedata.config import OTHER_BOXES, SIGMA_SETS, k_text
from posedata.errors import BadInputError, ChoiceError, PoseDataError
from posedata.home import stores_in_home
from posedata.store.reader import Store, open_store


@dataclass(frozen=True)
class Setup:
    """How noise smears, and how fast time runs: `frame_step` 2 is half the frame rate."""

    sigma_set: str
    frame_step: int


SETUPS: Mapping[str, Setup] = {"1": Setup("random", 1), "2": Setup("fixed", 1), "3": Setup("random", 2)}


@dataclass(frozen=True)
class Experiment:
    """A setup, and the k it is run with; None = any."""

    setup: Setup
    k: float | None = None

    def misfit(self, recipe: Mapping[str, Any]) -> str | None:
        """Why a store of this recipe is not for the experiment; None if it is."""
        noise = recipe["noise"]
        if noise is None:
            return "expected noisy input, found a detector's"
        if tuple(noise["sigmas"]) != SIGMA_SETS[self.setup.sigma_set]:
            return f"expected --sigma-set {self.setup.sigma_set}, found sigmas {noise['sigmas']}"
        if self.k is not None and noise["k"] != self.k:
            return f"expected --k {self.k:g}, found k {k_text(noise['k'])}"
        if other := sorted(recipe.keys() & OTHER_BOXES):
            found = ", ".join(f"--{name.replace('_', '-')} {recipe[name]}" for name in other)
            return f"expected boxes of the frames' own keypoints, found {found}"
        return None

    @property
    def build_command(self) -> str:
        """What builds the published pretraining store for it."""
        k = f" --k {self.k:g}" if self.k is not None else ""
        return (
            "posedata build --dataset brace --dataset penn_action --actions baseball_pitch,bench_press"
            f"{k} --sigma-set {self.setup.sigma_set}"
        )


EXPERIMENTS: Mapping[str, Experiment] = {
    f"{k}.{name}": Experiment(setup, float(k)) for k in (1, 2) for name, setup in SETUPS.items()
}


def find_experiment(setup: str | None, experiment: str | None) -> Experiment | None:
    """What --setup or --experiment ask for; None if neither is given.

    Raises:
        ChoiceError: if both are given, or there is no such experiment.
    """
    if setup and experiment:
        raise ChoiceError("--setup, --experiment: expected one of the two, found both")
    if setup:
        return Experiment(SETUPS[setup])
    if not experiment:
        return None
    return named_experiment(experiment)


def named_experiment(name: str) -> Experiment:
    """The experiment of that name; raises ChoiceError if there is none."""
    if name not in EXPERIMENTS:
        raise ChoiceError(f"--experiment {name}: expected one of {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]


def experiment_of(recipe: Mapping[str, Any], frame_step: int) -> str | None:
    """The name of the experiment that a training on a store of this recipe belongs to; None if to none."""
    for name, experiment in EXPERIMENTS.items():
        if experiment.setup.frame_step == frame_step and experiment.misfit(recipe) is None:
            return name
    return None


def check_store(experiment: Experiment, path: Path, recipe: Mapping[str, Any]) -> None:
    """Raise BadInputError if the store is not for the experiment; the message says how to build one that is."""
    misfit = experiment.misfit(recipe)
    if misfit:
        raise BadInputError(f"{path}: {misfit}; build one that fits: {experiment.build_command}")


def fitting_store(experiment: Experiment, given: Sequence[Store] = ()) -> Store:
    """The first of the given stores that fits; with none given, the newest of the data home that does.

    Raises:
        BadInputError: if none does; the message says how to build one.
    """
    for store in given or _sound_stores():
        if experiment.misfit(store.attributes["recipe"]) is None:
            return store
    raise BadInputError(f"expected a store for the experiment, found none; build one: {experiment.build_command}")


def _sound_stores() -> Iterator[Store]:
    """Those of the data home, the newest first."""
    for path in reversed(stores_in_home()):
        # A damaged store is no reason not to take a sound one.
        with suppress(PoseDataError):
            yield open_store(path)
