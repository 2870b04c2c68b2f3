"""Builds that are killed, told to stop, denied their calls or their disk, and raced."""

import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import (
    Bench,
    Instants,
    Outcome,
    check,
    enough,
    found,
    is_new,
    left_over,
    put_old,
    run,
    seconds_of_build,
    shim,
)

CALLS = ("write", "fsync", "rename")


def kills(bench: Bench, work: Path, tries: int, number: signal.Signals, seed: int = 0) -> Outcome:
    """A signal at a random instant of a build, half of them over an older store; then the same build again."""
    outcome = Outcome(f"{number.name} at a random instant of a build")
    instants = Instants(seconds_of_build(bench, work), 0.1, seed)
    landed = 0
    while not enough(outcome.tries, landed, tries):
        i = outcome.tries
        target, over = work / f"kill{i}.zarr", i % 2 == 1
        if over:
            put_old(bench, target)
        command = bench.build(target, *(["--overwrite"] if over else []))
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        instants.strike(process, number)
        begin = time.monotonic()
        code = process.wait()
        landed += code != 0
        there = found(bench, target)
        before = "old" if over else "nothing"
        outcome.tries += 1
        # A signal may come before Python has taken over, or when all is done.
        outcome.expect(code in (0, -number, 128 + number), f"try {i}: exit {code}")
        outcome.expect(there == "new" if code == 0 else there in (before, "new"), f"try {i}: exit {code}, {there}")
        if number == signal.SIGTERM:
            outcome.expect(time.monotonic() - begin < 5, f"try {i}: took {time.monotonic() - begin:.1f} s to stop")
            outcome.expect(code != 128 + number or not left_over(target), f"try {i}: left {left_over(target)}")
        again = run(bench.build(target, "--overwrite"))
        outcome.expect(again.returncode == 0 and is_new(bench, target), f"try {i}: again: {again.stderr}")
        outcome.expect(not left_over(target), f"try {i}: again: left {left_over(target)}")
        shutil.rmtree(target, ignore_errors=True)
    outcome.expect(2 * landed >= tries, f"only {landed} hit a running build")
    outcome.note = f"{landed} hit a running build"
    return outcome


