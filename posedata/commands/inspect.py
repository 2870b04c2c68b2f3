"""`posedata info` and `posedata verify`."""

from pathlib import Path

import click

from posedata import arguments, console
from posedata.commands.summary import print_report


@click.command()
@click.argument("store", type=arguments.STORE)
@arguments.output_options
def info(store: Path | str, as_json: bool, quiet: bool) -> None:
    """Show counts, recipe, splits and digest of a STORE.

    \b
    Example:
      posedata info data/stores/brace-k1-random.zarr --json
      posedata info s3://bucket/datasets/brace-k1-random
    """
    from posedata.assemble import report
    from posedata.home import find_store
    from posedata.store.opened import open_any

    path = find_store(store)
    print_report(report(path, open_any(path).manifest), as_json, quiet)


@click.command()
@click.argument("store", type=arguments.STORE)
@click.option("--quick", is_flag=True, help="Structure and sizes only, not every byte.")
@arguments.output_options
def verify(store: Path | str, quick: bool, as_json: bool, quiet: bool) -> None:
    """Prove that a STORE is what its manifest says; exit code 4 if it is not.

    \b
    Example:
      posedata verify data/stores/brace-k1-random.zarr
    """
    from posedata.home import find_store
    from posedata.store.opened import verify as verify_store

    store = find_store(store)
    files, problems = verify_store(store, quick, console.progress(quiet))
    if as_json:
        found = [{"file": p.file, "problem": p.problem} for p in problems]
        console.print_json({"ok": not problems, "files": files, "problems": found})
    else:
        for problem in problems:
            console.remark(f"error: {store}/{problem.file}: {problem.problem}", quiet=False)
        verdict = "damaged" if problems else "ok"
        console.print_table([(f"{store}: {verdict}, {files} files, {len(problems)} problems",)])
    if problems:
        raise click.exceptions.Exit(4)
