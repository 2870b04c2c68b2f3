"""`posedata subset` and `merge`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from posedata import arguments, console
from posedata.commands.summary import print_report

if TYPE_CHECKING:
    from posedata.derive.contents import Derivation

_OUT = click.option("--out", type=arguments.NEW_STORE, metavar="NEW", required=True, help="Where the new store goes.")
_WORKERS = click.option("--workers", type=click.IntRange(1, 256), help="Threads.  [default: one a core]")
_OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace a store that is there.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Read and count, write nothing.")


@click.command()
@click.argument("store", type=arguments.STORE)
@click.option("--dataset", "datasets", multiple=True, help="Only sequences of this dataset.")
@click.option("--action", "actions", multiple=True, help="Only sequences of this action, spelt as in the store.")
@click.option("--sequence", "sequences", multiple=True, metavar="NAME", help="Only this one: NAME or DATASET/NAME.")
@click.option("--video", "videos", multiple=True, help="Only sequences of this video: VIDEO or DATASET/VIDEO.")
@click.option("--split", "splits", multiple=True, help="Only sequences that are in this split and in no other.")
@click.option("--exclude", multiple=True, metavar="NAME", help="Not this sequence, or those of this video.")
@_OUT
@_WORKERS
@_OVERWRITE
@_DRY_RUN
@arguments.output_options
def subset(
    store: Path | str,
    out: Path,
    workers: int | None,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    **kept: tuple[str, ...],
) -> None:
    """Make a store of some sequences of STORE.

    Every option may be repeated: a sequence is kept if it fits one value of each option given, and none of --exclude.
    Sequences are kept whole, with their noise and their split. What is left out is listed, also in the manifest.

    \b
    Examples:
      posedata subset brace-k1-random --action toprock --out toprock.zarr
      posedata subset brace-k1-random --exclude VIDEO --out without.zarr
      posedata subset both.zarr --dataset penn_action --split test --out test.zarr --dry-run
    """
    from posedata.derive.recipe import Kept
    from posedata.derive.stores import subset as derive
    from posedata.home import find_store

    chosen = Kept(**{name: tuple(sorted(set(values))) for name, values in kept.items()})
    _make(derive(find_store(store), chosen), out, workers, overwrite, dry_run, as_json, quiet)


@click.command()
@click.argument("stores", type=arguments.STORE, nargs=-1, required=True, metavar="STORE STORE...")
@_OUT
@_WORKERS
@_OVERWRITE
@_DRY_RUN
@arguments.output_options
def merge(stores: tuple[Path | str, ...], as_json: bool, quiet: bool, **options: Any) -> None:
    """Make one store of several.

    They must have the same kind of input, and no sequence in common. Noise and splits stay what they are in each.

    \b
    Example:
      posedata merge brace-k1-random penn_action-k1-random --out both.zarr
    """
    from posedata.derive.stores import merge as derive
    from posedata.home import find_store

    _make(derive([find_store(store) for store in stores]), as_json=as_json, quiet=quiet, **options)


def _make(
    derivation: "Derivation",
    out: Path,
    workers: int | None,
    overwrite: bool,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    from posedata.derive import stores
    from posedata.request import threads

    show = console.progress(quiet)
    if dry_run:
        report = stores.dry_run(derivation, out, overwrite=overwrite, progress=show)
    else:
        report = stores.make_store(derivation, out, workers=threads(workers, None), overwrite=overwrite, progress=show)
    print_report(report, as_json, quiet)
