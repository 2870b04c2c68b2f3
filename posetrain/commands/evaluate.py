"""`posetrain eval`."""

from typing import Any

import click

from posedata import arguments, console
from posetrain.commands.options import device_options


@click.command(name="eval")
@click.argument("what", metavar="default|RUN|FILE|BASELINE")
@click.option("--store", type=arguments.STORE, help="[default: a RUN's own; for all else the newest in the data home]")
@click.option("--split", help="train, validation, test, held_out or all.  [default: test; of clips validation]")
@click.option("--window", type=click.IntRange(1), help="For a baseline or mixer.  [default: 5; the run's]")
@click.option("--frame-step", type=click.IntRange(1), help="For a baseline or mixer.  [default: 1; the run's]")
@click.option("--span", type=click.Choice(["window", "sequence"]), help="What is seen at once.  [default: window]")
@click.option(
    "--input",
    type=click.Choice(["noisy", "clean"]),
    default="noisy",
    show_default=True,
    help="clean: the target itself, to see what published tables measured. No score of a refiner.",
)
@device_options
@arguments.output_options
@click.pass_context
def evaluate(ctx: click.Context, /, what: str, device: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Score a RUN's best epoch, the `default` of the package, a FILE of `posetrain export`, or a BASELINE, by PCK.

    Baselines: identity, and the filters moving-average, gaussian, savitzky-golay, one-euro and kalman, whose
    parameters are chosen on the validation split.

    Windows of every split but train share no frame. A prediction is made from the noisy input alone.

    A detector's RUN is scored on crops, by PCK@0.5 of a tenth of the grid; its baseline is mean-pose, which says where
    keypoints lie on average. A RUN on clips is scored by MPJPE; there mean-pose is the baseline too. Of the options,
    --store and --split are for all.

    \b
    Examples:
      posetrain eval identity --split all
      posetrain eval gaussian --span sequence
      posetrain eval conv3d-brace-k1-random --split test --json
      posetrain eval conv3d-brace-k1-random --input clean
      posetrain eval mixer-brace-k1-random --window 5 --span sequence
      posetrain eval default --store brace-k1-random --window 5
      posetrain eval mean-pose --store coco.zarr
    """
    from posetrain.commands.scored import scored
    from posetrain.devices import enough_memory, pick_device

    picked = pick_device(device)
    with enough_memory(picked):
        report, rows = scored(what, options, arguments.given_options(ctx), picked, console.progress(quiet))
    if as_json:
        console.print_json(report)
    else:
        console.print_table(rows)
