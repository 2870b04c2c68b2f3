"""The command `posedata fetch`: parse, one call, print."""

from pathlib import Path

import click

from posedata import arguments, console, ending


@click.command()
@click.argument("name", metavar="brace|penn_action|speed21")
@click.option(
    "--url",
    help="Of a mirror's folder, with a / at its end; of penn_action and speed21 also of the archive.  "
    "[default: the authors']",
)
@click.option(
    "--out",
    type=arguments.FOLDER,
    metavar="DIR",
    help="An empty folder.  [default: $POSEDATA_HOME/raw/NAME]",
)
@arguments.output_options
def fetch(name: str, url: str | None, out: Path | None, as_json: bool, quiet: bool) -> None:
    """Download raw data from its authors, and keep what `build` reads.

    A download that was cut goes on where it stopped when the command is run again. The authors' licence, which
    binds you, is shown first.

    \b
    Examples:
      posedata fetch brace
      posedata fetch brace --url https://mirror.example/brace/
      posedata fetch speed21 --url https://example.org/speed21.zip --out raw/speed21
    """
    ending.when_stopped(lambda: ending.KEPT)
    from posedata.fetch.addresses import find_publication
    from posedata.fetch.fetching import fetch as fetch_tree
    from posedata.formats import find_format
    from posedata.home import data_home

    name = name.lower().replace("-", "_")
    publication = find_publication(name)
    console.remark(f"licence: {find_format(name).licence}\ncite: {publication.cite}", quiet)
    root = out or data_home() / "raw" / name
    receipt = fetch_tree(name, root, url, console.progress(quiet))
    if as_json:
        console.print_json({"path": str(root)} | receipt.model_dump())
    else:
        console.print_table([(root, "")] + [(archive.file, archive.sha256) for archive in receipt.archives])
        console.remark(f"next: posedata build --dataset {name} --raw {root}", quiet)
