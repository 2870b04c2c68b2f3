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
from pathlib import Path

import damage
import fuzz
import interruptions
import secrets_planted
import trainings
from harness import Bench, Outcome, make_bench, say

from posedata.formats import FORMATS

Task = tuple[str, int | None, Callable[[Bench, Path, int], Outcome]]


def tasks() -> list[Task]:
    """Name, tries of the full form, what to do."""
    signals: list[Task] = [
        ("SIGKILL", 500, lambda b, w, n: interruptions.kills(b, w, n, signal.SIGKILL)),
        ("SIGTERM", 100, lambda b, w, n: interruptions.kills(b, w, n, signal.SIGTERM)),
        ("kill points", 300, lambda b, w, n: interruptions.points(b, w, n // 3, 0)),
        ("fail points", 300, lambda b, w, n: interruptions.points(b, w, n // 3, errno.EIO)),
        ("disk full", 50, interruptions.full_disks),
        ("races", 200, interruptions.races),
        ("readers", 20, interruptions.readers),
    ]
    damages: list[Task] = [
        (
            kind.__name__,
            10_000 if kind is damage.flip else 500,
            lambda b, w, n, kind=kind: damage.damages(b, w, n, kind),
        )
        for kind in damage.KINDS
    ]
    fuzzing: list[Task] = [
        (f"fuzz {name}", 100_000, lambda b, w, n, name=name: fuzz.fuzz(b.root / "seeds" / name, name, w, n))
        for name in FORMATS
    ]
    others: list[Task] = [
        ("secrets", None, lambda b, w, n: secrets_planted.planted(b, w)),
        ("training kills", 100, trainings.killed_trainings),
        ("checkpoints", 30, trainings.damaged_checkpoints),
    ]
    return [*signals, *damages, *fuzzing, *others]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the full number of tries")
    parser.add_argument("--only", default="", help="only what has this word in its name")
    options = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="posedata-faults-") as root:
        bench = make_bench(Path(root) / "bench")
        fuzz.raw_seeds(bench.root / "seeds")
        print("| fault | tries | wrong | seconds | |\n|---|---|---|---|---|", flush=True)
        for name, tries, task in tasks():
            if options.only not in name:
                continue
            work = Path(root) / name.replace(" ", "-")
            work.mkdir()
            begin = time.monotonic()
            outcome = task(bench, work, max(2, round((tries or 2) * options.share)))
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
