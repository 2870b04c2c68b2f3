"""`posetrain runs`."""

from pathlib import Path

import click

from posedata import arguments, console


@click.command()
@click.argument("given", metavar="[RUN]...", type=arguments.FOLDER, nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def runs(given: tuple[Path, ...], as_json: bool) -> None:
    """List runs and compare them: how far they are, figures of the best epoch, and the settings that differ.

    RUN is a run, or a folder of runs such as a sweep's; with none, all of the data home.

    \b
    Examples:
      posetrain runs
      posetrain runs sweep
      posetrain runs conv3d-brace-k1-random conv3d-brace-k2-random --json
    """
    from posetrain.find import find_runs
    from posetrain.listing import comparison, run_state

    states = [run_state(path) for path in find_runs(given)]
    if as_json:
        console.print_json({"runs": [state.as_dict() for state in states]})
        return
    console.print_table(comparison(states))
    for state in states:
        if state.problem:
            console.remark(f"{state.run.name}: {state.problem}", quiet=False)
