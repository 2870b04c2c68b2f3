"""`posetrain run`."""

import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from posedata import arguments, console, ending
from posetrain.commands.options import (
    MODEL_NAMES,
    TRAINING_OPTIONS,
    device_options,
    pck_line,
    store_name,
    training_options,
)

if TYPE_CHECKING:
    from posetrain.request import RunRequest
    from posetrain.team import Team


@click.command()
@click.argument("store", type=arguments.STORE, required=False)
@click.option("--model", default="conv3d", show_default=True, help=", ".join(MODEL_NAMES))
@click.option("--setup", type=click.Choice(["1", "2", "3"]), help="Published setup: random or fixed sigma, half rate.")
@click.option("--experiment", metavar="X.Y", help="Published experiment: k X in setup Y; finds its store.")
@click.option("--init", type=arguments.FOLDER, metavar="RUN", help="Finetune: begin with the best epoch of RUN.")
@click.option("--frame-step", type=click.IntRange(1), default=1, show_default=True, help="2 is half the frame rate.")
@training_options
@device_options
@click.option(
    "--out",
    type=arguments.FOLDER,
    metavar="RUN",
    help="[default: $POSEDATA_HOME/runs/MODEL-STORE; a taken name gets -2, -3, ...]",
)
@click.option("--resume", is_flag=True, help="Go on with RUN, or with the newest unfinished one.")
@arguments.config_options()
@arguments.output_options
@click.pass_context
def run(ctx: click.Context, /, show_config: bool, as_json: bool, quiet: bool, **options: Any) -> None:
    """Train a model on STORE; with no STORE, on the newest in the data home.

    Refiners: Adam, MSE, of smoothnet its own loss; the learning rate falls after 5 epochs without a lower validation
    loss, training stops after 10. mixer has a regime of its own; mixer-fitted begins with a run of it, and mixer-few
    with one of that. hourglass, a detector, is trained on image crops, in a regime of its own; hourglass-ae begins with
    a run of it, and hourglass-coded with one of that.

    With --resume, options that are typed have to be those that the run was begun with; with STORE and --out too, a run
    that is not there yet is begun: one command for a job that may be stopped at any time.

    \b
    Examples:
      posetrain run
      posetrain run data/stores/brace-k2-random.zarr --epochs 5 --max-windows 1000
      posetrain run --experiment 2.3 --model deciwatch
      posetrain run data/stores/climbalong-detector.zarr --init conv3d-brace-k1-random
      posetrain run coco.zarr --model hourglass
      posetrain run --resume
      posetrain run brace-k2-random --epochs 20 --out job --resume
      posetrain run --config run.yaml --seed 1
      torchrun --nproc-per-node 4 -m posetrain run data/stores/brace-k2-random.zarr
    """
    # Before torch is imported: of a lost process it would show pages of C++.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")
    if show_config:
        console.print_config(ctx, _resolved(ctx), as_json)
        return
    from posetrain.devices import pick_device
    from posetrain.team import joined
    from posetrain.training import train

    with joined(options["device"]) as (team, device_name):
        device = pick_device(device_name)
        quiet = quiet or not team.leads
        wanted = _wanted(team, lambda: _request(ctx))
        ending.when_stopped(lambda: _left(wanted.run) if team.leads else "the first process tells what is kept")
        console.remark(f"training {wanted.config.model} on {wanted.store.path}, run {wanted.run}", quiet)
        summary = train(
            wanted.config,
            wanted.store,
            wanted.run,
            device=device,
            feed=options["feed"],
            resume=options["resume"],
            team=team,
            progress=console.progress(quiet),
            log=lambda line: console.remark(line, quiet),
        )
    if not team.leads:
        return
    if as_json:
        console.print_json(summary)
        return
    console.print_table(_rows(summary, store_name(wanted.store)))


def _left(run: Path) -> str:
    """What a training that is stopped leaves behind."""
    if not (run / "run.json").exists():
        return ending.NOTHING
    return f"finished epochs are kept; {shlex.join(['posetrain', 'run', '--resume', '--out', str(run)])} goes on"


def _rows(summary: Mapping[str, Any], store: str) -> list[tuple[str, str]]:
    """What is told of a training on a store of that name."""
    from posetrain.history import speed_of

    unit, speed = speed_of(summary)
    return [
        ("run", summary["run"]),
        ("store", store),
        ("model", f"{summary['model']}, {summary['parameters']:,} parameters"),
        ("epochs", f"{summary['epochs']}, best {summary['best_epoch']}"),
        ("val loss", f"{summary['val_loss']:.5g}"),
        *([("val PCK", pck_line(summary["val_pck"]))] if summary["val_pck"] else _score(summary)),
        ("speed", f"{speed:.1f} {unit}/s"),
    ]


def _score(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A row for a score without thresholds, where there is one."""
    from posetrain.history import LOSS, score_of

    score = score_of(summary)
    return [] if score is LOSS else [(f"val {score.title}", f"{summary[score.column]:.5g} {score.unit}")]


def _request(ctx: click.Context) -> "RunRequest":
    from posetrain.request import run_request
    from posetrain.resuming import resume_request

    wanted = resume_request if ctx.params["resume"] else run_request
    return wanted(ctx.params["store"], ctx.params["out"], **_chosen(ctx))


def _resolved(ctx: click.Context) -> dict[str, Any]:
    """What the options of the configuration come to; None for those that a run to be resumed has."""
    from posetrain import request

    chosen = _chosen(ctx)
    if ctx.params["resume"]:
        return dict.fromkeys({"setup", "experiment", "init", *chosen["options"]} - chosen["given"])
    return request.resolved(request.wanted_config(**chosen))


def _chosen(ctx: click.Context) -> dict[str, Any]:
    """How a new run is to be trained."""
    from posetrain.experiments import find_experiment

    return {
        "options": {name: ctx.params[name] for name in ("model", "frame_step", *TRAINING_OPTIONS)},
        "given": arguments.given_options(ctx),
        "experiment": find_experiment(ctx.params["setup"], ctx.params["experiment"]),
        "init": ctx.params["init"],
    }


def _wanted(team: "Team", request: Callable[[], "RunRequest"]) -> "RunRequest":
    """What the leader was asked for: the others take it from there, for it may have begun to write."""
    from posetrain.config import TrainConfig
    from posetrain.request import RunRequest, same_store

    if team.leads:
        wanted = request()
        team.told(
            {
                "config": wanted.config.model_dump(),
                "store": str(wanted.store.path.absolute()),
                "digest": wanted.store.manifest.content_digest,
                "run": str(wanted.run.absolute()),
            }
        )
        return wanted
    told = team.told(None)
    config = TrainConfig(**told["config"])
    return RunRequest(config, same_store(config, Path(told["store"]), told["digest"]), Path(told["run"]))
