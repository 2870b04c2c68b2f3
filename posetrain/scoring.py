"""What is scored, on which windows: the best epoch of a run, or a baseline."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from posedata.errors import BadInputError, ChoiceError
from posedata.home import find_store
from posedata.progress import Progress
from posedata.store.reader import Store, open_store
from posedata.store.schema import KIND
from posetrain import checkpoints
from posetrain.baselines import Span, Tracks, score_positions, tune
from posetrain.data import Input, Windows
from posetrain.evaluation import Scores, evaluate, identity
from posetrain.exported import find_export
from posetrain.filters import FILTERS
from posetrain.find import annotated_in, annotated_in_training, check_digest, find_run, keypoints_seen, store_of_run
from posetrain.known import names_of, need_known
from posetrain.models import find_model, find_refiner
from posetrain.sequences import over_sequences, runs
from posetrain.sources import Feed
from posetrain.tasks import HEATMAPS, Refiner, Task
from posetrain.trained import Trained, trained_of_export, trained_of_run


@dataclass(frozen=True, eq=False)
class Subject:
    """What to score, on what.

    Attributes:
        model: name of the model or the baseline.
        refine: what refines.
        task: what it works on.
        store: where the windows are from.
        window: frames of a window.
        frame_step: frames from one frame of a window to the next.
        given: what it sees: the noisy input or, to show what published tables measured, the clean target.
        epoch: of the weights; None for a baseline.
        span: what a filter or a model sees at once: a window, or a sequence; None for the identity.
        at_once: frames that a model sees at once as it goes over a sequence.
        not_refined: keypoints of the store that a model was not trained on: they are scored as they were given. None
            where nobody can tell.
    """

    model: str
    refine: Refiner
    task: Task
    store: Store
    window: int
    frame_step: int
    given: Input = "noisy"
    epoch: int | None = None
    span: Span | None = None
    at_once: int = 0
    not_refined: tuple[str, ...] | None = ()

    def windows(self, split: str, device: torch.device, feed: Feed) -> Windows:
        """The windows of a split, as many as there are."""
        starts = self.store.windows(split, self.window, self.frame_step)
        return Windows(self.store, starts, self.window, self.frame_step, device, feed, self.given)


def eval_subject(
    what: str,
    store: Path | str | None,
    window: int | None,
    frame_step: int | None,
    device: torch.device,
    span: Span | None = None,
    given: Input = "noisy",
) -> Subject:
    """The identity, a filter, an exported model, or the best epoch of a run; it sees a window unless `span` is given.

    Raises:
        BadInputError: if there is no such run or store.
        ChoiceError: if an option is not for it.
    """
    if span is not None and what == "identity":
        raise ChoiceError("--span: expected with a filter or a run, found with identity")
    if what == "identity" or what in FILTERS:
        opened = open_store(find_store(store, KIND))
        seen = None if what == "identity" else span or "window"
        return Subject(what, identity, HEATMAPS, opened, window or 5, frame_step or 1, given, span=seen)
    if export := find_export(what):
        subject = _subject(trained_of_export(export, device), open_store(find_store(store, KIND)), given)
    else:
        subject = subject_of_run(find_run(Path(what)), store, device, given)
    if (window, frame_step) != (None, None) and not find_model(subject.model).any_window:
        raise ChoiceError(
            f"--window, --frame-step: expected with a baseline or a mixer; a run of {subject.model} has its own"
        )
    return replace(
        subject,
        window=window or subject.window,
        frame_step=frame_step or subject.frame_step,
        span=span or subject.span,
    )


def subject_of_run(run: Path, store: Path | str | None, device: torch.device, given: Input = "noisy") -> Subject:
    """The best epoch of a run, on its own store or another.

    Raises:
        BadInputError: if no epoch is finished, its own store is not what it was, or it knows no keypoint of the store.
        ChoiceError: if it is of a model that refines no windows.
        IntegrityError: if its files are damaged.
    """
    info = checkpoints.read_run(run)
    find_refiner(info.config.model, run)
    opened = open_store(find_store(store) if store else store_of_run(info))
    if not store:
        check_digest(run, info, opened)
    own = opened.manifest.content_digest == info.store.content_digest
    seen = annotated_in_training(opened) if own else keypoints_seen(run)
    return _subject(replace(trained_of_run(run, device), seen=seen), opened, given)


def _subject(found: Trained, store: Store, given: Input) -> Subject:
    there = annotated_in(store)
    if found.seen is not None:
        need_known(store.path, there, found.seen)
    not_refined = None if found.seen is None else names_of(there & ~found.seen)
    return Subject(
        model=found.model,
        refine=found.refine,
        task=found.known_task if not_refined else found.task,
        store=store,
        window=found.window,
        frame_step=found.frame_step,
        given=given,
        epoch=found.epoch,
        span="window",
        at_once=found.at_once,
        not_refined=not_refined,
    )


def score(
    subject: Subject, split: str, device: torch.device, feed: Feed, progress: Progress
) -> tuple[Scores, dict[str, Any]]:
    """Scores on the windows of a split, and what they hang on: parameters of a filter, frames that a model saw.

    Raises:
        BadInputError: if the split has no windows.
        ChoiceError: if there is no such split.
    """
    windows = eval_windows(subject, split, device, feed)
    if subject.model in FILTERS:
        tracks = Tracks(subject.store, device, feed, subject.given, progress)
        validation = subject.windows("validation", device, feed)
        baseline = tune(subject.model, tracks, subject.span or "window", validation, progress)
        return baseline.score(windows), {"span": subject.span, "parameters": dict(baseline.parameters)}
    if subject.span == "sequence":
        found = over_sequences(subject.refine, subject.task, windows, runs(subject.store), subject.at_once, progress)
        return score_positions(found, windows), {"span": subject.span, "parameters": {"frames": subject.at_once}}
    return evaluate(subject.refine, subject.task, windows, progress), {}


def eval_windows(subject: Subject, split: str, device: torch.device, feed: Feed) -> Windows:
    """The windows to score on.

    Raises:
        BadInputError: if the split has none.
        ChoiceError: if there is no such split.
    """
    windows = subject.windows(split, device, feed)
    if not len(windows):
        raise BadInputError(
            f"{subject.store.path}: split {split}: expected windows of {subject.window} frames at step "
            f"{subject.frame_step}, found none; choose another --split"
        )
    return windows
