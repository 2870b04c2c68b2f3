"""Secrets planted in addresses, in the environment and in errors: none is ever seen again."""

import sys
from pathlib import Path

from harness import Bench, Outcome, posedata, posetrain, run

SECRET = "pl4nted-s3cret"

ADDRESSES = (
    f"s3://user:{SECRET}@bucket/store.zarr",
    f"https://{SECRET}@host.example/store.zarr",
    f"https://host.example/store.zarr?X-Amz-Signature={SECRET}",
    f"https://host.example/store.zarr?token={SECRET}&part=1",
    f"s3:/user:{SECRET}@bucket/store.zarr",
    f"https://user:p@{SECRET}@host.example/store.zarr",
    f"s3://user:a/{SECRET}'x@bucket/store.zarr",
)
VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "HF_TOKEN", "MY_PASSWORD", "SERVICE_API_KEY")


def planted(bench: Bench, work: Path) -> Outcome:
    """Commands that meet a secret, with and without --debug; all that they print and keep is searched."""
    outcome = Outcome("planted secrets")
    for address in ADDRESSES:
        for command in (
            [posedata(), "info", address],
            [posedata(), "verify", address],
            [posedata(), "verify", address, "--json"],
            [posedata(), "build", "--dataset", "brace", "--raw", address, "--out", str(work / "x.zarr")],
            [posetrain(), "eval", "identity", "--store", address],
        ):
            for more in ([], ["--debug"]):
                _search(outcome, [*command, *more], work)
    for variable in VARIABLES:
        # A path, a name and an error message that hold the value of a secret variable.
        for command in (
            [posedata(), "info", f"{work}/{SECRET}.zarr"],
            [posedata(), "build", "--dataset", SECRET],
            [posedata(), "info", f"{work}/{SECRET}.zarr", "--debug"],
        ):
            _search(outcome, command, work, **{variable: SECRET})
    crash = f"import sys; from posedata import cli, ending\nsys.argv = ['posedata', 'info', '{bench.new}', '--debug']\n"
    crash += f"import posedata.store.opened as r\ndef broken(path): raise KeyError('https://u:{SECRET}@host/x')\n"
    crash += "r.open_any = broken\nfrom posedata.cli import main; main()"
    _search(outcome, [sys.executable, "-c", crash], work)
    outcome.note = "output, --debug and files below the working folder"
    return outcome


def _search(outcome: Outcome, command: list[str], work: Path, **environment: str) -> None:
    done = run(command, **environment)
    seen = done.stdout + done.stderr
    outcome.tries += 1
    words = " ".join(command[1:])[:100].replace(SECRET, "SECRET")
    outcome.expect(SECRET not in seen, f"{words}: printed {seen[max(0, seen.find(SECRET) - 60) :][:200]!r}")
    outcome.expect(done.returncode != 0, f"{words}: exit 0")
    kept = [path for path in work.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    outcome.expect(not kept, f"{words}: kept in {kept}")
