"""The command `posedata`."""

import click

from posedata import __version__, ending
from posedata.commands.build import build
from posedata.commands.calibrate import calibrate
from posedata.commands.derive import merge, subset
from posedata.commands.fetch import fetch
from posedata.commands.inspect import info, verify
from posedata.commands.preview import preview
from posedata.commands.sample import sample
from posedata.commands.share import list_datasets, manifest, pull, push, status
from posedata.commands.stats import stats
from posedata.commands.validate import validate


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="posedata")
def cli() -> None:
    """Turn raw pose annotations into checksummed Zarr stores of 25 x 56 x 56 heatmaps.

    Raw data lies in $POSEDATA_HOME/raw/NAME, stores go to $POSEDATA_HOME/stores; the home is ./data unless set.
    Any command takes --debug, which shows the traceback of an error.

    \b
    Try it without any data:
      posedata sample brace
      posedata build --dataset brace
      posedata info data/stores/brace-k1-random.zarr
    """


for _command in (
    sample,
    build,
    info,
    verify,
    fetch,
    calibrate,
    preview,
    stats,
    validate,
    subset,
    merge,
    push,
    pull,
    list_datasets,
    status,
    manifest,
):
    cli.add_command(_command)


def main() -> None:
    """Run the command."""
    ending.run(cli, "posedata")
