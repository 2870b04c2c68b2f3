"""Pulls whose connections are cut, whose server goes away, and that are killed."""

import random
import shutil
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path
from unittest import mock

from harness import Bench, Instants, Outcome, check, enough, is_new, posedata
from places import web_server
from zygote import run_anew

from posedata.errors import PoseDataError
from posedata.sharing import blocks
from posedata.sharing.pull import pull

_ATTEMPTS = 30


def cut_pulls(bench: Bench, work: Path, tries: int, seed: int = 0) -> Outcome:
    """Answers that end at random bytes, again and again, until a pull has come through."""
    outcome = Outcome("pull whose answers are cut at random bytes")
    chosen, collection = random.Random(seed), _pushed(bench)
    failed = 0
    # Small blocks have more places to be cut at, and waiting shows nothing.
    with mock.patch.object(blocks, "_BLOCK", 1 << 16), mock.patch.object(blocks, "_WAITS", (0.0,)):
        for i in range(tries):
            target = work / f"cut{i}.zarr"
            cuts = [int(10 ** chosen.uniform(0, 5)) for _ in range(chosen.randrange(1, 200))]
            with closing(web_server(collection, ranges=i % 2 == 0, cuts=cuts)) as server:
                failed += _pull_until_done(outcome, f"try {i}", f"{server.url}/new", target)
            outcome.tries += 1
            outcome.expect(is_new(bench, target), f"try {i}: other bytes than were pushed")
            shutil.rmtree(target, ignore_errors=True)
    outcome.note = f"{failed} pulls gave up and went on later"
    return outcome


def _pull_until_done(outcome: Outcome, what: str, url: str, target: Path) -> int:
    """Pull as often as it takes, and look what stands there in between; how often it failed."""
    for attempt in range(_ATTEMPTS):
        try:
            pull(url, out=target)
        except PoseDataError as error:
            outcome.expect(error.exit_code in (4, 7), f"{what}: exit {error.exit_code}: {error}")
            outcome.expect(not target.exists(), f"{what}: published after {error}")
        else:
            return attempt
    outcome.expect(False, f"{what}: never came through")
    return _ATTEMPTS


def _seconds(url: str, target: Path) -> float:
    """How long a pull takes that nobody disturbs."""
    begin = time.monotonic()
    run_anew([posedata(), "pull", url, "--out", str(target)]).check_returncode()
    return time.monotonic() - begin


def killed_pulls(bench: Bench, work: Path, tries: int, seed: int = 0) -> Outcome:
    """SIGKILL at a random instant of a pull; then the same pull again."""
    outcome = Outcome("SIGKILL at a random instant of a pull")
    collection, landed = _pushed(bench), 0
    with closing(web_server(collection, delay=0.5)) as server:
        url = f"{server.url}/new"
        # The first one may be slow for other reasons: with the time that it takes all others would be through.
        lasts = min(_seconds(url, work / f"timed{i}.zarr") for i in range(2))
        instants = Instants(lasts, 0.1, seed)
        while not enough(outcome.tries, landed, tries):
            i = outcome.tries
            target = work / f"pull{i}.zarr"
            command = [posedata(), "pull", url, "--out", str(target), "--quiet"]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            instants.strike(process, signal.SIGKILL)
            landed += process.wait() != 0
            outcome.tries += 1
            outcome.expect(not target.exists() or is_new(bench, target), f"try {i}: another store")
            check([*command, *(["--overwrite"] if target.exists() else [])])
            outcome.expect(is_new(bench, target), f"try {i}: other bytes than were pushed")
            shutil.rmtree(target)
    outcome.expect(2 * landed >= tries, f"only {landed} hit a running pull")
    outcome.note = f"{landed} hit a running pull"
    return outcome


def _pushed(bench: Bench) -> Path:
    collection = bench.root / "collection"
    check([posedata(), "push", str(bench.new), str(collection)])
    return collection
