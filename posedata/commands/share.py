"""`posedata push`, `pull`, `list`, `status` and `manifest`."""

from pathlib import Path
from typing import Any

import click

from posedata import arguments, console, ending

_COLLECTION = click.argument("url", required=False, metavar="[URL]")


@click.command()
@click.argument("store", type=arguments.STORE)
@click.argument("url", required=False)
@click.option("--name", help="Of the dataset.  [default: the store's, without .zarr]")
@click.option("--version", default="1", show_default=True, help="Of the dataset.")
@click.option("--overwrite", is_flag=True, help="Replace another dataset of that name.")
@click.option("--dry-run", is_flag=True, help="Tell files and bytes, send nothing.")
@arguments.output_options
def push(store: Path | str, url: str | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Publish STORE in the collection at URL: a folder, s3:// or hf://.

    With no URL, in $POSEDATA_REMOTE. Files that are there already are not sent again; after a cut the same command goes
    on. A dataset is seen once all its files are there.

    \b
    Examples:
      posedata push brace-k2-random /mnt/team/datasets
      posedata push brace-k2-random s3://bucket/datasets --dry-run
    """
    from posedata.home import find_store
    from posedata.sharing.catalogue import need_collection
    from posedata.sharing.push import push as push_store

    report = push_store(find_store(store), need_collection(url), progress=console.progress(quiet), **options)
    if as_json:
        console.print_json(report)
        return
    done = "would send" if report["dry_run"] else "sent"
    _say_licences(report["licences"], quiet)
    console.remark(f"next, for a colleague: posedata pull {report['url']}", quiet or report["dry_run"])
    console.print_table(
        [
            ("dataset", f"{report['dataset']}, version {report['version']}"),
            ("url", report["url"]),
            (done, f"{report['files']:,} files, {report['bytes']:,} bytes; {report['files_kept']:,} were there"),
            ("digest", report["content_digest"]),
        ]
    )


@click.command()
@click.argument("dataset")
@click.option("--out", type=arguments.NEW_STORE, metavar="STORE", help="[default: $POSEDATA_HOME/stores/NAME.zarr]")
@click.option("--overwrite", is_flag=True, help="Replace a store that is there; also mends a damaged one.")
@click.option("--dry-run", is_flag=True, help="Tell files and bytes, fetch no more than the manifest.")
@arguments.output_options
def pull(dataset: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Fetch DATASET: a URL (COLLECTION/NAME), the path of its manifest, or a name.

    A name is looked for in data_manifests/ and then in $POSEDATA_REMOTE. Every file is proven as it comes. What came
    before a cut or a signal is kept, and the same command goes on.

    \b
    Examples:
      posedata pull s3://bucket/datasets/brace-k2-random
      posedata pull https://example.org/datasets/brace-k2-random --dry-run
      posedata pull data_manifests/brace-k2-random.json
    """
    from posedata.sharing.pull import pull as pull_store

    ending.when_stopped(lambda: ending.KEPT)
    report = pull_store(dataset, progress=console.progress(quiet), **options)
    if as_json:
        console.print_json(report)
        return
    _say_licences(report["licences"], quiet)
    done = "would fetch" if report["dry_run"] else "fetched"
    counts = f"{report['files']:,} files, {report['bytes']:,} bytes; {report['files_kept']:,} were on this disk"
    console.print_table(
        [
            ("dataset", f"{report['dataset']}, version {report['version']}"),
            ("store", report["store"]),
            (done, "nothing: the store is there; posedata verify proves its bytes" if report["unchanged"] else counts),
            ("digest", report["content_digest"]),
        ]
    )


@click.command("list")
@_COLLECTION
@arguments.output_options
def list_datasets(url: str | None, as_json: bool, quiet: bool) -> None:
    """List the datasets of the collection at URL, or the stores of the data home.

    \b
    Examples:
      posedata list
      posedata list s3://bucket/datasets --json
    """
    from posedata.home import data_home
    from posedata.sharing.compare import in_collection, in_home

    others: list[str] = []
    rows = in_collection(url, others.append) if url else in_home()
    _say_foreign(others)
    if as_json:
        console.print_json({"where": url or str(data_home() / "stores"), "datasets": rows, "left_out": others})
        return
    if not rows:
        console.remark(f"no datasets in {url or data_home() / 'stores'}", quiet)
        return
    shown = [(r["dataset"], _number(r["frames"]), _number(r["bytes"]), r["content_digest"] or "") for r in rows]
    console.print_table([("dataset", "frames", "bytes", "digest"), *shown])


@click.command()
@_COLLECTION
@click.option("--dataset", "names", multiple=True, help="Only this one; repeat for several.  [default: all]")
@click.option("--quick", is_flag=True, help="Compare manifests and sizes, do not hash what is here.")
@arguments.output_options
def status(url: str | None, names: tuple[str, ...], quick: bool, as_json: bool, quiet: bool) -> None:
    """Compare the stores of the data home with the collection at URL; exit code 4 if they differ.

    With no URL, with $POSEDATA_REMOTE.

    \b
    Example:
      posedata status s3://bucket/datasets --dataset brace-k2-random
    """
    from posedata.sharing.catalogue import need_collection
    from posedata.sharing.compare import compare

    where = need_collection(url)
    others: list[str] = []
    found = compare(where, names, quick, console.progress(quiet), others.append)
    _say_foreign(others)
    same = all(each.state == "same" for each in found)
    if as_json:
        console.print_json(
            {"url": where, "same": same, "datasets": [each._asdict() for each in found], "left_out": others}
        )
    elif found:
        console.print_table([(each.name, each.state, each.problem or "") for each in found])
    if not same:
        raise click.exceptions.Exit(4)


@click.command()
@click.argument("store", type=arguments.STORE, required=False)
@click.option("--name", help="Of the dataset.  [default: the store's, without .zarr]")
@click.option("--version", default="1", show_default=True, help="Of the dataset.")
@click.option("--location", "locations", multiple=True, help="URL of a collection that has it; repeat for several.")
@click.option("--schema", is_flag=True, help="Print the JSON schema of dataset manifests instead.")
def manifest(
    store: Path | str | None, name: str | None, version: str, locations: tuple[str, ...], schema: bool
) -> None:
    """Print the dataset manifest of STORE: its recipe, sources and digests, as JSON.

    With no STORE, of the newest in the data home.

    \b
    Example:
      posedata manifest brace-k2-random > data_manifests/brace-k2-random.json
    """
    from posedata.dataset import describe, json_schema
    from posedata.home import find_store
    from posedata.sharing.mirror import name_of
    from posedata.store.opened import open_any

    if schema:
        click.echo(json_schema(), nl=False)
        return
    path = find_store(store)
    dataset = describe(open_any(path), name or name_of(path), version, locations)
    click.echo(dataset.to_json(), nl=False)


def _say_licences(licences: dict[str, str], quiet: bool) -> None:
    for source, licence in licences.items():
        console.remark(f"licence of {source}: {licence}", quiet)


def _say_foreign(faults: list[str]) -> None:
    for fault in faults:
        console.remark(f"warning: left out: {fault}", quiet=False)


def _number(value: int | None) -> str:
    return "unbuilt" if value is None else f"{value:,}"
