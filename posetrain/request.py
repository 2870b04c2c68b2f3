"""From the options of the commands to what is trained or scored."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from posedata.config import faults
from posedata.errors import BadInputError, ChoiceError, ConflictError
from posedata.home import find_store
from posedata.progress import Progress
from posedata.store.reader import Store, open_store
from posetrain import checkpoints
from posetrain.baselines import Span, Tracks, tune
from posetrain.config import FINETUNING_RATE, TrainConfig
from posetrain.data import Feed, Windows
from posetrain.evaluation import Scores, evaluate, identity
from posetrain.experiments import Experiment, check_store, find_experiment_store
from posetrain.filters import FILTERS
from posetrain.find import find_run, find_unfinished_run, new_run, store_of_run
from posetrain.models import find_model, make_model, place
from posetrain.tasks import HEATMAPS, Refiner, Task
from posetrain.training import load_best


@dataclass(frozen=True, eq=False)
class RunRequest:
    """What to train, on what, to where."""

    config: TrainConfig
    store: Store
    run: Path


def run_request(
    store: Path | None,
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
        init: run to begin with: sets model, window and frame step, and a lower learning rate.

    Raises:
        ChoiceError: if an option has no such choice, or options contradict each other.
        BadInputError: if there is no store, or it does not fit the experiment.
        ConflictError: if `out` holds anything.
    """
    fixed = {"frame_step": experiment.setup.frame_step} if experiment else {}
    fixed |= _from_run(init) if init else {}
    clash = sorted(name for name in given & fixed.keys() & options.keys() if options[name] != fixed[name])
    if clash:
        wanted = ", ".join(f"{name} {fixed[name]}" for name in clash)
        raise ChoiceError(f"{', '.join(clash)}: expected {wanted} as --init or the experiment has it, found another")
    rate = {} if "learning_rate" in given or not init else {"learning_rate": FINETUNING_RATE}
    try:
        config = TrainConfig(**{**options, **fixed, **rate})
    except ValidationError as error:
        raise ChoiceError(*faults(error)) from error
    make_model(config)  # tells at once what does not fit
    path = find_experiment_store(experiment) if experiment and not store else find_store(store)
    opened = open_store(path)
    if experiment:
        check_store(experiment, path, opened.attributes["recipe"])
    if out and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConflictError(f"{out}: expected no such run, found something; use --resume or another --out")
    return RunRequest(config, opened, out or new_run(config.model, path))


def _from_run(init: Path) -> dict[str, Any]:
    """What a finetuning takes over from the run that it begins with."""
    run = find_run(init)
    load_best(run)
    config = checkpoints.read_run(run).config
    kept = ("model", "window", "frame_step", "sampling_step")
    return {"init": str(run), **{name: getattr(config, name) for name in kept}}


def resume_request(store: Path | None, out: Path | None, given: Set[str] = frozenset()) -> RunRequest:
    """A run to go on with, as it was configured; `given` names the options that the user typed.

    Raises:
        ChoiceError: if the user typed an option of the configuration.
        BadInputError: if there is no such run, or its store is not what it was.
    """
    typed = sorted(given & {*TrainConfig.model_fields, "setup", "experiment"})
    if typed:
        raise ChoiceError(f"--resume: expected no other choices, found {', '.join(typed)}; begin a new run for those")
    run = find_run(out) if out else find_unfinished_run()
    info = checkpoints.read_run(run)
    opened = open_store(find_store(store) if store else store_of_run(info))
    _check_digest(run, info, opened)
    return RunRequest(info.config, opened, run)


def _check_digest(run: Path, info: checkpoints.RunInfo, store: Store) -> None:
    """Raise BadInputError if the store is not the one that the run was trained on: its splits may be others."""
    if store.manifest.content_digest != info.store.content_digest:
        raise BadInputError(
            f"{store.path}: content digest: expected {info.store.content_digest} as {run} was trained on, "
            f"found {store.manifest.content_digest}; name a store with --store"
        )


@dataclass(frozen=True, eq=False)
class Subject:
    """What to score, on what: `epoch` is None for a baseline, `span` is given for a filter."""

    model: str
    refine: Refiner
    task: Task
    store: Store
    window: int
    frame_step: int
    epoch: int | None
    span: Span | None = None


def eval_subject(
    what: str,
    store: Path | None,
    window: int | None,
    frame_step: int | None,
    device: torch.device,
    span: Span | None = None,
) -> Subject:
    """The identity baseline, a filter, or the best epoch of a run; `span` is what a filter sees, a window unless given.

    Raises:
        BadInputError: if there is no such run or store.
        ChoiceError: if an option is not for it.
    """
    if span is not None and what not in FILTERS:
        raise ChoiceError(f"--span: expected with one of {', '.join(FILTERS)}, found with {what}")
    if what == "identity" or what in FILTERS:
        opened = open_store(find_store(store))
        seen = None if what == "identity" else span or "window"
        return Subject(what, identity, HEATMAPS, opened, window or 5, frame_step or 1, None, seen)
    run = find_run(Path(what))
    info = checkpoints.read_run(run)
    if (window, frame_step) != (None, None):
        raise ChoiceError("--window, --frame-step: expected with a baseline only; a run has its own")
    opened = open_store(find_store(store) if store else store_of_run(info))
    if not store:
        _check_digest(run, info, opened)
    epoch, weights = load_best(run)
    model = make_model(info.config)
    model.load_state_dict(weights)
    return Subject(
        info.config.model,
        place(model, device).eval(),
        find_model(info.config.model).task,
        opened,
        info.config.window,
        info.config.frame_step,
        epoch,
    )


def score(
    subject: Subject, split: str, device: torch.device, feed: Feed, progress: Progress
) -> tuple[Scores, dict[str, Any]]:
    """Scores on the windows of a split, and what was chosen on the way: the parameters of a filter.

    Raises:
        BadInputError: if the split has no windows.
        ChoiceError: if there is no such split.
    """
    windows = eval_windows(subject, split, device, feed)
    if subject.span is None:
        return evaluate(subject.refine, subject.task, windows, progress), {}
    tracks = Tracks(subject.store, subject.span, device, feed, progress)
    baseline = tune(subject.model, tracks, _windows_of(subject, "validation", device, feed))
    return baseline.score(windows), {"span": subject.span, "parameters": dict(baseline.parameters)}


def _windows_of(subject: Subject, split: str, device: torch.device, feed: Feed) -> Windows:
    starts = subject.store.windows(split, subject.window, subject.frame_step)
    return Windows(subject.store, starts, subject.window, subject.frame_step, device, feed)


def eval_windows(subject: Subject, split: str, device: torch.device, feed: Feed) -> Windows:
    """The windows to score on.

    Raises:
        BadInputError: if the split has none.
        ChoiceError: if there is no such split.
    """
    windows = _windows_of(subject, split, device, feed)
    if not len(windows):
        raise BadInputError(
            f"{subject.store.path}: split {split}: expected windows of {subject.window} frames at step "
            f"{subject.frame_step}, found none; choose another --split"
        )
    return windows
