"""`posetrain run`."""

from pathlib import Path
from typing import Any

import click

from posedata import console
from posetrain.commands.options import (
    FOLDER,
    MODEL_NAMES,
    TRAINING_OPTIONS,
    device_options,
    pck_line,
    store_name,
    training_options,
)


@click.command()
@click.argument("store", type=FOLDER, required=False)
@click.option("--model", default="conv3d", show_default=True, help=", ".join(MODEL_NAMES))
@click.option("--setup", type=click.Choice(["1", "2", "3"]), help="Published setup: random or fixed sigma, half rate.")
@click.option("--experiment", metavar="X.Y", help="Published experiment: k X in setup Y; finds its store.")
@click.option("--init", type=FOLDER, metavar="RUN", help="Finetune: begin with the best epoch of RUN.")
@click.option("--frame-step", type=click.IntRange(1), default=1, show_default=True, help="2 is half the frame rate.")
@training_options
@device_options
@click.option("--out", type=FOLDER, metavar="RUN", help="[default: $POSEDATA_HOME/runs/MODEL-STORE]")
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
    from posetrain.devices import pick_device
    from posetrain.experiments import find_experiment
    from posetrain.training import train

    device = pick_device(options["device"])
    if resume:
        wanted = request.resume_request(store, out, console.given_options(ctx))
    else:
        wanted = request.run_request(
            store,
            out,
            {name: options[name] for name in ("model", "frame_step", *TRAINING_OPTIONS)},
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
    console.print_table(
        [
            ("run", summary["run"]),
            ("store", store_name(wanted.store)),
            ("model", f"{summary['model']}, {summary['parameters']:,} parameters"),
            ("epochs", f"{summary['epochs']}, best {summary['best_epoch']}"),
            ("val loss", f"{summary['val_loss']:.5f}"),
            ("val PCK", pck_line(summary["val_pck"])),
            ("speed", f"{summary['windows_per_second']:.1f} windows/s"),
        ]
    )
