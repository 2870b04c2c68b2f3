"""`posedata stats`."""

from pathlib import Path

import click

from posedata import arguments, console


@click.command()
@click.argument("store", type=arguments.STORE)
@click.option("--out", type=arguments.FOLDER, metavar="PAGE.html", help="Make a page with plots, too.")
@click.option("--overwrite", is_flag=True, help="Replace a page that is there.")
@arguments.output_options
def stats(store: Path | str, out: Path | None, overwrite: bool, as_json: bool, quiet: bool) -> None:
    """Distributions of a STORE, and what would make a careful person doubt it.

    \b
    Examples:
      posedata stats brace-k1-random
      posedata stats data/stores/brace-k1-random.zarr --out brace.html
      posedata stats brace-k1-random --json
    """
    from posedata.home import find_store
    from posedata.stats import tables
    from posedata.stats.report import write_stats

    told = write_stats(find_store(store), out, overwrite, console.progress(quiet))
    if as_json:
        console.print_json(told)
        return
    synthetic = " (synthetic)" if told["synthetic"] else ""
    counts = f"{told['frames']:,} frames, {told['sequences']:,} sequences, {told['videos']:,} videos"
    console.print_table([("store", f"{told['store']}{synthetic}"), ("holds", counts), ("noise", tables.noise(told))])
    for title, rows in tables.tables(told):
        click.echo(f"\n{title}")
        console.print_table(rows)
    if out:
        console.remark(f"\nwrote {out}", quiet)
