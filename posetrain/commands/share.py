"""`posetrain push`, `pull` and `list`."""

from pathlib import Path
from typing import Any

import click

from posedata import arguments, console, ending


@click.command()
@click.argument("run", type=arguments.FOLDER)
@click.argument("url", required=False)
@click.option("--name", help="Of the published run.  [default: the run's]")
@click.option("--overwrite", is_flag=True, help="Replace another run of that name.")
@click.option("--dry-run", is_flag=True, help="Tell files and bytes, send nothing.")
@arguments.output_options
def push(run: Path, url: str | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Publish RUN, with its checkpoints, in the collection at URL: a folder, s3:// or hf://.

    With no URL, in $POSEDATA_REMOTE; beside the datasets that `posedata push` puts there.

    \b
    Example:
      posetrain push conv3d-brace-k2-random s3://bucket/datasets
    """
    from posedata.sharing.catalogue import need_collection
    from posetrain.find import find_run
    from posetrain.sharing import push_run

    report = push_run(find_run(run), need_collection(url), progress=console.progress(quiet), **options)
    console.remark(f"next, for a colleague: posetrain pull {report['url']}", quiet or as_json or report["dry_run"])
    _print(report, "would send" if report["dry_run"] else "sent", "url", as_json)


@click.command()
@click.argument("url", metavar="URL|NAME")
@click.option("--out", type=arguments.FOLDER, metavar="RUN", help="[default: $POSEDATA_HOME/runs/NAME]")
@click.option("--overwrite", is_flag=True, help="Replace a run that is there.")
@click.option("--dry-run", is_flag=True, help="Tell files and bytes, fetch nothing.")
@arguments.output_options
def pull(url: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Fetch the run at URL, which is COLLECTION/NAME; or the one of that NAME in $POSEDATA_REMOTE.

    \b
    Example:
      posetrain pull s3://bucket/datasets/conv3d-brace-k2-random
    """
    from posetrain.sharing import pull_run

    ending.when_stopped(lambda: ending.KEPT)
    report = pull_run(url, progress=console.progress(quiet), **options)
    _print(report, "would fetch" if report["dry_run"] else "fetched", "run", as_json)


@click.command("list")
@click.argument("url", required=False, metavar="[URL]")
@arguments.output_options
def list_runs(url: str | None, as_json: bool, quiet: bool) -> None:
    """List the runs of the collection at URL; with no URL, of $POSEDATA_REMOTE. `posetrain runs` lists those here.

    \b
    Example:
      posetrain list s3://bucket/datasets
    """
    from posedata.sharing.catalogue import need_collection
    from posetrain.sharing import published_runs

    where = need_collection(url)
    others: list[str] = []
    found = published_runs(where, others.append)
    for fault in others:
        console.remark(f"warning: left out: {fault}", quiet=False)
    if as_json:
        console.print_json({"where": where, "runs": found, "left_out": others})
    elif found:
        rows = [(r["name"], r["model"], r["store"], r["content_digest"], f"{r['bytes']:,}") for r in found]
        console.print_table([("run", "model", "trained on", "digest", "bytes"), *rows])
    else:
        console.remark(f"no runs in {where}", quiet)


def _print(report: dict[str, Any], done: str, where: str, as_json: bool) -> None:
    if as_json:
        console.print_json(report)
        return
    console.print_table(
        [
            ("name", report["name"]),
            (where, report[where]),
            ("trained on", f"{report['store']}, digest {report['content_digest']}"),
            (done, f"{report['files']:,} files, {report['bytes']:,} bytes; {report['files_kept']:,} were there"),
        ]
    )
