"""`posetrain report`."""

from pathlib import Path
from typing import Any

import click

from posedata import arguments, console
from posetrain.commands.options import device_options


@click.command()
@click.argument("runs", metavar="[RUN]...", type=arguments.FOLDER, nargs=-1)
@click.option("--out", type=arguments.FOLDER, required=True, metavar="DIR", help="Folder to make; NAME.html: a page.")
@click.option("--overwrite", is_flag=True, help="Replace a report that is there.")
@click.option("--sequences", is_flag=True, help="Score refiners over whole sequences too: several times the work.")
@device_options
@arguments.output_options
@click.pass_context
def report(
    ctx: click.Context,
    /,
    runs: tuple[Path, ...],
    out: Path,
    overwrite: bool,
    device: str,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Tables, curves and pictures of runs, in CSV and one self-contained HTML page, of refiners in Markdown too.

    The best epoch of every run is scored on the test split of its store. Refiners stand beside the identity and the
    filters, with intervals by bootstrap over videos; a video that was held out is reported apart. Detectors and models
    of 3-D joints stand beside mean-pose, with pictures of what they predict; those without a test split on validation.

    RUN is a run, or a folder of runs such as a sweep's, all on stores of one kind; with none, all refiners of the data
    home. If --out is NAME.html, the page alone is written.

    \b
    Examples:
      posetrain report --out report
      posetrain report sweep --out report --overwrite
      posetrain report conv3d-brace-k1-random smoothnet-brace-k1-random --out two --json
      posetrain report hourglass-coco --out detector.html
    """
    from posetrain.devices import enough_memory, pick_device
    from posetrain.find import find_runs
    from posetrain.report.collect import refiners
    from posetrain.report.made import PAGE_NAME
    from posetrain.report.write import is_page, write_report

    found = find_runs(runs) if runs else refiners(find_runs(()))
    given, progress, picked = arguments.given_options(ctx), console.progress(quiet), pick_device(device)
    with enough_memory(picked):
        made = write_report(found, out, overwrite, options, given, picked, progress)
    if as_json:
        console.print_json({"out": str(out), **made.told, "left_out": [str(run) for run in made.left_out]})
        return
    console.print_table(
        [
            ("page", out if is_page(out) else out / PAGE_NAME),
            ("runs", f"{len(found) - len(made.left_out)} reported, {len(made.left_out)} left out"),
            *(("left out", f"{run}: no finished epoch") for run in made.left_out),
            *made.rows,
        ]
    )
