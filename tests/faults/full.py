"""The full form: every fault many times. Prints a Markdown table; exits with 1 if anything went wrong.

python tests/faults/full.py [--share 0.1] [--only WORD]
"""

import argparse
import errno
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import damage
import fuzz
import interruptions
import powercuts
import pulls
import secrets_planted
import trainings
from harness import Bench, Outcome, make_bench, say

from posedata.formats import FORMATS

Task = tuple[str, int, Callable[[Bench, Path, int], Outcome]]


def tasks() -> list[Task]:
    """Name, tries of the full form, what to do."""
    stops: list[Task] = [
        ("SIGKILL", 500, partial(interruptions.kills, number=signal.SIGKILL)),
        ("SIGTERM", 100, partial(interruptions.kills, number=signal.SIGTERM)),
        ("power cuts", 160, powercuts.power_cuts),
        ("kill points", 600, partial(_points, number=0)),
        ("fail points", 600, partial(_points, number=errno.EIO)),
        ("disk full", 50, interruptions.full_disks),
        ("races", 200, interruptions.races),
        ("readers", 20, interruptions.readers),
        ("killed pulls", 100, pulls.killed_pulls),
        ("cut pulls", 500, pulls.cut_pulls),
    ]
    damages: list[Task] = [
        (kind.__name__, 10_000 if kind is damage.flip else 500, partial(damage.damages, damage=kind))
        for kind in damage.KINDS
    ]
    fuzzing: list[Task] = [
        (f"fuzz {name}", 100_000 if name == "penn_action" else 1_000_000, partial(_fuzz, name=name)) for name in FORMATS
    ]
    others: list[Task] = [
        ("fuzz netcdf", 100_000, _fuzz_netcdf),
        *((f"fuzz {kind}", 1_000_000, partial(_fuzz_keypoints, kind=kind)) for kind in fuzz.KEYPOINT_SEEDS),
        ("secrets", 1, lambda bench, work, _: secrets_planted.planted(bench, work)),
        ("training kills", 100, trainings.killed_trainings),
        ("checkpoints", 30, trainings.damaged_checkpoints),
    ]
    return [*stops, *damages, *fuzzing, *others]


def _points(_: Bench, work: Path, tries: int, number: int) -> Outcome:
    """Of a build so small that each of its calls can be tried."""
    return interruptions.points(make_bench(work / "small", sequences=3, frames=200), work, tries, number)


def _fuzz(bench: Bench, work: Path, tries: int, name: str) -> Outcome:
    seeds = bench.root / "seeds"
    if not seeds.exists():
        fuzz.raw_seeds(seeds)
    return fuzz.fuzz(seeds / name, name, work, tries)


def _fuzz_netcdf(_: Bench, work: Path, tries: int) -> Outcome:
    return fuzz.fuzz(fuzz.netcdf_seed(work / "seed"), "keypoints", work, tries, pattern="*.nc")


def _fuzz_keypoints(_: Bench, work: Path, tries: int, kind: str) -> Outcome:
    return fuzz.fuzz(fuzz.KEYPOINT_SEEDS[kind](work / "seed"), "keypoints", work, tries)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the full number of tries")
    parser.add_argument("--only", default="", help="only what has this word in its name")
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="posedata-faults-") as root:
        bench = make_bench(Path(root) / "bench")
        print("| fault | tries | wrong | seconds | |\n|---|---|---|---|---|", flush=True)
        for name, tries, task in tasks():
            if options.only not in name:
                continue
            work = Path(root) / name.replace(" ", "-")
            work.mkdir()
            begin = time.monotonic()
            outcome = task(bench, work, max(2, round(tries * options.share)))
            seconds = time.monotonic() - begin
            print(
                f"| {outcome.fault} | {outcome.tries:,} | {len(outcome.wrong)} | {seconds:.0f} | {outcome.note} |",
                flush=True,
            )
            wrong += len(outcome.wrong)
            for line in outcome.wrong[:20]:
                say(f"{name}: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
