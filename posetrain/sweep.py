"""Many trainings in a row: models by experiments, then each of them finetuned. What is done is not done again."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from posedata.errors import BadInputError, ChoiceError, ConflictError, PoseDataError
from posedata.home import find_store
from posedata.progress import Advance, Progress
from posedata.store.reader import Store, open_store
from posetrain import checkpoints
from posetrain.config import FINETUNING_RATE, TrainConfig
from posetrain.data import split_starts, split_windows
from posetrain.experiments import EXPERIMENTS, fitting_store, named_experiment
from posetrain.models import find_refiner, kinds
from posetrain.request import configured
from posetrain.sources import Feed
from posetrain.training import train

PUBLISHED = ("conv3d", "deciwatch", "convlstm-sum", "convlstm-concat")
"""The models of seed 000: with all experiments, its 24 runs."""

Log = Callable[[str], None]
Row = dict[str, Any]


_FIGURES = {"epochs", "best_epoch", "val_loss", "val_pck", "seconds", "windows_per_second"}
"""What tables and lines show of a summary."""


@dataclass(frozen=True, eq=False)
class Planned:
    """One training of a sweep.

    Attributes:
        run: its folder.
        experiment: "1.1" to "2.3".
        config: how it is trained; `init` names the pretraining of a finetuning.
        store: on what.
    """

    run: Path
    experiment: str
    config: TrainConfig
    store: Store

    @property
    def summary(self) -> Row | None:
        """Of the finished run; None before."""
        try:
            found = json.loads((self.run / checkpoints.SUMMARY_NAME).read_bytes())
        except (OSError, ValueError):
            return None  # to go on with a finished training writes its summary again
        return found if isinstance(found, dict) and found.keys() >= _FIGURES else None


def plan(
    models: Sequence[str],
    experiments: Sequence[str],
    options: Mapping[str, Any],
    stores: Sequence[Path | str],
    finetune: Path | str | None,
    out: Path,
    given: Set[str] = frozenset(),
) -> list[Planned]:
    """All trainings of a sweep, in order: pretraining first, then finetuning. Proves that each can begin.

    Args:
        models: names; none = the published four.
        experiments: names; none = all six.
        options: fields of the configuration.
        stores: to train on: an experiment takes the first that fits; none = the newest of the data home that fits.
        finetune: store to finetune every model on; None = no finetuning.
        out: where the runs go.
        given: options that the user typed; others may be set by the regime of a model.

    Raises:
        ChoiceError: if an option has no such choice.
        BadInputError: if an experiment has no store, or a store no windows.
        ConflictError: if `out` holds runs of another configuration.
    """
    for model in models or PUBLISHED:
        refiner = find_refiner(model, f"--model {model}")
        refiner.kind.refuse(given, kinds(), model)
        if refiner.after:
            raise ChoiceError(
                f"--model {model}: expected a model that begins anew, found one that begins with a run of "
                f"{' or '.join(refiner.after)}; posetrain run --init trains it"
            )
    names = list(dict.fromkeys(experiments or EXPERIMENTS))
    found = _stores(names, [open_store(find_store(path)) for path in stores])
    planned = [
        Planned(out / f"{model}-{name}", name, _config(model, name, options, given), found[name])
        for model in dict.fromkeys(models or PUBLISHED)
        for name in names
    ]
    if finetune:
        climbing = open_store(find_store(finetune))
        planned += [
            Planned(
                first.run.with_name(f"{first.run.name}-finetuned"),
                first.experiment,
                first.config.model_copy(update={"init": str(first.run.absolute()), "learning_rate": FINETUNING_RATE}),
                climbing,
            )
            for first in list(planned)
        ]
    for training in planned:
        _check(training)
    return planned


def _stores(names: Sequence[str], given: Sequence[Store]) -> dict[str, Store]:
    """The store of each experiment; raises with the faults of all that have none."""
    found, missing = {}, dict[str, None]()
    for name in names:
        try:
            found[name] = fitting_store(named_experiment(name), given)
        except BadInputError as error:
            missing |= dict.fromkeys(error.faults)
    if missing:
        raise BadInputError(*missing)
    return found


def _config(model: str, experiment: str, options: Mapping[str, Any], given: Set[str]) -> TrainConfig:
    return configured({**options, "model": model, "frame_step": named_experiment(experiment).setup.frame_step}, given)


def _check(training: Planned) -> None:
    for split in ("train", "validation"):
        split_starts(training.config, training.store, split)
    if not (training.run / checkpoints.RUN_NAME).exists():
        return
    there = checkpoints.read_run(training.run)
    before, now = there.config.model_dump(exclude={"init"}), training.config.model_dump(exclude={"init"})
    differing = [f"{name} {before[name]}" for name in now if before[name] != now[name]]
    if there.store.content_digest != training.store.manifest.content_digest:
        differing.append(f"store {there.store.path}")
    if differing:
        raise ConflictError(
            f"{training.run}: expected a run of this sweep, found one with {', '.join(differing)}; use another --out"
        )


def sweep(
    planned: Sequence[Planned], device: torch.device, feed: Feed, progress: Progress, log: Log
) -> tuple[list[Row], list[PoseDataError]]:
    """Train what is not trained yet. A training that fails does not keep the others from being trained.

    Args:
        planned: what `plan` said.
        device: where.
        feed: how heatmaps come.
        progress: told of the epochs of each run.
        log: told a line a run.

    Returns:
        A row a run, those that failed without figures, and their errors.
    """
    for training in {each.store.path: each for each in planned}.values():
        split_windows(training.config, training.store, "train", device, feed)  # tells at once what cannot be fed
    rows, errors = [], []
    for number, training in enumerate(planned, start=1):
        title = f"{number}/{len(planned)} {training.run.name}"
        known = {"name": training.run.name, "experiment": training.experiment}
        summary, was_there = training.summary, True
        try:
            if summary is None:
                summary, was_there = _train(training, device, feed, progress, title, log), False
        except PoseDataError as error:
            # Afresh: where it was raised, its traceback holds model and batch, and the next run needs their memory.
            errors.append(type(error)(*error.faults))
            rows.append({**known, "state": "failed"})
            log(f"{title}: failed: {error}")
            continue
        rows.append({**known, "state": "finished", **summary})
        log(f"{title}: {'done before' if was_there else 'done'}, {_figures(summary)}")
    return rows, errors


def _train(training: Planned, device: torch.device, feed: Feed, progress: Progress, title: str, log: Log) -> Row:
    config, run = training.config, training.run

    def warn(line: str) -> None:
        if line.startswith("warning: "):
            log(f"{title}: {line}")

    if config.init and not (Path(config.init) / checkpoints.SUMMARY_NAME).exists():
        raise BadInputError(f"{config.init}: expected a finished pretraining, found none")
    with progress(title, config.epochs, "epochs") as advance:
        advance(max(checkpoints.saved_epochs(run), default=0))
        return train(
            config, training.store, run, device=device, feed=feed, resume=True, progress=_share(advance), log=warn
        )


def _share(advance: Advance) -> Progress:
    """The two passes of an epoch, training and validation, as halves of one unit of another progress."""

    @contextmanager
    def passes(what: str, total: int, unit: str) -> Iterator[Advance]:
        del what, unit
        yield lambda done: advance(0.5 * done / total)

    return passes


def _figures(summary: Row) -> str:
    pck = summary["val_pck"].get("0.2")
    shown = f", validation PCK@0.2 {pck:.1f} %" if pck is not None else ""
    return f"{summary['epochs']} epochs, best {summary['best_epoch']}{shown}, {summary['seconds']:.0f} s"


def table(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """A header, and a line a run."""
    head = ("run", "state", "epochs", "best", "val loss", "val PCK @0.05/0.1/0.2", "windows/s")
    return [head, *(_line(row) for row in rows)]


def _line(row: Row) -> tuple[str, ...]:
    if row["state"] != "finished":
        return (row["name"], row["state"], *[""] * 5)
    return (
        row["name"],
        row["state"],
        str(row["epochs"]),
        str(row["best_epoch"]),
        f"{row['val_loss']:.5f}",
        "/".join(f"{percent:.1f}" for percent in row["val_pck"].values()),
        f"{row['windows_per_second']:.0f}",
    )
