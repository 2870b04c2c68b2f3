"""Score runs and baselines on the same windows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

import torch

from posedata.config import k_text
from posedata.errors import PoseDataError
from posedata.progress import Progress
from posedata.store.reader import Store
from posetrain import checkpoints
from posetrain.baselines import Baseline, Span, Tracks, tune
from posetrain.config import TrainConfig
from posetrain.data import Windows, split_starts, split_windows
from posetrain.evaluation import Scores, evaluate, identity
from posetrain.experiments import experiment_of
from posetrain.filters import FILTERS
from posetrain.history import load_history
from posetrain.models import find_model
from posetrain.refining import WINDOWS
from posetrain.report.curves import Curve
from posetrain.report.names import names, steps
from posetrain.scoring import Subject, score, subject_of_run
from posetrain.sources import Feed
from posetrain.tasks import HEATMAPS

SPANS: tuple[Span, ...] = ("window", "sequence")
SPLITS = ("test", "held_out")


@dataclass(frozen=True, eq=False)
class Trained:
    """A run with its history.

    Attributes:
        name: what it is called in the report.
        run: its folder.
        config: how it was trained.
        history: a row an epoch.
        subject: its best epoch, ready to be scored.
        finished: whether its training came to its end.
    """

    name: str
    run: Path
    config: TrainConfig
    history: list[dict[str, float]]
    subject: Subject
    finished: bool

    @property
    def experiment(self) -> str | None:
        """The published experiment that it belongs to, 1.1 to 2.3; None if to none."""
        return experiment_of(self.subject.store.attributes["recipe"], self.config.frame_step)

    @property
    def effort(self) -> str:
        """How long it was trained."""
        windows = len(split_starts(self.config, self.subject.store, "train"))
        each = min(windows, self.config.max_windows or windows)
        kind = ", finetuned" if self.config.init else ""
        return steps(self.config, each, len(self.history)) + kind + ("" if self.finished else ", unfinished")


@dataclass(frozen=True, eq=False)
class Row:
    """Something that was scored.

    Attributes:
        name: of the run or the baseline.
        note: how it was trained, or the parameters of a filter.
        scores: on the windows of its block.
        trained: the run; None for a baseline.
    """

    name: str
    note: str
    scores: Scores
    trained: Trained | None = None


@dataclass(frozen=True, eq=False)
class Block:
    """Rows that were scored on the same windows.

    Attributes:
        store: where they are from.
        name: of the store in this report.
        split: of it.
        window: frames of a window.
        frame_step: from one of them to the next.
        rows: what was scored.
    """

    store: Store
    name: str
    split: str
    window: int
    frame_step: int
    rows: Sequence[Row]

    @cached_property
    def title(self) -> str:
        """Store, noise, split and windows."""
        noise = self.store.attributes["recipe"]["noise"]
        sigmas = ", ".join(f"{sigma:g}" for sigma in self.store.sigmas)
        given = f"k = {k_text(noise['k'])}, sigma {sigmas}" if noise else "a detector's input"
        synthetic = "SYNTHETIC data, " if self.store.attributes["synthetic"] else ""
        videos = int((self.scores.by_video.counted.sum(axis=1) > 0).sum())
        windows = (
            f"{self.scores.windows:,} windows of {self.window} frames at step {self.frame_step}, "
            f"{videos} video{'s count' if videos != 1 else ' counts'}"
        )
        return f"{self.name}: {synthetic}{given}; {self.split.replace('_', '-')} split, {windows}"

    @property
    def scores(self) -> Scores:
        """Of the first row: what all have in common."""
        return self.rows[0].scores


def refiners(runs: Sequence[Path]) -> list[Path]:
    """Those of models that refine windows; what cannot be read stays, for whoever loads it to tell."""
    return [run for run in runs if _refines(run)]


def _refines(run: Path) -> bool:
    try:
        return find_model(checkpoints.read_run(run).config.model).kind is WINDOWS
    except PoseDataError:
        return True


def load_trained(runs: Sequence[Path], device: torch.device) -> tuple[list[Trained], list[Path]]:
    """Runs as they are now, and those of which no epoch is finished.

    A model that takes any window is scored on the published one of 5 frames, beside those that take no other.
    """
    trained, left_out = [], []
    baselines = ("identity", *(f"{name}, {span}" for span in SPANS for name in FILTERS))
    for run, name in zip(runs, names(runs, baselines), strict=True):
        history = load_history(run)
        if not history:
            left_out.append(run)
            continue
        subject = subject_of_run(run, None, device)
        if find_model(subject.model).any_window:
            subject = replace(subject, window=TrainConfig().window)
        finished = (run / checkpoints.SUMMARY_NAME).exists()
        trained.append(Trained(name, run, checkpoints.read_run(run).config, history, subject, finished))
    return trained, left_out


def score_all(
    trained: Sequence[Trained], device: torch.device, feed: Feed, progress: Progress, sequences: bool = False
) -> list[Block]:
    """Every run beside the baselines: a block for the test split of each kind of windows, then the held-out ones.

    With `sequences` runs are also scored as they go over whole sequences, as filters always are.
    """
    called = store_names([run.subject.store for run in trained])
    kinds: dict[tuple[str, int, int], list[Trained]] = {}
    for run in trained:
        subject = run.subject
        key = (subject.store.manifest.content_digest, subject.window, subject.frame_step)
        kinds.setdefault(key, []).append(run)
    blocks = [
        block
        for (digest, *_), runs in kinds.items()
        for block in _blocks(called[digest], runs, device, feed, progress, sequences)
    ]
    return sorted(blocks, key=lambda block: SPLITS.index(block.split))


def store_names(stores: Sequence[Store]) -> dict[str, str]:
    """Content digest -> name; those of several have the first digits of theirs behind it."""
    stems = {store.manifest.content_digest: store.path.stem for store in stores}
    many = Counter(stems.values())
    return {digest: stem if many[stem] == 1 else f"{stem} {digest[:8]}" for digest, stem in stems.items()}


def _blocks(
    name: str, runs: Sequence[Trained], device: torch.device, feed: Feed, progress: Progress, sequences: bool
) -> Iterator[Block]:
    """Of runs on the same windows; a split that has none is left out."""
    subject = runs[0].subject
    splits = {split: subject.windows(split, device, feed) for split in SPLITS}
    baselines = _tuned(subject, device, feed, progress)
    for split, windows in splits.items():
        if len(windows):
            rows = [*_baseline_rows(baselines, windows), *_run_rows(runs, split, device, feed, progress)]
            if sequences:
                rows += _sequence_rows(runs, split, device, feed, progress)
            yield Block(subject.store, name, split, subject.window, subject.frame_step, rows)


def _tuned(subject: Subject, device: torch.device, feed: Feed, progress: Progress) -> list[Baseline]:
    """All filters, over the window and over the sequence; none if nothing counts by which to choose parameters."""
    validation = subject.windows("validation", device, feed)
    if not evaluate(identity, HEATMAPS, validation).keypoints:
        return []
    tracks = Tracks(subject.store, device, feed, progress=progress)
    tuned = []
    with progress(f"tuning, {subject.store.path.stem}", len(SPANS) * len(FILTERS), "filters") as advance:
        for span, name in product(SPANS, FILTERS):
            tuned.append(tune(name, tracks, span, validation))
            advance(1)
    return tuned


def _baseline_rows(baselines: Sequence[Baseline], windows: Windows) -> Iterator[Row]:
    note = "" if baselines else "no filters: nothing counts on validation"
    yield Row("identity", note, evaluate(identity, HEATMAPS, windows))
    for baseline in baselines:
        parameters = ", ".join(f"{name} {value:g}" for name, value in baseline.parameters.items())
        yield Row(f"{baseline.name}, {baseline.span}", parameters, baseline.score(windows))


def _run_rows(
    runs: Sequence[Trained], split: str, device: torch.device, feed: Feed, progress: Progress
) -> Iterator[Row]:
    for run in runs:
        windows = run.subject.windows(split, device, feed)
        yield Row(
            run.name,
            _note(run, run.effort),
            evaluate(run.subject.refine, run.subject.task, windows, progress, f"{run.name}, {split}"),
            run,
        )


def _sequence_rows(
    runs: Sequence[Trained], split: str, device: torch.device, feed: Feed, progress: Progress
) -> Iterator[Row]:
    for run in runs:
        scores, _ = score(replace(run.subject, span="sequence"), split, device, feed, progress)
        note = _note(run, f"the same weights, {run.subject.at_once} frames at once")
        yield Row(f"{run.name}, sequence", note, scores)


def _note(run: Trained, note: str) -> str:
    """With what it was not trained on, which is scored as it was given."""
    through = run.subject.not_refined
    return f"{note}; as given: {', '.join(through)}" if through else note


def curves_of(trained: Sequence[Trained], identity: Mapping[Path, float]) -> list[Curve]:
    """What is drawn of runs: each by its experiment, if no other of its row has the same.

    Args:
        trained: runs.
        identity: run -> validation PCK@0.2 of the identity.
    """
    rows = [run.config.model + (", finetuned" if run.config.init else "") for run in trained]
    alike = Counter((row, run.experiment) for row, run in zip(rows, trained, strict=True))
    curves = []
    for row, run in zip(rows, trained, strict=True):
        alone = run.experiment if alike[row, run.experiment] == 1 else None
        curves.append(Curve(row, alone or run.name, run.history, identity.get(run.run)))
    return curves


def identity_pck(trained: Sequence[Trained], device: torch.device, feed: Feed, progress: Progress) -> dict[Path, float]:
    """Run -> PCK@0.2 of the identity on the run's own validation windows, where anything counts."""
    known: dict[tuple[str, str], float | None] = {}
    found = {}
    for run in trained:
        windows = _validation(run, device, feed)
        key = (run.subject.store.manifest.content_digest, windows.frames.tobytes().hex())
        if key not in known:
            known[key] = evaluate(identity, HEATMAPS, windows, progress, f"identity, {run.name}").pck.get("0.2")
        if (percent := known[key]) is not None:
            found[run.run] = percent
    return found


def _validation(run: Trained, device: torch.device, feed: Feed) -> Windows:
    return split_windows(run.config, run.subject.store, "validation", device, feed)
