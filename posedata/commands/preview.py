"""`posedata preview`."""

import re
from pathlib import Path
from typing import Any

import click

from posedata import arguments, console
from posedata.commands.families import sheet_of, write_sheet_of

_PICKS = ("random", "noisiest", "most-missing")
_MANY, _ONE = ("pick", "seed"), ("frames",)


class _FrameRange(click.ParamType[tuple[int | None, int | None]]):
    """`A:B`, either of which may be left out."""

    name = "A:B"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int | None, int | None]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{0,18}):(\d{0,18})", str(value), re.ASCII)
        if found is None:
            self.fail(f"{value!r}: expected two numbers like 10:60, 10: or :60", param, ctx)
        first, end = (int(number) if number else None for number in found.groups())
        return first, end


@click.command()
@click.argument("store", type=arguments.STORE)
@click.option("--out", type=arguments.FOLDER, metavar="FILE", help=".png, .gif, .mp4, .html, .rrd")
@click.option("--viewer", type=click.Choice(["rerun"]), help="Show the frames there, instead of --out.")
@click.option("--sequence", metavar="NAME", help="dataset/name, or name.  [default: one frame each of many]")
@click.option("--frames", type=_FrameRange(), help="Of the sequence: numbers in the source, from A, below B.")
@click.option(
    "--pick",
    type=click.Choice(_PICKS),
    default="random",
    show_default=True,
    help="Which sequences, where none is named.",
)
@click.option(
    "--count",
    type=click.IntRange(1, 200),
    default=12,
    show_default=True,
    help="Sequences; or frames of one sequence on a .png.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the random pick.")
@click.option("--video", type=arguments.FOLDER, metavar="FILE|DIR", help="Draw over this film; DIR: one a video.")
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@arguments.output_options
@click.pass_context
def preview(
    ctx: click.Context,
    /,
    store: Path | str,
    out: Path | None,
    viewer: str | None,
    video: Path | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Pictures of a STORE: target and input skeletons over their heatmaps, or over the film they were annotated on.

    A .png is a sheet of frames, a .gif or .mp4 a film, an .html a page with a slider that needs nothing beside it, an
    .rrd a recording for the Rerun viewer, which --viewer rerun opens at once. Of image crops and video clips there
    is a sheet alone.

    \b
    Examples:
      posedata preview data/stores/brace-k1-random.zarr --out sheet.png
      posedata preview data/stores/brace-k1-random.zarr --pick noisiest --count 6 --out noisy.html
      posedata preview penn.zarr --sequence penn_action/0001 --frames 10:60 --out throw.mp4
      posedata preview climbs.zarr --video films/ --out climbs.png
      posedata preview penn.zarr --sequence penn_action/0001 --out throw.rrd
    """
    from posedata.home import find_store
    from posedata.preview.choose import Wanted
    from posedata.preview.write import show_preview, write_preview

    path = find_store(store)
    if sheet := sheet_of(path):
        write_sheet_of(ctx, path, sheet, as_json)
        return
    _refuse_idle(arguments.given_options(ctx), options["sequence"] is not None, out)
    first, end = options.pop("frames") or (None, None)
    wanted = Wanted(first=first, end=end, **options)
    progress = console.progress(quiet)
    if out is None:
        shown = show_preview(path, wanted, progress, video)
        made: dict[str, Any] = {"viewer": viewer}
    else:
        shown = write_preview(path, out, wanted, overwrite, progress, video)
        made = {"out": str(out), "bytes": out.stat().st_size}
    if as_json:
        console.print_json(made | {"frames": shown.frames, "sequences": shown.sequences})
    else:
        size = [("size", f"{made['bytes']:,} bytes")] if out else []
        rows = [("preview", out or viewer), ("frames", f"{shown.frames:,}"), ("sequences", ", ".join(shown.sequences))]
        console.print_table([*rows, *size])


def _refuse_idle(given: set[str], one: bool, out: Path | None) -> None:
    """An option that would do nothing is a mistake."""
    if ("out" in given) == ("viewer" in given):
        raise click.UsageError("--out FILE or --viewer rerun: expected one of them")
    if "overwrite" in given and out is None:
        raise click.UsageError("--overwrite goes with --out")
    idle = [name for name in (_MANY if one else _ONE) if name in given]
    if idle:
        raise click.UsageError(f"--{idle[0]} goes {'without' if one else 'with'} --sequence")
    if one and "count" in given and (out is None or out.suffix.lower() != ".png"):
        raise click.UsageError("--count: a film or page of one sequence has all its frames; choose some with --frames")
