"""`posetrain predict`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from posedata import arguments, console
from posetrain.commands.options import device_option


@click.command()
@click.argument("run", metavar="default|RUN|FILE")
@click.argument("given", metavar="INPUT", type=arguments.STORE)
@click.option(
    "--out",
    type=arguments.FOLDER,
    required=True,
    metavar="FILE",
    help=".csv, .json (COCO), .npz, .nc; from MediaPipe, .json and .jsonl are MediaPipe's.",
)
@click.option("--sequence", "sequences", multiple=True, metavar="NAME", help="Of a store; may be repeated.")
@click.option("--film", type=arguments.FOLDER, metavar="FILE", help="Make an .mp4 of the result, too.")
@click.option(
    "--video",
    type=arguments.FOLDER,
    metavar="FILE|DIR",
    help="What --film is drawn over.  [default: a ground as large as the people]",
)
@click.option(
    "--delay",
    type=click.IntRange(0),
    metavar="FRAMES",
    help="Answer each frame by what is known so many frames later, as online.  [default: by all frames]",
)
@click.option("--heatmaps", is_flag=True, help="Heatmaps of one person, as a detector's .npz has them, and no points.")
@device_option
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@arguments.output_options
def predict(
    run: str,
    given: Path | str,
    out: Path,
    sequences: tuple[str, ...],
    film: Path | None,
    video: Path | None,
    delay: int | None,
    heatmaps: bool,
    device: str,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Refine a detector's keypoints with a model: the `default` of the package, a RUN, or a FILE of `posetrain export`.

    INPUT: a store; an .npz of a detector's boxes and heatmaps; keypoints as .json (COCO, or results of COCO, AlphaPose,
    MMPose), .csv, .nc (movement) or .npz, whose joints a keypoints.json beside it names where they are not COCO's;
    MediaPipe's results as .json or .jsonl, with the width and height of the image in that file; a folder of OpenPose's.

    Keypoints come out in pixels of the image. People who are told apart are refined one by one. A file of the input's
    own kind keeps all but the points. A film shows refined skeletons, and what was given as dots; frames are counted
    from the video's first, 0.

    \b
    Examples:
      posetrain predict default detected/video01.json --out refined.json --film refined.mp4
      posetrain predict default detected/video01.json --out online.csv --delay 4
      posetrain predict conv3d-brace-k1-random brace-k1-random --out refined.npz
      posetrain predict default data/raw/climbalong/input/climb_01.npz --out heatmaps.npz --heatmaps
    """
    from posetrain.devices import enough_memory, pick_device
    from posetrain.predict.predicting import predict as refine

    if video is not None and film is None:
        raise click.UsageError("--video goes with --film")
    progress, picked = console.progress(quiet), pick_device(device)
    with enough_memory(picked):
        report = refine(run, given, out, picked, sequences, overwrite, progress, film, video, delay, heatmaps)
    for warning in report["warnings"]:
        console.remark(f"warning: {warning}", quiet)
    if as_json:
        console.print_json(report)
        return
    console.print_table(
        [
            ("refined", out),
            *([("film", film)] if film else []),
            ("model", f"{report['model']}, epoch {report['epoch']}"),
            ("frames", f"{report['frames']:,} of {report['sequences']:,} sequences"),
            ("keypoints", f"{report['keypoints']:,}, {report['missing']:,} missing, {report['lost']:,} lost"),
            *([("delay", _delay(report))] if delay is not None else []),
            ("speed", f"{report['frames_per_second']:,} frames a second"),
        ]
    )


def _delay(report: Mapping[str, Any]) -> str:
    time = "" if report["latency_ms"] is None else f", {report['latency_ms']:g} ms"
    return f"{report['delay']} frames{time}"
