"""`posedata build` and `preview` where they are about other stores than those of temporal heatmaps."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from posedata import arguments, console
from posedata.commands.summary import print_report

if TYPE_CHECKING:
    from posedata.family import Family
    from posedata.shown import Sheet


def build_of_family(
    context: click.Context,
    family: "Family",
    options: Mapping[str, Any],
    show_config: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Build a store of a family from the options of `posedata build`, or show them."""
    from posedata import request
    from posedata.familyrequest import family_recipe, family_request, resolved_options

    recipe = family_recipe(family, options["datasets"], options)
    if show_config:
        console.print_config(context, resolved_options(recipe), as_json)
        return
    report = family.build(
        *family_request(recipe, options["raws"], options["out"]),
        workers=request.threads(options["workers"], None),
        skip_bad=options["skip_bad"],
        overwrite=options["overwrite"],
        dry_run=options["dry_run"],
        progress=console.progress(quiet),
    )
    print_report(report, as_json, quiet)


def sheet_of(path: Path) -> "Sheet | None":
    """The sheet that is drawn of a store, if that is all there is to see of its kind."""
    from posedata.errors import IntegrityError
    from posedata.manifest import read_manifest
    from posedata.shown import shown
    from posedata.store.kinds import KINDS

    try:
        kind = read_manifest(path).kind
    except IntegrityError:
        return None  # whoever opens it will say what it lacks
    return shown(kind).sheet if kind in KINDS else None


def write_sheet_of(context: click.Context, path: Path, sheet: "Sheet", as_json: bool) -> None:
    """Draw a sheet from the options of `posedata preview`."""
    from posedata.preview.sheet import write_sheet

    options, given = context.params, arguments.given_options(context)
    idle = sorted(f"--{name}" for name in given & {"viewer", "sequence", "frames", "pick", "video"})
    if idle:
        raise click.UsageError(f"{', '.join(idle)}: expected with temporal heatmaps only; this store has {sheet.of}")
    out = options["out"]
    if out is None:
        raise click.UsageError("--out: expected a file that ends in .png, found none")
    count = write_sheet(sheet, path, out, options["count"], options["seed"], options["overwrite"])
    if as_json:
        console.print_json({"out": str(out), "bytes": out.stat().st_size, sheet.unit: count})
    else:
        console.print_table([("preview", out), (sheet.unit, f"{count:,}"), ("size", f"{out.stat().st_size:,} bytes")])
