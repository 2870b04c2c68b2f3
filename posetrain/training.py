"""Train a model: a plain loop that reads top to bottom."""

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from posedata.errors import BadInputError, IntegrityError
from posedata.locks import locked
from posedata.progress import Progress, silent
from posedata.sharing.mirror import url_of
from posedata.store.opened import Opened
from posetrain import checkpoints
from posetrain.config import TrainConfig
from posetrain.devices import ELSEWHERE, enough_memory, place
from posetrain.epoch import train_epoch
from posetrain.history import LOSS, best_epoch, load_best, pck_of, plain_of, score_of, speed_of
from posetrain.kinds import Samples
from posetrain.models import Architecture, count_parameters, find_model, make_model, put_weights
from posetrain.optimizer import Optimizer
from posetrain.schedule import Plateau, falls, stops, watched
from posetrain.sources import Feed
from posetrain.team import ALONE, Team

Log = Callable[[str], None]


def train(
    config: TrainConfig,
    store: Opened,
    run: Path,
    *,
    device: torch.device,
    feed: Feed = "auto",
    resume: bool = False,
    team: Team = ALONE,
    progress: Progress = silent,
    log: Log = lambda line: None,
) -> dict[str, Any]:
    """Train for as long as the schedule says, and keep every figure.

    Args:
        config: the regime.
        store: what to train on, of the kind that the model needs.
        run: folder of the run; with `resume`, training goes on from its last checkpoint.
        device: where.
        feed: how heatmaps come, see `posetrain.sources`.
        resume: go on with a run that was cut.
        team: the processes that train together.
        progress: told of the samples of every epoch.
        log: told a line an epoch.

    Returns:
        The summary: figures of the best epoch, the one with the best score: see
        `posetrain.history.SCORES`.

    Raises:
        BadInputError: if a split has no samples, the model is not trained on such a store, or the loss is no number
            any more.
        ChoiceError: if there is no such model.
        ConflictError: if another process trains this run.
        IntegrityError: if no checkpoint to go on from is sound, or weights are of another version's model.
        RemoteError: if another process of the team is lost.
        ResourceError: if the memory of the device is used up.
    """
    with locked(run, run) if team.leads else nullcontext(), enough_memory(device, "try a smaller --batch-size"):
        try:
            if need := find_model(config.model).need:
                need(store)
            return _train(config, store, run, device, feed, resume, team, progress, log)
        finally:
            if team.leads and not any(run.iterdir()):
                run.rmdir()


