"""`posedata build`."""

import math
from collections.abc import Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from posedata import arguments, console
from posedata.commands.families import build_of_family
from posedata.commands.summary import print_report

if TYPE_CHECKING:
    from posedata.dataset import Dataset
    from posedata.family import Family
    from posedata.progress import Progress


class _SigmaSet(click.ParamType[tuple[float, ...]]):
    """`random`, `fixed` or numbers with commas."""

    name = "random|fixed|1,2,3"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        from posedata.config import SIGMA_SETS

        if value in SIGMA_SETS:
            return SIGMA_SETS[value]
        try:
            numbers = tuple(sorted(float(n) for n in str(value).split(",")))
        except ValueError:
            numbers = (math.nan,)
        if not all(math.isfinite(n) for n in numbers):
            self.fail(f"{value!r}: expected random, fixed or numbers like 1,1.5,2", param, ctx)
        return numbers


@click.command()
@click.option("--dataset", "datasets", type=arguments.ANY_DATASET, multiple=True, help="Repeat to join several.")
@click.option(
    "--recipe", metavar="MANIFEST", help="In place of options: rebuild the dataset of this manifest, and compare."
)
@click.option("--raw", "raws", multiple=True, metavar="DIR|NAME=DIR", help="[default: $POSEDATA_HOME/raw/NAME]")
@click.option(
    "--out", type=arguments.NEW_STORE, metavar="STORE", help="[default: $POSEDATA_HOME/stores/DATASET-kK-SIGMA.zarr]"
)
@click.option("--k", type=float, default=1.0, show_default=True, help="Shifting scalar: how far keypoints are shifted.")
@click.option(
    "--sigma-set",
    "sigmas",
    type=_SigmaSet(),
    metavar="SET",
    default="random",
    show_default=True,
    help="Smear of the input: random (one of 1, 1.5, 2, 2.5, 3 cells), fixed (1), or numbers like 1,2,4.",
)
@click.option(
    "--sigma-per",
    type=click.Choice(["frame", "keypoint", "sequence"]),
    default="frame",
    show_default=True,
    help="What shares one drawn sigma.",
)
@click.option("--noise", type=arguments.FOLDER, metavar="FILE", help="k and sigmas as `posedata calibrate` found them.")
@click.option("--actions", metavar="A,B", help="Only these actions, spelt as in the files.  [default: all]")
@click.option("--torso", type=float, help="Mean torso diameter in grid px.  [default: measured]")
@click.option(
    "--split",
    type=click.Choice(["video", "official", "held-out", "train"]),
    help="60/20/20 by video; the authors' own; the longest video held out; or all for training, to be merged with a "
    "store that has the rest.  [default: video; climbalong: held-out]",
)
@click.option(
    "--split-span",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Frames spanned by the windows that held-out deals; 9 fits 5 frames at half the rate.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of noise and split.")
@click.option("--fps", type=float, help="Resample to this many frames a second.  [default: as they are]")
@click.option(
    "--box-span",
    type=click.Choice(["frame", "sequence"]),
    default="frame",
    show_default=True,
    help="What one box is around: the keypoints of a frame, or of a sequence as far as no shot ends.",
)
@click.option(
    "--box-jitter",
    type=float,
    metavar="SHARE",
    default=0.0,
    show_default=True,
    help="Move and scale every box at random, by SHARE of its side (0 to 0.5), as a detector's boxes are off.",
)
@click.option("--sigma-visible", type=float, help="For coco: smear of seen keypoints, in cells.  [default: 0.5]")
@click.option("--sigma-occluded", type=float, help="For coco: of hidden ones.  [default: 1]")
@click.option("--workers", type=click.IntRange(1, 256), help="Threads.  [default: one a core]")
@click.option("--scheduler", metavar="URL", help="Encode on a dask cluster, like tcp://host:8786.")
@click.option("--skip-bad", is_flag=True, help="Go on after a bad file, and list it.")
@click.option("--overwrite", is_flag=True, help="Replace a store that is there.")
@click.option("--dry-run", is_flag=True, help="Read and check everything, write nothing.")
@arguments.config_options("sigmas", "actions")
@arguments.output_options
@click.pass_context
def build(ctx: click.Context, /, show_config: bool, as_json: bool, quiet: bool, **options: Any) -> None:
    """Build a store from raw annotations: temporal heatmaps.

    From coco, image crops of people with their keypoints; from human36m, video clips with joints in three dimensions.

    \b
    Examples:
      posedata build --dataset brace --k 2 --sigma-set random
      posedata build --dataset penn_action --actions baseball_pitch,bench_press --out penn.zarr
      posedata build --dataset brace --dataset penn_action --dry-run --json
      posedata build --dataset brace --dataset speed21 --fps 25
      posedata build --dataset brace --scheduler tcp://host:8786
      posedata build --dataset brace --noise noise.json
      posedata build --dataset brace --box-jitter 0.05
      posedata build --dataset coco --sigma-visible 1 --sigma-occluded 0.5 --out coco.zarr
      posedata build --dataset human36m --raw data/raw/human36m
      posedata build --recipe data_manifests/brace-k2-random.json
      posedata build --config build.yaml --seed 1
    """
    from posedata import request
    from posedata.dataset import compare_rebuilt
    from posedata.familyrequest import family_of, find_family
    from posedata.store.opened import open_any

    given = arguments.given_options(ctx)
    family = find_family(options["datasets"], given)
    if show_config:
        console.print_config(ctx, _resolved(family, given, options), as_json)
        return
    expected = request.find_recipe(options["recipe"], given) if options["recipe"] else None
    if expected:
        family = family_of(expected, given)
    show = console.progress(quiet)
    if family:
        out, report = build_of_family(family, expected, options, show)
    else:
        out, report = _build_of_heatmaps(expected, given, options, show)
    if expected is None or options["dry_run"]:
        print_report(report, as_json, quiet)
        return
    differing = compare_rebuilt(open_any(out), expected)
    print_report(report | {"compared": differing is not None, "differences": differing}, as_json, quiet)
    for line in differing or ():
        console.remark(f"error: {out}: {line}", quiet=False)
    console.remark(f"content digest: {_compared(differing)}", quiet)
    ctx.exit(4 if differing else 0)


def _compared(differing: list[str] | None) -> str:
    if differing is None:
        return "nothing to compare it with: the manifest is of a dataset that was not built"
    return "differs" if differing else "as the manifest says"


def _resolved(family: "Family | None", given: Set[str], options: Mapping[str, Any]) -> dict[str, Any]:
    """What the options come to."""
    from posedata import familyrequest, request

    if family:
        return familyrequest.resolved_options(familyrequest.family_recipe(family, options["datasets"], options))
    request.threads(options["workers"], options["scheduler"])  # refuses both
    chosen = {name: options[name] for name in request.RECIPE_OPTIONS}
    return request.resolved_options(given, options["recipe"], **chosen)


def _build_of_heatmaps(
    expected: "Dataset | None", given: Set[str], options: Mapping[str, Any], progress: "Progress"
) -> tuple[Path, dict[str, Any]]:
    """Build temporal heatmaps, or tell what they would be; returns where, and the report."""
    from posedata import request
    from posedata.build import build_store, dry_run

    chosen = {name: options[name] for name in request.RECIPE_OPTIONS}
    threads = request.threads(options["workers"], options["scheduler"])
    if expected:
        wanted = request.rebuild_request(expected, options["raws"], options["out"])
    else:
        wanted = request.build_request(given=given, raws=options["raws"], out=options["out"], **chosen)
    how = {name: options[name] for name in ("scheduler", "skip_bad", "overwrite")}
    if options["dry_run"]:
        return wanted.out, dry_run(*wanted, **how, progress=progress)
    return wanted.out, build_store(*wanted, workers=threads, **how, progress=progress)
