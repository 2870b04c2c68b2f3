"""`posedata sample`."""

from pathlib import Path

import click

from posedata import arguments, console


@click.command()
@click.argument("name", type=arguments.SAMPLE)
@click.option(
    "--sequences",
    type=click.IntRange(1, 100_000),
    default=12,
    show_default=True,
    help="Of coco: photographs; of human36m: clips; of film: films.",
)
@click.option(
    "--frames",
    type=click.IntRange(5, 100_000),
    default=120,
    show_default=True,
    help="In each, half as many again in the first of climbalong and film; coco has none, a clip of human36m 8.",
)
@click.option("--segments", type=arguments.FOLDER, help="For brace: fill the segments of this segments.csv instead.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--out", type=arguments.FOLDER, help="An empty folder.  [default: $POSEDATA_HOME/raw/NAME]")
@arguments.output_options
def sample(
    name: str,
    sequences: int,
    frames: int,
    segments: Path | None,
    seed: int,
    out: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write a small synthetic raw tree in NAME's real layout.

    Moving people, of coco people on photographs, of human36m on clips, with the gaps, missing joints and other quirks
    of the real files. film is no dataset, but films, boxes and true keypoints to try `posetrain detect` on. All is
    marked synthetic, and so is every store made from it.

    \b
    Examples:
      posedata sample brace
      posedata sample climbalong --sequences 4 --frames 60 --out /tmp/climbs
      posedata sample coco --sequences 40
      posedata sample human36m --sequences 32
      posedata sample film --sequences 3 --frames 40 --out film
    """
    from posedata.home import data_home
    from posedata.samples import write_sample

    root = out or data_home() / "raw" / name
    write_sample(name, root, sequences, frames, seed, segments, console.progress(quiet, lasting=False))
    files = sum(path.is_file() for path in root.rglob("*"))
    if as_json:
        console.print_json({"dataset": name, "path": str(root), "files": files, "synthetic": True, "seed": seed})
    else:
        console.remark(f"wrote {files} synthetic files; next: {_next(name, root)}", quiet)
        console.print_table([(root,)])


def _next(name: str, root: Path) -> str:
    """The command that goes on from here."""
    if name == arguments.FILM:
        return f"posetrain detect RUN {root}/film_01.mp4 --boxes {root}/boxes/film_01.csv --out {root}"
    return f"posedata build --dataset {name} --raw {root}"
