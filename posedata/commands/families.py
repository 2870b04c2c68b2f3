"""`posedata build` and `preview` where they are about other stores than those of temporal heatmaps."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from posedata import arguments, console

if TYPE_CHECKING:
    from posedata.dataset import Dataset
    from posedata.family import Family
    from posedata.progress import Progress
    from posedata.shown import Sheet


def build_of_family(
    family: "Family", expected: "Dataset | None", options: Mapping[str, Any], progress: "Progress"
) -> tuple[Path, dict[str, Any]]:
    """Build a store of a family, or tell what it would be; returns where, and the report.

    Args:
        family: of the dataset.
        expected: what is to be rebuilt; None = what the options say.
        options: those of `posedata build`.
        progress: told of every step.
    """
    from posedata import request
    from posedata.dataset import buildable
    from posedata.familyrequest import family_recipe, family_request

    if expected:
        recipe = buildable(expected, expected.name, family.recipe)
    else:
        recipe = family_recipe(family, options["datasets"], options)
    wanted = family_request(recipe, options["raws"], options["out"], expected)
    threads = request.threads(options["workers"], None)
    how = {name: options[name] for name in ("skip_bad", "overwrite", "dry_run")}
    return wanted.out, family.build(*wanted, workers=threads, **how, progress=progress)


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
