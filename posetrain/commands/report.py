"""`posetrain report`."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from posedata import arguments, console
from posetrain.commands.options import device_options


@click.command()
@click.argument("given", metavar="[RUN]...", type=arguments.FOLDER, nargs=-1)
@click.option("--out", type=arguments.FOLDER, required=True, metavar="DIR", help="Folder to make.")
@click.option("--overwrite", is_flag=True, help="Replace a report that is there.")
@click.option("--sequences", is_flag=True, help="Score runs over whole sequences too: several times the work.")
@device_options
@arguments.output_options
def report(
    given: tuple[Path, ...],
    out: Path,
    overwrite: bool,
    sequences: bool,
    device: str,
    feed: Any,
    as_json: bool,
    quiet: bool,
) -> None:
    """Tables, curves and pictures of runs, in Markdown, CSV and one self-contained HTML page.

    The best epoch of every run is scored on the test split of its store, beside the identity and the filters, with
    intervals by bootstrap over videos; a video that was held out is reported apart.

    RUN is a run, or a folder of runs such as a sweep's; with none, all refiners of the data home.

    \b
    Examples:
      posetrain report --out report
      posetrain report sweep --out report --overwrite
      posetrain report conv3d-brace-k1-random smoothnet-brace-k1-random --out two --json
    """
    from posetrain.devices import pick_device
    from posetrain.find import find_runs
    from posetrain.report.collect import refiners
    from posetrain.report.write import PAGE_NAME, write_report

    runs = find_runs(given) if given else refiners(find_runs(()))
    contents = write_report(runs, out, overwrite, pick_device(device), feed, console.progress(quiet), sequences)
    if as_json:
        tables = {"pck": [asdict(table) for table in contents.pck], "joints": [asdict(t) for t in contents.joints]}
        console.print_json({"out": str(out), **tables, "left_out": [str(run) for run in contents.left_out]})
        return
    console.print_table(
        [
            ("page", out / PAGE_NAME),
            ("runs", f"{len(runs) - len(contents.left_out)} reported, {len(contents.left_out)} left out"),
            *(("left out", f"{run}: no finished epoch") for run in contents.left_out),
            *(("table", table.title) for table in contents.pck),
        ]
    )