def points(bench: Bench, work: Path, tries: int, number: int) -> Outcome:
    """Every write, fsync and rename of a build over an older store once: the call fails, or the process is killed.

    Args:
        bench: what to build.
        work: where.
        tries: at most so many, evenly spread over the kinds of calls and their numbers.
        number: ENOSPC or EIO; 0 = kill.
    """
    what = errno.errorcode[number] if number else "SIGKILL"
    outcome = Outcome(f"{what} at each write, fsync and rename")
    library, count = shim(work), work / "count"
    target = work / "point.zarr"
    command = bench.build(target, "--overwrite", "--workers", "1")
    preload = {"LD_PRELOAD": str(library), "FAULT_ROOT": str(work), "FAULT_ERRNO": str(number)}
    totals = []
    for call in CALLS:
        _reset(bench, target)
        check(command, **preload, FAULT_CALL=call, FAULT_AT="0", FAULT_COUNT=str(count))
        total = int(count.read_text())
        outcome.expect(total > 0, f"{call}: none was seen")
        totals.append(f"{total} {call}")
        for at in _spread(total, -(-tries // len(CALLS))):
            _reset(bench, target)
            done = run(command, **preload, FAULT_CALL=call, FAULT_AT=str(at))
            there = found(bench, target)
            outcome.tries += 1
            place = f"{call} {at} of {total}"
            wanted = 5 if number else -signal.SIGKILL
            outcome.expect(done.returncode == wanted, f"{place}: exit {done.returncode}: {done.stderr}")
            outcome.expect(there == "new" if done.returncode == 0 else there in ("old", "new"), f"{place}: {there}")
            outcome.expect("Traceback" not in done.stderr, f"{place}: {done.stderr}")
            again = run(command)
            outcome.expect(again.returncode == 0 and is_new(bench, target), f"{place}: again: {again.stderr}")
    outcome.note = f"{', '.join(totals)} calls a build"
    shutil.rmtree(target, ignore_errors=True)
    return outcome


def _reset(bench: Bench, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    for name in left_over(target):
        shutil.rmtree(target.with_name(name))
    put_old(bench, target)


def _spread(total: int, most: int) -> list[int]:
    """Numbers from 1 to total, all or some."""
    if most >= total:
        return list(range(1, total + 1))
    return sorted({1 + round(i * (total - 1) / max(most - 1, 1)) for i in range(most)})


def full_disks(bench: Bench, work: Path, tries: int) -> Outcome:
    """Builds over an older store on a disk that is full after more and more bytes."""
    outcome = Outcome("disk full, at rising budgets")
    if os.geteuid() != 0:
        outcome.note = "NOT RUN: needs root for a tmpfs"
        return outcome
    old = sum(path.stat().st_size for path in bench.old.rglob("*") if path.is_file())
    new = sum(path.stat().st_size for path in bench.new.rglob("*") if path.is_file())
    # The spool of the first pass stands beside both: 450 bytes a frame.
    whole = 2 * (old + new) + 500 * bench.frames
    full = 0
    for i in range(tries):
        with _tmpfs(work / "disk", old * 13 // 10 + (i + 1) * whole // tries) as disk:
            target = disk / "full.zarr"
            put_old(bench, target)
            done = run(bench.build(target, "--overwrite"))
            there = found(bench, target)
            full += done.returncode == 5
            outcome.tries += 1
            outcome.expect(done.returncode in (0, 5), f"budget {i}: exit {done.returncode}: {done.stderr}")
            outcome.expect(there == ("new" if done.returncode == 0 else "old"), f"budget {i}: {there}")
            outcome.expect(not left_over(target), f"budget {i}: left {left_over(target)}")
    outcome.note = f"{full} were too small"
    return outcome


@contextmanager
def _tmpfs(folder: Path, size: int) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    # Every file and folder takes whole pages there.
    check(["mount", "-t", "tmpfs", "-o", f"size={size + 4096 * 200}", "tmpfs", str(folder)])
    try:
        yield folder
    finally:
        check(["umount", "-l", str(folder)])


def races(bench: Bench, work: Path, tries: int) -> Outcome:
    """Two builders of one target at once: one wins, the other is told so."""
    outcome = Outcome("two builders of one target")
    lost = 0
    for i in range(tries):
        target = work / f"race{i}.zarr"
        both = [
            subprocess.Popen(bench.build(target), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        said = [process.communicate()[1] for process in both]
        codes = sorted(process.returncode for process in both)
        lost += codes == [0, 6]
        outcome.tries += 1
        outcome.expect(codes == [0, 6], f"race {i}: exits {codes}: {said}")
        outcome.expect(is_new(bench, target) and not left_over(target), f"race {i}: {found(bench, target)}")
        shutil.rmtree(target, ignore_errors=True)
    outcome.note = f"{lost} times one was refused"
    return outcome


def readers(bench: Bench, work: Path, tries: int) -> Outcome:
    """A store that is being read is not replaced, and what is read stays the same."""
    from posedata import open_store

    outcome = Outcome("replacing a store that is being read")
    for i in range(tries):
        target = work / f"read{i}.zarr"
        put_old(bench, target)
        store = open_store(target)
        before = store["target_cells"].copy()
        done = run(bench.build(target, "--overwrite"))
        outcome.tries += 1
        outcome.expect(done.returncode == 6 and "reader" in done.stderr, f"try {i}: {done.returncode}: {done.stderr}")
        outcome.expect(bool((store["target_cells"] == before).all()), f"try {i}: the reader saw something else")
        del store
        done = run(bench.build(target, "--overwrite"))
        outcome.expect(done.returncode == 0 and is_new(bench, target), f"try {i}: afterwards: {done.stderr}")
        shutil.rmtree(target)
    return outcome
