"""The command `posetrain`: parse, one call, print."""

from pathlib import Path
from typing import Any

import click

from posedata import __version__, console

_FOLDER = click.Path(path_type=Path)
MODEL_NAMES = ("conv3d", "deciwatch", "convlstm-sum", "convlstm-concat", "smoothnet")
"""Those of `posetrain.models.MODELS`, which takes a second to import."""

_CONFIG_OPTIONS = (
    "model",
    "window",
    "frame_step",
    "epochs",
    "batch_size",
    "learning_rate",
    "max_windows",
    "sampling_step",
    "precision",
    "seed",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="posetrain")
def cli() -> None:
    """Train and score temporal refiners on posedata stores.

    Stores lie in $POSEDATA_HOME/stores, runs go to $POSEDATA_HOME/runs; the home is ./data unless set. Any command
    takes --debug, which shows the traceback of an error.

    \b
    Try it without any data:
      posedata sample brace
      posedata build --dataset brace
      posetrain run --epochs 2
      posetrain eval identity
    """


@cli.command()
@click.argument("store", type=_FOLDER, required=False)
@click.option("--model", default="conv3d", show_default=True, help=", ".join(MODEL_NAMES))
@click.option("--setup", type=click.Choice(["1", "2", "3"]), help="Published setup: random or fixed sigma, half rate.")
@click.option("--experiment", metavar="X.Y", help="Published experiment: k X in setup Y; finds its store.")
@click.option("--init", type=_FOLDER, metavar="RUN", help="Finetune: begin with the best epoch of RUN.")
@click.option("--window", type=click.IntRange(1), default=5, show_default=True, help="Frames that the model sees.")
@click.option("--frame-step", type=click.IntRange(1), default=1, show_default=True, help="2 is half the frame rate.")
@click.option("--epochs", type=click.IntRange(1), default=50, show_default=True, help="At most.")
@click.option("--batch-size", type=click.IntRange(1), default=16, show_default=True, help="Windows a step.")
@click.option("--learning-rate", type=float, default=1e-3, help="At the start.  [default: 0.001; with --init 0.0001]")
@click.option("--max-windows", type=click.IntRange(1), help="At most so many of each split.  [default: all]")
@click.option("--sampling-step", type=click.IntRange(1), default=4, show_default=True, help="Of deciwatch, in frames.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16"]),
    default="float32",
    show_default=True,
    help="Of the model in training; bfloat16 is faster. Scores are float32.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of weights and order.")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option(
    "--feed",
    type=click.Choice(["auto", "store", "render"]),
    default="auto",
    show_default=True,
    help="Decode heatmaps from the store, or look them up on the device: the same bits.",
)
@click.option("--out", type=_FOLDER, metavar="RUN", help="[default: $POSEDATA_HOME/runs/MODEL-STORE]")
@click.option("--resume", is_flag=True, help="Go on with RUN, or with the newest unfinished one, as it was configured.")
@console.output_options
@click.pass_context
def run(
    ctx: click.Context,
    /,
    store: Path | None,
    setup: str | None,
    experiment: str | None,
    init: Path | None,
    resume: bool,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Train a refiner on STORE; with no STORE, on the newest in the data home.

    Adam, MSE; the learning rate falls after 5 epochs without a lower validation loss, training stops after 10.

    \b
    Examples:
      posetrain run
      posetrain run data/stores/brace-k2-random.zarr --epochs 5 --max-windows 1000
      posetrain run --experiment 2.3 --model deciwatch
      posetrain run data/stores/climbalong-detector.zarr --init conv3d-brace-k1-random
      posetrain run --resume
    """
    from posetrain import request
    from posetrain.experiments import find_experiment
    from posetrain.training import pick_device, train

    device = pick_device(options["device"])
    if resume:
        wanted = request.resume_request(store, out, console.given_options(ctx))
    else:
        wanted = request.run_request(
            store,
            out,
            {name: options[name] for name in _CONFIG_OPTIONS},
            given=console.given_options(ctx),
            experiment=find_experiment(setup, experiment),
            init=init,
        )
    console.remark(f"training {wanted.config.model} on {wanted.store.path}, run {wanted.run}", quiet)
    summary = train(
        wanted.config,
        wanted.store,
        wanted.run,
        device=device,
        feed=options["feed"],
        resume=resume,
        progress=console.progress(quiet),
        log=lambda line: console.remark(line, quiet),
    )
    if as_json:
        console.print_json(summary)
        return
    pck = summary["val_pck"]
    console.print_table(
        [
            ("run", summary["run"]),
            ("store", f"{summary['store']}{_mark(wanted.store)}"),
            ("model", f"{summary['model']}, {summary['parameters']:,} parameters"),
            ("epochs", f"{summary['epochs']}, best {summary['best_epoch']}"),
            ("val loss", f"{summary['val_loss']:.5f}"),
            ("val PCK", _pck(pck)),
            ("speed", f"{summary['windows_per_second']:.1f} windows/s"),
        ]
    )


@cli.command(name="eval")
@click.argument("what", metavar="RUN|BASELINE")
@click.option("--store", type=_FOLDER, help="[default: the run's; for a baseline the newest in the data home]")
@click.option("--split", default="test", show_default=True, help="train, validation, test, held_out or all.")
@click.option("--window", type=click.IntRange(1), help="For a baseline.  [default: 5]")
@click.option("--frame-step", type=click.IntRange(1), help="For a baseline.  [default: 1]")
@click.option("--span", type=click.Choice(["window", "sequence"]), help="What a filter sees.  [default: window]")
@click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, ...")
@click.option(
    "--feed", type=click.Choice(["auto", "store", "render"]), default="auto", show_default=True, help="As of run."
)
@console.output_options
def evaluate_command(
    what: str,
    store: Path | None,
    split: str,
    window: int | None,
    frame_step: int | None,
    span: Any,
    device: str,
    feed: Any,
    as_json: bool,
    quiet: bool,
) -> None:
    """Score a RUN's best epoch, or a BASELINE, by PCK.

    Baselines: identity, and the filters moving-average, gaussian, savitzky-golay, one-euro and kalman, whose
    parameters are chosen on the validation split.

    Windows of every split but train share no frame. A prediction is made from the noisy input alone.

    \b
    Examples:
      posetrain eval identity --split all
      posetrain eval gaussian --span sequence
      posetrain eval conv3d-brace-k1-random --split test --json
    """
    from posetrain import request
    from posetrain.training import pick_device

    picked = pick_device(device)
    subject = request.eval_subject(what, store, window, frame_step, picked, span)
    scores, chosen = request.score(subject, split, picked, feed, console.progress(quiet))
    if as_json:
        report = {"model": subject.model, "store": str(subject.store.path), "split": split, "epoch": subject.epoch}
        synthetic = {"synthetic": subject.store.attributes["synthetic"]}
        console.print_json(report | synthetic | chosen | scores.as_dict())
        return
    console.print_table(
        [
            ("model", subject.model + (f", {chosen['span']}, {chosen['parameters']}" if chosen else "")),
            ("store", f"{subject.store.path}{_mark(subject.store)}"),
            ("split", f"{split}: {scores.windows:,} windows, {scores.keypoints:,} keypoints"),
            ("frames", f"{scores.frames_scored:,} scored, {scores.frames_unscored:,} without a torso"),
            ("PCK", _pck(scores.pck)),
            ("PCK point", _pck(scores.pck_point)),
            *((f"  {joint}", _pck(score)) for joint, score in scores.per_joint.items()),
            ("loss", f"{scores.loss:.5f}"),
        ]
    )


def _mark(store: Any) -> str:
    return " (synthetic)" if store.attributes["synthetic"] else ""


def _pck(scores: Any) -> str:
    return "   ".join(f"@{threshold} {percent:5.1f} %" for threshold, percent in scores.items()) or "nothing to score"


def main() -> None:
    """Entry point of the command."""
    console.run(cli, "posetrain", stopped="finished epochs are kept; go on with posetrain run --resume")
