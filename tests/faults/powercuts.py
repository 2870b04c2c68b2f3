"""Builds on a disk that loses its power: a loop-mounted ext4 that is shut down without its journal being flushed."""

import fcntl
import os
import random
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness import SECONDS, Bench, Outcome, check, found, is_new, left_over, put_old, run, seconds_of_build

_EXT4_IOC_SHUTDOWN = 0x8004587D
"""_IOR('X', 125, __u32) of the kernel's ext4.h."""
_NOLOGFLUSH = 2
_DISK = 96 << 20


def power_cuts(bench: Bench, work: Path, tries: int, seed: int = 0) -> Outcome:
    """Power lost at a random instant of a build or just after it; then the same build again on what is left."""
    outcome = Outcome("power cut at a random instant of a build")
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        outcome.note = "NOT RUN: needs root and mkfs.ext4 for a loop mount"
        return outcome
    chosen = random.Random(seed)
    image, folder = work / "disk.img", work / "disk"
    folder.mkdir()
    lasts = seconds_of_build(bench, work)
    finished = 0
    for i in range(tries):
        over = i % 2 == 1
        _format(image)
        with _mounted(image, folder):
            if over:
                put_old(bench, folder / "cut.zarr")
            os.sync()
            code, said = _cut(bench, folder, chosen.uniform(0.1, 1.4) * lasts)
        finished += code == 0
        with _mounted(image, folder):
            target = folder / "cut.zarr"
            there = found(bench, target)
            outcome.tries += 1
            outcome.expect(code in (0, 5), f"try {i}: exit {code}: {said}")
            before = "old" if over else "nothing"
            outcome.expect(there == "new" if code == 0 else there in (before, "new"), f"try {i}: exit {code}, {there}")
            again = run(bench.build(target, "--overwrite"))
            outcome.expect(again.returncode == 0 and is_new(bench, target), f"try {i}: again: {again.stderr}")
            outcome.expect(not left_over(target), f"try {i}: again: left {left_over(target)}")
    outcome.note = f"{finished} of the builds had ended"
    return outcome


def _cut(bench: Bench, folder: Path, seconds: float) -> tuple[int, str]:
    """Build there, cut the power after so many seconds, or as soon as the build is over; its exit code and stderr."""
    target = folder / "cut.zarr"
    command = [*bench.build(target, "--overwrite"), "--debug"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=folder.parent, text=True)
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    disk = os.open(folder, os.O_RDONLY)
    fcntl.ioctl(disk, _EXT4_IOC_SHUTDOWN, struct.pack("I", _NOLOGFLUSH))
    os.close(disk)
    said = process.communicate(timeout=SECONDS)[1]
    return process.returncode, said


def _format(image: Path) -> None:
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(_DISK)
    check(["mkfs.ext4", "-q", str(image)])


@contextmanager
def _mounted(image: Path, folder: Path) -> Iterator[None]:
    check(["mount", "-o", "loop", str(image), str(folder)])
    try:
        yield
    finally:
        check(["umount", str(folder)])
