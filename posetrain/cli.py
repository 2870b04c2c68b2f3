"""The command `posetrain`."""

import click

from posedata import __version__, ending
from posetrain.commands.detect import detect
from posetrain.commands.evaluate import evaluate
from posetrain.commands.explain import explain
from posetrain.commands.export import export
from posetrain.commands.predict import predict
from posetrain.commands.report import report
from posetrain.commands.run import run
from posetrain.commands.runs import runs
from posetrain.commands.share import list_runs, pull, push
from posetrain.commands.sweep import sweep


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="posetrain")
def cli() -> None:
    """Train and score temporal refiners on posedata stores.

    Stores lie in $POSEDATA_HOME/stores, runs go to $POSEDATA_HOME/runs; the home is ./data unless set. Any command
    takes --debug, which shows the traceback of an error.

    \b
    Try it without any data:
      posedata sample brace
      posedata build --dataset brace
      posetrain run --epochs 2
      posetrain eval identity
    """


for _command in (run, evaluate, detect, predict, export, sweep, runs, report, explain, push, pull, list_runs):
    cli.add_command(_command)


def main() -> None:
    """Run the command."""
    ending.run(cli, "posetrain")
