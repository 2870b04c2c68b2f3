"""`posedata build` where the dataset gives image crops."""

from collections.abc import Mapping
from typing import Any

import click

from posedata import console
from posedata.commands.summary import print_report


def build_crop_store(
    context: click.Context, options: Mapping[str, Any], show_config: bool, as_json: bool, quiet: bool
) -> None:
    """Build a store of crops from the options of `posedata build`, or show them."""
    from posedata import request
    from posedata.crops.build import build_crops, foresee_crops
    from posedata.crops.request import OPTIONS, crop_recipe, crop_request, resolved_options

    recipe = crop_recipe(options["datasets"], seed=options["seed"], **{name: options[name] for name in OPTIONS})
    if show_config:
        console.print_config(context, resolved_options(recipe), as_json)
        return
    wanted = crop_request(recipe, options["raws"], options["out"])
    build = foresee_crops if options["dry_run"] else build_crops
    report = build(
        *wanted,
        workers=request.threads(options["workers"], None),
        skip_bad=options["skip_bad"],
        overwrite=options["overwrite"],
        progress=console.progress(quiet),
    )
    print_report(report, as_json, quiet)
