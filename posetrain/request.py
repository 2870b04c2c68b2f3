"""From the options of `posetrain run` to what is trained."""

import socket
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from posedata.config import faults
from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.home import find_store
from posedata.store.opened import Opened
from posetrain import checkpoints
from posetrain.config import FINETUNING_RATE, TrainConfig
from posetrain.experiments import Experiment, check_store, fitting_store
from posetrain.find import find_run, new_run
from posetrain.history import load_best
from posetrain.models import find_model, kinds, make_model


@dataclass(frozen=True, eq=False)
class RunRequest:
    """What to train, on what, to where."""

    config: TrainConfig
    store: Opened
    run: Path


def run_request(
    store: Path | str | None,
    out: Path | None,
    options: Mapping[str, Any],
    *,
    given: Set[str] = frozenset(),
    experiment: Experiment | None = None,
    init: Path | None = None,
) -> RunRequest:
    """A new run.

    Args:
        store: what to train on; None = the newest that fits.
        out: where the run goes; None = a free name in the data home.
        options: fields of the configuration.
        given: those that the user typed; others may be set by `experiment` or `init`.
        experiment: sets the frame step, and says which stores fit.
        init: run to begin with: sets model, window and frame step, and a lower learning rate; a model that comes after
            the run's keeps its own rate, and its own window if that is another by its regime.

    Raises:
        ChoiceError: if an option has no such choice, or options contradict each other.
        BadInputError: if there is no store, or it does not fit the experiment.
        ConflictError: if `out` holds anything.
    """
    config = wanted_config(options, given=given, experiment=experiment, init=init)
    if experiment and not store:
        opened: Opened = fitting_store(experiment)
    else:
        opened = open_for(config, find_store(store, find_model(config.model).kind.name))
    if experiment:
        check_store(experiment, opened.path, opened.attributes["recipe"])
    if out and (out.exists() or out.is_symlink()) and (not out.is_dir() or any(out.iterdir())):
        raise ConflictError(f"{out}: expected no such run, found something; use --resume or another --out")
    return RunRequest(config, opened, out or new_run(config.model, opened.path))


def open_for(config: TrainConfig, path: Path | str) -> Opened:
    """A store, opened as the model needs it; raises BadInputError if it is of a kind that it is not trained on."""
    store: Opened = find_model(config.model).kind.open(path, config.model)
    return store


def wanted_config(
    options: Mapping[str, Any], *, given: Set[str], experiment: Experiment | None, init: Path | None
) -> TrainConfig:
    """The configuration of a new run, of the arguments of `run_request`.

    Raises:
        ChoiceError: if an option has no such choice, or options contradict each other.
        BadInputError: if there is no run to begin with.
    """
    fixed = {"frame_step": experiment.setup.frame_step} if experiment else {}
    begun = _from_run(init, options, given) if init else {}
    if fixed and begun and fixed["frame_step"] != begun["frame_step"]:
        raise ChoiceError(
            f"--init {init}: frame_step: expected {fixed['frame_step']} as the setup or experiment has it, found "
            f"{begun['frame_step']}; name a run of that setup, or leave out --setup and --experiment"
        )
    fixed |= begun
    clash = sorted(name for name in given & fixed.keys() & options.keys() if options[name] != fixed[name])
    if clash:
        wanted = ", ".join(f"{name} {fixed[name]}" for name in clash)
        raise ChoiceError(f"{', '.join(clash)}: expected {wanted} as --init or the experiment has it, found another")
    finetuned = "model" in fixed and "learning_rate" not in given
    rate = {"learning_rate": FINETUNING_RATE} if finetuned else {}
    config = configured({**options, **fixed, **rate}, given | fixed.keys() | rate.keys())
    architecture = find_model(config.model)
    architecture.kind.refuse(given, kinds(), config.model)
    if architecture.after and not init:
        raise ChoiceError(f"--model {config.model}: expected --init with a run of {' or '.join(architecture.after)}")
    return config


def resolved(config: TrainConfig) -> dict[str, Any]:
    """What options come to in a configuration: None for those that mean nothing with its model."""
    return config.model_dump() | dict.fromkeys(find_model(config.model).kind.foreign(kinds()))


def configured(options: Mapping[str, Any], given: Set[str]) -> TrainConfig:
    """The configuration of these fields; those that are not `given` may be others where the model has a regime.

    Raises:
        ChoiceError: if an option has no such choice, or does not fit the model.
    """
    regime = find_model(options.get("model", TrainConfig().model)).regime
    try:
        config = TrainConfig(**{**options, **{name: value for name, value in regime.items() if name not in given}})
    except ValidationError as error:
        raise ChoiceError(*faults(error)) from error
    make_model(config)  # tells at once what does not fit
    return config


def _from_run(init: Path, options: Mapping[str, Any], given: Set[str]) -> dict[str, Any]:
    """What a training takes over from the run that it begins with.

    The model is taken over too, unless the one that was asked for comes after it, and the window unless the two are
    by their regimes for windows of other lengths.

    Raises:
        BadInputError: if there is no such run.
        ChoiceError: if the model that was asked for begins with runs of others.
    """
    run = find_run(init)
    load_best(run)
    config = checkpoints.read_run(run).config
    kept = {"model", "window", "frame_step", "sampling_step", "stacks", "width"}
    if "model" in given and config.model != options["model"]:
        before, wanted = find_model(config.model), find_model(options["model"])
        if wanted.after and config.model not in wanted.after:
            expected = f"a run of {' or '.join(wanted.after)} with --model {options['model']}"
            raise ChoiceError(f"--init {init}: expected {expected}, found one of {config.model}")
        if wanted.after:
            kept -= {"model"}
        if before.regime.get("window") != wanted.regime.get("window"):
            kept -= {"window"}
    return {"init": str(run.absolute()), **{name: getattr(config, name) for name in kept}}


def same_store(config: TrainConfig, path: Path, digest: str) -> Opened:
    """The store that another process trains on, as it lies on this machine.

    Args:
        config: the training.
        path: where it lies on the other.
        digest: its content digest there.

    Raises:
        BadInputError: if there is none here, or another.
    """
    advice = "copy it here from the machine of the first process, or use a disk that both see"
    if not path.exists():
        raise BadInputError(f"{path}: expected the store on {socket.gethostname()} too, found none; {advice}")
    store = open_for(config, path)
    if store.manifest.content_digest != digest:
        raise BadInputError(
            f"{path}: content digest: expected {digest} on {socket.gethostname()} too, found "
            f"{store.manifest.content_digest}; {advice}"
        )
    return store
