"""`posetrain sweep`."""

from pathlib import Path
from typing import Any

import click

from posedata import arguments, console, ending
from posedata.home import data_home
from posetrain.commands.options import REFINER_NAMES, REFINING_OPTIONS, device_options, refining_options


@click.command()
@click.argument("stores", metavar="[STORE]...", type=arguments.STORE, nargs=-1)
@click.option(
    "--model", "models", multiple=True, help=f"{', '.join(REFINER_NAMES)}; repeat.  [default: the first four]"
)
@click.option("--experiment", "experiments", multiple=True, metavar="X.Y", help="Repeat.  [default: 1.1 to 2.3]")
@click.option(
    "--finetune", type=arguments.STORE, metavar="STORE", help="Finetune every model on it, when all are trained."
)
@refining_options
@device_options
@click.option("--out", type=arguments.FOLDER, metavar="DIR", help="[default: $POSEDATA_HOME/runs/sweep]")
@arguments.output_options
@click.pass_context
def sweep(
    ctx: click.Context,
    /,
    stores: tuple[Path | str, ...],
    models: tuple[str, ...],
    experiments: tuple[str, ...],
    finetune: Path | str | None,
    out: Path | None,
    device: str,
    feed: Any,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Train every model in every published experiment, then finetune each of them.

    An experiment takes the first STORE that fits it; with no STORE, the newest of the data home that does. All is
    checked before the first training begins. The same command again goes on where it was stopped: runs that are done
    are not repeated. A run that fails is told of at the end, the others are trained.

    \b
    Examples:
      posetrain sweep
      posetrain sweep --model conv3d --model smoothnet --experiment 1.1 --epochs 2 --max-windows 500 --out trial
      posetrain sweep --finetune climbalong-detector
    """
    from posetrain import sweep as trainings
    from posetrain.devices import pick_device

    ending.when_stopped(lambda: "finished epochs are kept; the same command goes on")
    folder = out or data_home() / "runs" / "sweep"
    chosen = {name: options[name] for name in REFINING_OPTIONS}
    given = arguments.given_options(ctx)
    planned = trainings.plan(models, experiments, chosen, stores, finetune, folder, given)
    rows, errors = trainings.sweep(
        planned,
        pick_device(device),
        feed,
        console.progress(quiet, lasting=False),
        lambda line: console.remark(line, quiet),
    )
    if as_json:
        console.print_json({"out": str(folder), "runs": rows})
    else:
        console.print_table(trainings.table(rows))
    if errors:
        raise type(errors[0])(*(fault for error in errors for fault in error.faults))
