"""`posetrain export`."""

from pathlib import Path

import click

from posedata import arguments, console
from posetrain.commands.options import pck_line


@click.command()
@click.argument("run", metavar="RUN", type=arguments.FOLDER)
@click.option("--out", type=arguments.FOLDER, required=True, metavar="FILE", help="NAME.safetensors")
@click.option(
    "--epoch",
    type=click.IntRange(1),
    help="Of those that are kept: the last two, the best, and what was the best an epoch before.  [default: the best]",
)
@click.option("--half", is_flag=True, help="Round weights to 16 bits: half the size.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@arguments.output_options
def export(run: Path, out: Path, epoch: int | None, half: bool, overwrite: bool, as_json: bool, quiet: bool) -> None:
    """Write an epoch of a RUN into one file, for `predict` and `eval` wherever it is.

    It has the weights, how they were trained, and which keypoints they know; nothing of the optimizer, no path.

    \b
    Examples:
      posetrain export conv3d-brace-k1-random --out conv3d.safetensors
      posetrain eval conv3d.safetensors --store brace-k1-random
    """
    del quiet
    from posetrain.exported import export_run
    from posetrain.find import find_run

    exported = export_run(find_run(run), out, overwrite, epoch, half=half)
    if as_json:
        console.print_json({"out": str(out), **exported.model_dump(mode="json")})
        return
    console.print_table(
        [
            ("exported", out),
            ("model", f"{exported.config.model}, epoch {exported.epoch}"),
            ("keypoints", "not known" if exported.keypoints is None else len(exported.keypoints)),
            ("val PCK", pck_line(exported.validation) + (", before rounding" if half else "")),
            ("size", f"{out.stat().st_size:,} bytes"),
        ]
    )
