"""`posetrain detect`."""

from pathlib import Path

import click

from posedata import arguments, console
from posetrain.commands.options import device_option


@click.command()
@click.argument("run", metavar="RUN", type=arguments.FOLDER)
@click.argument("film", metavar="FILM|DIR", type=arguments.FOLDER)
@click.option("--out", type=arguments.FOLDER, required=True, metavar="DIR", help="Files go to DIR/input.")
@click.option("--boxes", type=arguments.FOLDER, metavar="FILE", help="Where people are: .csv, or .json (COCO).")
@click.option("--people", type=arguments.FOLDER, metavar="DIR", help="A detector of people, as transformers saves it.")
@click.option(
    "--people-score",
    type=click.FloatRange(0, 1),
    default=0.7,
    show_default=True,
    help="Of a person whom --people finds, at least.",
)
@click.option("--batch-size", type=click.IntRange(1), default=8, show_default=True, help="Frames, then crops, at once.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there.")
@device_option
@arguments.output_options
@click.pass_context
def detect(
    ctx: click.Context,
    /,
    run: Path,
    film: Path,
    out: Path,
    boxes: Path | None,
    people: Path | None,
    people_score: float,
    batch_size: int,
    overwrite: bool,
    device: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run a trained detector over a film: heatmaps of people, for `predict` and `build --dataset climbalong`.

    RUN is of an hourglass. FILM is a film, or a folder of pictures whose names end in their numbers. Where people are
    says --boxes, with the columns frame, x, y, width, height in pixels, and person where there are several; or --people
    finds them. A file each comes out, with a box and 25 heatmaps for every frame of the film.

    \b
    Examples:
      posetrain detect hourglass-coco film/film_01.mp4 --boxes film/boxes/film_01.csv --out film
      posetrain detect hourglass-coco climb.mp4 --people yolos-tiny --out climbs
    """
    from posetrain.detect.detecting import Who
    from posetrain.detect.detecting import detect as run_over
    from posetrain.devices import enough_memory, pick_device

    if (boxes is None) == (people is None):
        raise click.UsageError("expected one of --boxes and --people")
    if boxes is not None and "people_score" in arguments.given_options(ctx):
        raise click.UsageError("--people-score goes with --people")
    who, picked = Who(boxes, people, people_score), pick_device(device)
    with enough_memory(picked, "try a smaller --batch-size"):
        report = run_over(run, film, out, who, picked, batch_size, overwrite, console.progress(quiet))
    for warning in report["warnings"]:
        console.remark(f"warning: {warning}", quiet)
    if as_json:
        console.print_json(report)
        return
    console.print_table(
        [
            *((f"{each['file']}", _frames(each)) for each in report["people"]),
            *((path, "the boxes") for path in report["boxes"]),
            ("model", f"{report['model']}, epoch {report['epoch']}"),
            ("speed", f"{report['crops_per_second']:,} crops a second"),
        ]
    )


def _frames(told: dict[str, int]) -> str:
    """How many have a box."""
    filled = f", {told['frames_filled']:,} of them between two that were given" if told["frames_filled"] else ""
    without = f"; {told['frames_without_box']:,} without" if told["frames_without_box"] else ""
    return f"{told['frames']:,} frames with a box{filled}{without}"
