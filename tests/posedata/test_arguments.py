"""What users type: options that commands share. Parameters of our own are tested with the commands that have them."""

import click
import pytest

from posedata import arguments


def test_output_options_reach_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    seen = []

    @click.command()
    @arguments.output_options
    def command(as_json: bool, quiet: bool) -> None:
        seen.append((as_json, quiet))

    for typed in ([], ["--json"], ["--quiet"], ["-q", "--json"]):
        command.main(typed, standalone_mode=False)
    assert seen == [(False, False), (True, False), (False, True), (True, True)]
    assert capsys.readouterr() == ("", "")
