"""`posedata calibrate`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from posedata import arguments, console

_SPLITS = ("all", "train", "validation", "test", "held_out")


@click.command()
@click.argument("given", metavar="STORE|RAW", type=arguments.STORE)
@click.option(
    "--split", type=click.Choice(_SPLITS), default="all", show_default=True, help="Of a store: only its frames."
)
@click.option("--out", type=arguments.FOLDER, metavar="FILE", help="Noise file to make, for build --noise.")
@click.option("--plot", type=arguments.FOLDER, metavar="FILE", help="Picture to make: .png or .svg.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@arguments.output_options
def calibrate(
    given: Path | str,
    split: str,
    out: Path | None,
    plot: Path | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure a detector's noise against its annotations: k, sigma set, outliers, swaps.

    STORE has a detector's heatmaps; RAW is a tree that such a store is built from. Of a store with rendered noise, what
    its recipe says is found again.

    \b
    Examples:
      posedata calibrate data/raw/climbalong
      posedata calibrate climbalong-detector --split train --out noise.json --plot noise.svg
      posedata build --dataset brace --noise noise.json
    """
    from posedata.calibrate.write import write_calibration

    report = write_calibration(given, split, out, plot, overwrite, console.progress(quiet))
    if as_json:
        console.print_json(report)
        return
    console.print_table(list(_rows(report)))
    console.print_table([("joint", "keypoints", "k", "outliers", "swaps", "sigma"), *_joints(report["per_joint"])])
    console.remark("next: posedata build --noise " + (report["noise_file"] or "FILE, which --out makes"), quiet)


def _rows(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    sigmas, (x, y) = ", ".join(f"{sigma:g}" for sigma in report["sigmas"]), report["offset"]
    left_out = (
        f"{report['zero_heatmaps']:,} of all-zero heatmaps and {report['near_border']:,} near the border left out"
    )
    yield "source", report["source"] + (" (synthetic)" if report["synthetic"] else "")
    yield "frames", f"{report['frames']:,}"
    yield "keypoints", f"{report['keypoints']:,} measured; {left_out}"
    yield "mean torso", f"{report['mean_torso_diameter']:.4f} grid px"
    yield "k", f"{report['k']:g}: shift std {report['shift_std']:.4f} grid px"
    yield "offset", f"x {x:.3f}, y {y:.3f} grid px"
    yield "outliers", _percent(report["outlier_rate"])
    swaps = _percent(report["swap_rate"])
    yield "swaps", "too few keypoints with a partner to tell" if swaps == "-" else f"{swaps} of those with a partner"
    yield "sigma", f"{sigmas} a {report['sigma_per']}; misfit {report['sigma_misfit']:.3f} cells"
    yield from ((name.replace("_", " "), report[name]) for name in ("noise_file", "plot") if report[name])


def _joints(joints: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    for name, joint in joints.items():
        rates = (_percent(joint[f"{kind}_rate"]) for kind in ("outlier", "swap"))
        yield name, f"{joint['keypoints']:,}", _or_none(joint["k"]), *rates, _or_none(joint["sigma"])


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"


def _or_none(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
