"""`posetrain explain`."""

from pathlib import Path

import click

from posedata import arguments, console
from posetrain.commands.options import device_option


@click.command()
@click.argument("run", metavar="RUN", type=arguments.FOLDER)
@click.option("--out", type=arguments.FOLDER, required=True, metavar="FILE", help="NAME.html")
@click.option("--store", type=arguments.STORE, help="Crops to show it.  [default: those it was trained on]")
@click.option("--split", default="train", show_default=True, help="train, validation or test.")
@click.option("--samples", type=click.IntRange(1), default=10_000, show_default=True, help="Crops at most.")
@click.option(
    "--seed", type=click.IntRange(0, 1 << 31), default=0, show_default=True, help="Of their choice and the clusters."
)
@click.option("--overwrite", is_flag=True, help="Replace a file that is there.")
@device_option
@arguments.output_options
def explain(
    run: Path,
    out: Path,
    store: Path | None,
    split: str,
    samples: int,
    seed: int,
    overwrite: bool,
    device: str,
    as_json: bool,
    quiet: bool,
) -> None:
    """What a detector has learned: one page about the RUN of an hourglass.

    PCK with and without skip connections; principal components of the latent space and walks along them; clusters.
    By default of the crops that it was trained on, for it is they that it has learned from.

    \b
    Examples:
      posetrain explain hourglass-coco --out explain.html
      posetrain explain hourglass-coco --split validation --samples 2000 --out unseen.html --json
    """
    from posetrain.devices import enough_memory, pick_device
    from posetrain.explain.explaining import explain as write

    picked = pick_device(device)
    with enough_memory(picked, "try fewer --samples"):
        figures = write(
            run,
            out,
            store=store,
            split=split,
            most=samples,
            seed=seed,
            overwrite=overwrite,
            device=picked,
            progress=console.progress(quiet),
        )
    if as_json:
        console.print_json({"out": str(out), **figures})
        return
    console.print_table(
        [
            ("page", out),
            ("crops", f"{figures['samples']:,} of {split}, {figures['complete']:,} with all keypoints"),
            *((f"PCK {name}", f"{row[0]:.1f} %") for name, row in figures["pck"].items() if row[0] is not None),
            *((f"95 % of {name}", f"{needed} components") for name, needed in figures["needed"].items()),
            *((f"clusters of {g['name']}", f"K = {len(g['sizes'])}") for g in figures["clusters"]),
        ]
    )
