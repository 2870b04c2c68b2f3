"""`posedata build` and `preview` where they are about image crops."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from posedata import arguments, console
from posedata.commands.summary import print_report


def build_crop_store(
    context: click.Context, options: Mapping[str, Any], show_config: bool, as_json: bool, quiet: bool
) -> None:
    """Build a store of crops from the options of `posedata build`, or show them."""
    from posedata import request
    from posedata.crops.build import build_crops
    from posedata.crops.request import OPTIONS, crop_recipe, crop_request, resolved_options

    recipe = crop_recipe(options["datasets"], seed=options["seed"], **{name: options[name] for name in OPTIONS})
    if show_config:
        console.print_config(context, resolved_options(recipe), as_json)
        return
    wanted = crop_request(recipe, options["raws"], options["out"])
    report = build_crops(
        *wanted,
        workers=request.threads(options["workers"], None),
        skip_bad=options["skip_bad"],
        overwrite=options["overwrite"],
        dry_run=options["dry_run"],
        progress=console.progress(quiet),
    )
    print_report(report, as_json, quiet)


def shows_crops(path: Path) -> bool:
    """Whether a store is one of crops."""
    from posedata.crops.schema import KIND
    from posedata.errors import IntegrityError
    from posedata.manifest import read_manifest

    try:
        return read_manifest(path).kind == KIND
    except IntegrityError:
        return False  # whoever opens it will say what it lacks


def write_crop_sheet(context: click.Context, path: Path, as_json: bool) -> None:
    """Draw a sheet of crops from the options of `posedata preview`."""
    from posedata.crops.sheet import write_sheet

    options, given = context.params, arguments.given_options(context)
    idle = sorted(f"--{name}" for name in given & {"viewer", "sequence", "frames", "pick", "video"})
    if idle:
        raise click.UsageError(f"{', '.join(idle)}: expected with temporal heatmaps only; this store has image crops")
    out = options["out"]
    if out is None:
        raise click.UsageError("--out: expected a file that ends in .png, found none")
    count = write_sheet(path, out, options["count"], options["seed"], options["overwrite"])
    if as_json:
        console.print_json({"out": str(out), "bytes": out.stat().st_size, "crops": count})
    else:
        console.print_table([("preview", out), ("crops", f"{count:,}"), ("size", f"{out.stat().st_size:,} bytes")])
