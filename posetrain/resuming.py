"""From the options of `posetrain run --resume` to the run that goes on."""

from collections.abc import Mapping, Set
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from posedata.config import faults
from posedata.errors import ChoiceError
from posedata.home import find_store
from posetrain import checkpoints
from posetrain.config import TrainConfig
from posetrain.experiments import Experiment, check_store
from posetrain.find import check_digest, find_run, find_unfinished_run, run_at, store_of_run
from posetrain.models import find_model, kinds
from posetrain.request import RunRequest, open_for, run_request


def resume_request(
    store: Path | str | None,
    out: Path | None,
    options: Mapping[str, Any],
    *,
    given: Set[str] = frozenset(),
    experiment: Experiment | None = None,
    init: Path | None = None,
) -> RunRequest:
    """A run to go on with, as it was configured.

    A whole command, one that says what to train on and where the run goes, begins it where there is none yet: a job
    that may be stopped at any time is one command then, however often it is started.

    Args:
        store: where the run's store lies now; None = where it was.
        out: the run; None = the newest of the data home that is unfinished.
        options: fields of the configuration.
        given: those that the user typed; they have to be what the run was begun with.
        experiment: likewise, of which the run's store is one too.
        init: likewise; None = whatever the run began with.

    Raises:
        ChoiceError: if something given is not what the run was begun with.
        BadInputError: if there is no such run, or its store is not what it was.
        ConflictError: if a run is to begin where something else is.
    """
    if out and (store or experiment) and not run_at(out):
        return run_request(store, out, options, given=given, experiment=experiment, init=init)
    run = find_run(out) if out else find_unfinished_run()
    info = checkpoints.read_run(run)
    find_model(info.config.model).kind.refuse(given, kinds(), info.config.model)
    wanted = {name: options[name] for name in given & options.keys()}
    wanted |= {"frame_step": experiment.setup.frame_step} if experiment else {}
    wanted |= {"init": _same_name(find_run(init), info.config.init)} if init else {}
    _check_same(run, info.config, wanted)
    opened = open_for(info.config, find_store(store) if store else store_of_run(info))
    check_digest(run, info, opened)
    if experiment:
        check_store(experiment, opened.path, opened.attributes["recipe"])
    return RunRequest(info.config, opened, run)


def _same_name(run: Path, begun: str | None) -> str:
    """The whole path of a run, as `begun` has it if that is the same one."""
    return begun if begun and Path(begun).resolve() == run.resolve() else str(run.absolute())


def _check_same(run: Path, config: TrainConfig, wanted: Mapping[str, Any]) -> None:
    """Raise ChoiceError if some of the wanted fields are others in the configuration of a run."""
    try:
        same = TrainConfig(**{**config.model_dump(), **wanted})
    except ValidationError as error:
        raise ChoiceError(*faults(error)) from error
    other = sorted(name for name in wanted if getattr(same, name) != getattr(config, name))
    if other:
        begun = ", ".join(f"{name} {getattr(config, name)}" for name in other)
        raise ChoiceError(
            f"{', '.join(other)}: expected {begun} as {run} was begun with, found another; "
            "leave that out, or begin a new run"
        )