def _train(
    config: TrainConfig,
    store: Opened,
    run: Path,
    device: torch.device,
    feed: Feed,
    resume: bool,
    team: Team,
    progress: Progress,
    log: Log,
) -> dict[str, Any]:
    architecture = find_model(config.model)
    samples = architecture.kind.samples
    training, validation = (samples(config, store, split, device, feed) for split in ("train", "validation"))
    newest = _newest_sound(run, log) if resume and team.leads and checkpoints.saved_epochs(run) else 0
    epoch = int(team.told({"epoch": newest})["epoch"])
    # Who goes on, or is sent the leader's weights, needs no backbone: its folder need not be there any more.
    begun = config.model_copy(update={"backbone": None}) if epoch or not team.leads else config
    model = place(make_model(begun), device)
    optimizer = Optimizer(model, config, steps=config.epochs * -(-len(training) // config.batch_size))
    plateau, history = Plateau(), list[dict[str, float]]()
    team.meet()  # nothing is written unless every process can begin
    if epoch:
        plateau, history = _restore(run, epoch, config.model, optimizer, team)
    else:
        _begin(model, config, run, team)
    if team.leads:
        info = _info(config, store, architecture.kind.facts(store))
        checkpoints.write_json(run / checkpoints.RUN_NAME, info.model_dump())

    for epoch in range(len(history) + 1, config.epochs + 1):
        if stops(config, plateau):
            break
        if team.leads:
            (run / checkpoints.SUMMARY_NAME).unlink(missing_ok=True)  # of an epoch that was damaged since
        begin = time.perf_counter()
        loss = train_epoch(model, architecture.task, optimizer, training, config, epoch, team, progress)
        seconds = time.perf_counter() - begin
        figures = {
            "train_loss": loss,
            **(_validated(architecture, optimizer.best, validation, epoch, progress) if team.leads else {}),
            "learning_rate": optimizer.rate,
            "seconds": round(seconds, 3),
            f"{training.unit}_per_second": round(len(training) / seconds, 2),
        }
        history.append({"epoch": epoch, **team.told(figures)})
        plateau.update(watched(config, history[-1]))
        if falls(config, plateau, epoch, optimizer.rate < config.learning_rate):
            optimizer.rate *= config.reduce_factor
        if team.leads:
            _save(run, optimizer, plateau, history)
            log(_line(history[-1], config.epochs))

    summary = _summary(config, store, model, history, run)
    if team.leads:
        checkpoints.write_json(run / checkpoints.SUMMARY_NAME, summary)
    return summary


def _validated(
    architecture: Architecture, model: nn.Module, validation: Samples, epoch: int, progress: Progress
) -> dict[str, float]:
    """The validation figures of an epoch; raises BadInputError if the loss is no number."""
    model.eval()
    advice = f"{architecture.task.at_once} {validation.unit} are scored at once, whatever the --batch-size; {ELSEWHERE}"
    with enough_memory(validation.device, advice):
        figures = architecture.kind.figures(model, architecture.task, validation, progress, f"epoch {epoch} validation")
    if not math.isfinite(figures["val_loss"]):
        raise BadInputError(f"epoch {epoch}: validation loss: expected a number, found {figures['val_loss']}")
    return figures


def _info(config: TrainConfig, store: Opened, facts: dict[str, tuple[float, ...]]) -> checkpoints.RunInfo:
    place = url_of(store.path) or str(store.path.absolute())
    reference = checkpoints.StoreReference(path=place, content_digest=store.manifest.content_digest, facts=facts)
    return checkpoints.RunInfo(config=config, store=reference)


def _save(
    run: Path,
    optimizer: Optimizer,
    plateau: Plateau,
    history: list[dict[str, float]],
) -> None:
    epoch = len(history)
    state = {
        "optimizer": optimizer.state(),
        "plateau": asdict(plateau),
        "history": history,
        "random": torch.get_rng_state(),
        "cuda_random": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "mps_random": [torch.mps.get_rng_state()] if torch.backends.mps.is_available() else [],
    }
    checkpoints.save_checkpoint(run, epoch, optimizer.best.state_dict(), state)
    checkpoints.write_curves(run, history)
    # The best as seen from the epoch before is kept too, should this checkpoint be damaged.
    best = {best_epoch(history), best_epoch(history[:-1] or history)}
    checkpoints.prune_checkpoints(run, {epoch, epoch - 1, *best})


def _begin(model: nn.Module, config: TrainConfig, run: Path, team: Team) -> None:
    """Give a model the weights that a run begins with, where they are not drawn."""
    if config.init:
        _begin_with(Path(config.init), model, config, team)
    elif config.backbone:
        put_weights(model, team.lent(model.state_dict), run, config.model)


def _begin_with(run: Path, model: nn.Module, config: TrainConfig, team: Team) -> None:
    """Give a model the best weights of a run; what the run's own architecture has not begins fresh."""
    found = team.lent(lambda: {"model": checkpoints.read_run(run).config.model, "weights": load_best(run)[1]})
    fresh, weights = {}, found["weights"]
    if found["model"] != config.model:
        taking = find_model(config.model).taking
        with torch.device("meta"):  # names alone: nothing is drawn
            known = taking(find_model(found["model"]).make(config).state_dict())
        fresh = {name: value for name, value in model.state_dict().items() if name not in known}
        weights = taking(weights)
    put_weights(model, {**fresh, **weights}, run, found["model"])


def _restore(
    run: Path, epoch: int, model: str, optimizer: Optimizer, team: Team
) -> tuple[Plateau, list[dict[str, float]]]:
    state = team.lent(lambda: {**checkpoints.load_state(run, epoch), "weights": checkpoints.load_weights(run, epoch)})
    put_weights(optimizer.best, state["weights"], run, model)
    optimizer.restore(state["optimizer"])
    torch.set_rng_state(state["random"])
    if torch.cuda.is_available() and state["cuda_random"]:
        torch.cuda.set_rng_state_all(state["cuda_random"][: torch.cuda.device_count()])
    if torch.backends.mps.is_available():
        for there in state.get("mps_random", []):  # older runs have none
            torch.mps.set_rng_state(there)
    if team.leads:
        # Nothing refuses any more: what was damaged makes room for what will be trained again.
        checkpoints.prune_checkpoints(run, {saved for saved in checkpoints.saved_epochs(run) if saved <= epoch})
        checkpoints.write_curves(run, state["history"])
    return Plateau(**state["plateau"]), state["history"]


def _newest_sound(run: Path, log: Log) -> int:
    """Epoch of the last checkpoint, or where it is damaged the one before; raises IntegrityError if none is sound."""
    damaged: list[str] = []
    for epoch in reversed(checkpoints.saved_epochs(run)):
        try:
            checkpoints.load_weights(run, epoch)
            checkpoints.load_state(run, epoch)
        except IntegrityError as error:
            damaged += error.faults
            continue
        for fault in damaged:
            log(f"warning: {fault}; going on from epoch {epoch}")
        return epoch
    raise IntegrityError(*damaged)


def _line(row: dict[str, float], epochs: int) -> str:
    score, (unit, speed) = score_of(row), speed_of(row)
    scored = "" if score is LOSS else f"{score.title} {row[score.column]:.1f} {score.unit}, "
    return (
        f"epoch {row['epoch']}/{epochs}: train {row['train_loss']:.5g}, validation {row['val_loss']:.5g}, "
        f"{scored}learning rate {row['learning_rate']:g}, {speed:.1f} {unit}/s"
    )


def _summary(
    config: TrainConfig, store: Opened, model: nn.Module, history: list[dict[str, float]], run: Path
) -> dict[str, Any]:
    best = history[best_epoch(history) - 1]
    unit, speed = speed_of(best)
    return {
        "run": str(run),
        "model": config.model,
        "store": str(store.path),
        "epochs": len(history),
        "best_epoch": int(best["epoch"]),
        **plain_of(best),
        "val_pck": pck_of(best),
        "parameters": count_parameters(model),
        f"{unit}_per_second": speed,
        "seconds": round(sum(row["seconds"] for row in history), 3),
    }
